package ui_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Pages answer fast: the figures are logged, and a slow page is a failure only
// when it is far off.
func TestRenderTimes(t *testing.T) {
	h := uitest.Open(t)
	for name, path := range h.Pages(h.Seed()) {
		h.Get(path)
		t0 := time.Now()
		const n = 10
		size := 0
		for range n {
			_, body := h.Get(path)
			size = len(body)
		}
		d := time.Since(t0) / n
		t.Logf("%-14s %8s %7d bytes", name, d.Round(10*time.Microsecond), size)
		if d > 500*time.Millisecond {
			t.Error(fmt.Sprint(name, " takes ", d))
		}
	}
}

// The budget: 50 KB of script and style, 30 KB for a page, gzipped.
func TestBudget(t *testing.T) {
	h := uitest.Open(t)
	zipped := func(b []byte) int {
		var o bytes.Buffer
		w, _ := gzip.NewWriterLevel(&o, 9)
		_, _ = w.Write(b)
		_ = w.Close()
		return o.Len()
	}
	total := 0
	for _, f := range []string{"app.css", "app.js", "htmx.min.js", "hx-sse.min.js"} {
		b, err := os.ReadFile(filepath.Join("../../views/static", f))
		h.Check(err)
		total += zipped(b)
	}
	t.Logf("script and style: %d bytes", total)
	if total > 50<<10 {
		t.Errorf("script and style are %d bytes gzipped; at most 50 KB", total)
	}
	for name, path := range h.Pages(h.Seed()) {
		_, body := h.Get(path)
		if n := zipped([]byte(body)); n > 30<<10 {
			t.Errorf("%s is %d bytes gzipped; at most 30 KB", name, n)
		}
	}
}
