package run_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// 20,000 task runs are three rows; opened, a task's runs come a hundred at a
// time, failures first; the failed ones stand alone; and no answer is large.
func TestTimelineOf20000(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Crowd(20_000)
	path := "/flow-runs/" + run.ID.String()
	began := time.Now()
	_, body := h.Get(path)
	t.Log("first page after", time.Since(began))
	uitest.Contains(t, body, "20,000 of 20,000 task runs done", "4 failed", "6,667 task runs")
	if n := strings.Count(body, "data-row="); n != 3*2 {
		t.Errorf("%d rows, names and bars", n/2)
	}
	_, body = h.Get(path + "/timeline?open=%2Fload")
	uitest.Contains(t, body, "Rows 1–100 of 6,669", "Next 100")
	if n := strings.Count(body, "<li "); n != 100 {
		t.Errorf("%d names in a window", n)
	}
	first := body[strings.Index(body, "extract")+1:]
	if i, j := strings.Index(first, "s-failed"), strings.Index(first, "s-completed"); i < 0 || j < i {
		t.Error("failures do not come first")
	}
	if len(body) > 200<<10 {
		t.Errorf("a window is %d bytes", len(body))
	}
	_, body = h.Get(path + "/timeline?open=%2Fload&offset=6600")
	uitest.Contains(t, body, "Rows 6,601–6,669 of 6,669", "Previous")
	_, body = h.Get(path + "/timeline?rows=failed")
	if n := strings.Count(body, "<li "); n != 4 {
		t.Errorf("%d rows of failures, want 4", n)
	}
	_, body = h.Get(path + "/timeline?view=lanes")
	if n := strings.Count(body, `class="bar `); n == 0 || n > 1500 {
		t.Errorf("%d bars in lanes", n)
	}
}

// How long a run of 100,000 task runs takes to draw, read anew and from memory.
func BenchmarkTimelineOf100000(b *testing.B) {
	h := uitest.Open(b)
	path := "/flow-runs/" + h.Crowd(100_000).ID.String() + "/timeline"
	h.Get(path)
	for name, step := range map[string]time.Duration{"memory": 0, "database": time.Minute} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				h.Ahead.Add(int64(step))
				if code, body := h.Get(path); code != 200 || !strings.Contains(body, "100,000 of 100,000") {
					b.Fatal(code)
				}
			}
		})
	}
}
