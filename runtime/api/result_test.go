package api

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

type zero struct{}

func (zero) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestResultsAreStreamed: neither way does a large result pass through memory,
// nor does a list, a run, or a page that could show it.
func TestResultsAreStreamed(t *testing.T) {
	w := memory(t)
	const large = core.MaxResult - 1
	allocated := func(do func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	ask := func(method string, body io.Reader, length int64) (int, int64) {
		r, err := http.NewRequestWithContext(t.Context(), method, w.srv.URL+"/api/results/run/large.json", body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		answer, err := w.srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		n, err := io.Copy(io.Discard, answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, n
	}
	run := w.run(w.flow("f"), nil)
	w.state(201, run, "ACCEPT", "RUNNING", nil)
	w.state(201, run, "ACCEPT", "COMPLETED", object{"data": object{"type": "flowlite", "key": "run/large.json"}})
	bytes := allocated(func() {
		if status, _ := ask("PUT", io.LimitReader(zero{}, large), -1); status != http.StatusNoContent {
			t.Errorf("put: %d", status)
		}
		if status, n := ask("GET", nil, 0); status != http.StatusOK || n != large {
			t.Errorf("get: %d, %d bytes", status, n)
		}
		w.agent = "prefect/3.4.9 (API 0.8.4)"
		if got := at(w.get("/flow_runs/"+run["id"].(string)), "state", "data", "key"); got != "run/large.json" {
			t.Errorf("the state has %v", got)
		}
		w.agent = ""
	})
	if t.Logf("%d bytes allocated", bytes); bytes > 16<<20 {
		t.Errorf("%d bytes allocated for a result of %d", bytes, large)
	}
	for name, status := range map[string]int{"declared": 413, "chunked": 413} {
		length := int64(core.MaxResult + 1)
		if name == "chunked" {
			length = -1
		}
		r, _ := http.NewRequestWithContext(t.Context(), "PUT", w.srv.URL+"/api/results/run/too.json", io.LimitReader(zero{}, core.MaxResult+1))
		r.ContentLength = length
		answer, err := w.srv.Client().Do(r)
		if err != nil { // the server may close before all is sent
			if !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
				t.Error(err)
			}
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	if _, _, err := w.service.ResultUpTo(t.Context(), "run/too.json", 1); !core.IsNotFound(err) {
		t.Errorf("a result that is too large: %v", err)
	}
}
