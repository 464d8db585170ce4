// Package static holds the style sheet, scripts, fonts and icons of the web
// UI: embedded, compressed once at start, and served under names that carry a
// hash of their content, so that a browser may keep them for ever.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.css *.js *.svg *.woff2 *-LICENSE.txt
var files embed.FS

var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
}

type asset struct {
	raw, gz []byte
	typ     string
}

type assets struct {
	hashed map[string]string // app.css -> app.1a2b3c4d.css
	byName map[string]asset
}

var load = sync.OnceValue(func() assets {
	a := assets{hashed: map[string]string{}, byName: map[string]asset{}}
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	var sheets []string // last, because they name other files
	for _, e := range entries {
		if path.Ext(e.Name()) == ".css" {
			sheets = append(sheets, e.Name())
			continue
		}
		a.add(e.Name(), read(e.Name()))
	}
	for _, n := range sheets {
		b := read(n)
		for plain, hashed := range a.hashed {
			b = bytes.ReplaceAll(b, []byte("url("+plain+")"), []byte("url("+hashed+")"))
		}
		a.add(n, b)
	}
	return a
})

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return b
}

func (a assets) add(name string, b []byte) {
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	f := asset{raw: b, typ: types[ext]}
	if ext != ".woff2" { // already compressed
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
		_, _ = w.Write(b)
		_ = w.Close()
		f.gz = z.Bytes()
	}
	a.hashed[name], a.byName[hashed] = hashed, f
}

// Path is where a file is served: "/static/app.1a2b3c4d5e.css" for "app.css".
func Path(name string) string {
	h, ok := load().hashed[name]
	if !ok {
		panic("static: no file " + name)
	}
	return "/static/" + h
}

// Serve answers requests for /static/NAME.
func Serve(w http.ResponseWriter, r *http.Request) {
	f, ok := load().byName[path.Base(r.URL.Path)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.typ)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body := f.raw
	if f.gz != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.gz
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
