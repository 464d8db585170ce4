// Package compress writes the bodies of HTTP responses, gzipped where the client
// accepts that and the body is large enough to gain from it.
package compress

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Level is a kind of body: how hard to compress it, and from which size on.
type Level struct {
	from int
	pool sync.Pool
}

// Pages are small and seldom, and travel to browsers: they are compressed well.
// Lists of the API are large and many: they are compressed fast.
var (
	Pages = level(4, 1000)
	Lists = level(gzip.BestSpeed, 16<<10)
)

func level(n, from int) *Level {
	return &Level{from: from, pool: sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, n) // the levels above are valid
		return z
	}}}
}

// Write sends the status, the headers of w, and the body. A nil request stands
// for a client that accepts no compression.
func (l *Level) Write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	if r == nil || len(body) < l.from || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Add("Vary", "Accept-Encoding")
	w.WriteHeader(status)
	z := l.pool.Get().(*gzip.Writer)
	defer l.pool.Put(z)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
}
