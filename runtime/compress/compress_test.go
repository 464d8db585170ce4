package compress

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	long := bytes.Repeat([]byte("a flow run "), 3000)
	for name, c := range map[string]struct {
		accept string
		body   []byte
		zipped bool
	}{
		"accepted":     {"br, gzip", long, true},
		"not accepted": {"", long, false},
		"short":        {"gzip", long[:900], false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range []*Level{Pages, Lists} {
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Accept-Encoding", c.accept)
				l.Write(w, r, 201, c.body)
				var got io.Reader = w.Body
				if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != c.zipped {
					t.Fatalf("compressed: %v", zipped)
				}
				if c.zipped {
					z, err := gzip.NewReader(w.Body)
					if err != nil {
						t.Fatal(err)
					}
					got = z
					if w.Header().Get("Vary") != "Accept-Encoding" {
						t.Error("caches are not told that the body depends on the client")
					}
				} else if n := w.Header().Get("Content-Length"); n != strconv.Itoa(len(c.body)) {
					t.Error("length", n)
				}
				var text strings.Builder
				if _, err := io.Copy(&text, got); err != nil || text.String() != string(c.body) || w.Code != 201 {
					t.Errorf("%d, %d bytes, %v", w.Code, text.Len(), err)
				}
			}
		})
	}
}
