package api

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A list of artifacts whose data would fill the memory is refused before the data
// is read, and can be read in smaller pages.
func TestArtifactListsAreBounded(t *testing.T) {
	w := memory(t)
	text := strings.Repeat("x", 14<<20)
	for i := range 5 { // 70 MB
		w.do(201, "POST", "/artifacts/", object{"key": fmt.Sprintf("k%d", i), "type": "markdown", "data": text})
	}
	for _, path := range []string{"/artifacts/filter", "/artifacts/latest/filter"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, _, body := w.send("POST", path, object{})
		runtime.ReadMemStats(&after)
		if status != 422 || !strings.Contains(string(body), "pass a smaller limit") {
			t.Errorf("%s: %d with %d bytes", path, status, len(body))
		}
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 8 {
			t.Errorf("%s takes %d MB to refuse 70 MB", path, n)
		}
		if status, _, body = w.send("POST", path, object{"limit": 2}); status != 200 || len(body) < 2*len(text) {
			t.Errorf("%s with a limit: %d with %d bytes", path, status, len(body))
		}
	}
}
