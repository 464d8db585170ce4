package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/runtime/compress"
)

// buffer holds a request's body, or an answer, and is used again.
type buffer struct{ b bytes.Buffer }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// free gives the buffer back, unless one large body made it large.
func (b *buffer) free() {
	if b.b.Cap() <= 1<<20 {
		b.b.Reset()
		buffers.Put(b)
	}
}

func (b *buffer) Read(p []byte) (int, error) { return b.b.Read(p) }

func (b *buffer) readBody(w http.ResponseWriter, r *http.Request, most int64) error {
	b.b.Reset()
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	if r.ContentLength > most {
		return errTooLarge
	}
	var body io.Reader = http.MaxBytesReader(w, r.Body, most)
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(body)
		if err != nil {
			return invalid("value_error", "The body is not gzip, as its Content-Encoding says", nil)
		}
		body = io.LimitReader(z, most+1)
	}
	_, err := b.b.ReadFrom(body)
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) || int64(b.b.Len()) > most {
		return errTooLarge
	}
	if err != nil {
		return invalid("value_error", "The body could not be read: "+err.Error(), nil)
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) { writeAnswer(w, nil, status, v) }

// writeAnswer encodes first and writes then, so that what cannot be encoded is
// an honest 500.
func writeAnswer(w http.ResponseWriter, r *http.Request, status int, v any) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	out := buffers.Get().(*buffer)
	defer out.free()
	out.b.Reset()
	if text, ok := v.(plainText); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, string(text))
		return
	}
	enc := json.NewEncoder(&out.b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		out.b.Reset()
		out.b.WriteString(`{"exception_message":"Internal Server Error"}` + "\n")
		status = http.StatusInternalServerError
	}
	b := bytes.TrimSuffix(out.b.Bytes(), []byte("\n"))
	w.Header()["Content-Type"] = jsonType
	compress.Lists.Write(w, r, status, b)
}

var jsonType = []string{"application/json"}

// plainText is an answer that is not JSON.
type plainText string

// rows is a list that is [] when it is empty.
func rows[T any](list []T, err error) ([]T, error) {
	if list == nil && err == nil {
		list = []T{}
	}
	return list, err
}
