package ui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// crowd makes a run of n task runs: three mapped tasks in a chain, of which
// every 5,000th fails, and a report at the end.
func (h *house) crowd(n int) *core.FlowRun {
	h.t.Helper()
	began := core.Now().Add(-2 * time.Hour)
	h.at(began)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	batch := make([]*core.TaskRunReport, 0, 1000)
	before := map[int]core.UUID{}
	keys := []string{"extract", "clean", "load"}
	for i := range n {
		r := &core.TaskRun{ID: core.NewID(), Name: fmt.Sprintf("%s-%d", keys[i%3], i/3), FlowRunID: run.ID, TaskKey: keys[i%3], DynamicKey: fmt.Sprint(i), RunCount: 1}
		r.Created, r.Updated = began, began
		r.StartTime = began.Add(time.Duration(i) * time.Hour / time.Duration(n))
		r.ExpectedStartTime, r.EndTime = r.StartTime, r.StartTime.Add(2*time.Second)
		r.TaskInputs = core.JSON("{}")
		if i%3 > 0 {
			r.TaskInputs = core.ToJSON(map[string]any{"in": []any{map[string]any{"input_type": "task_run", "id": before[i-1]}}})
		}
		before[i] = r.ID
		delete(before, i-1)
		end := core.Completed
		if i%5000 == 4999 {
			end = core.Failed
		}
		r.State = core.StateCreate{Type: end}.State(r.EndTime)
		r.StateID, r.StateType, r.StateName, r.StateTimestamp = r.State.ID, r.State.Type, r.State.Name, r.EndTime
		if batch = append(batch, &core.TaskRunReport{TaskRun: r, States: []*core.State{r.State}}); len(batch) == cap(batch) || i == n-1 {
			h.check(h.svc.RecordTaskRuns(ctx, batch))
			batch = batch[:0]
		}
	}
	h.at(began.Add(time.Hour + time.Minute))
	h.set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("some partitions failed")})
	h.at(0)
	return run
}

// 20,000 task runs are three rows; opened, a task's runs come a hundred at a
// time, failures first; the failed ones stand alone; and no answer is large.
func TestTimelineOf20000(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.crowd(20_000)
	path := "/flow-runs/" + run.ID.String()
	began := time.Now()
	_, body := h.get(path)
	t.Log("first page after", time.Since(began))
	contains(t, body, "20,000 of 20,000 task runs done", "4 failed", "6,667 task runs")
	if n := strings.Count(body, "data-row="); n != 3*2 {
		t.Errorf("%d rows, names and bars", n/2)
	}
	_, body = h.get(path + "/timeline?open=%2Fload")
	contains(t, body, "Rows 1–100 of 6,669", "Next 100")
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
	_, body = h.get(path + "/timeline?open=%2Fload&offset=6600")
	contains(t, body, "Rows 6,601–6,669 of 6,669", "Previous")
	_, body = h.get(path + "/timeline?rows=failed")
	if n := strings.Count(body, "<li "); n != 4 {
		t.Errorf("%d rows of failures, want 4", n)
	}
	_, body = h.get(path + "/timeline?view=lanes")
	if n := strings.Count(body, `class="bar `); n == 0 || n > 1500 {
		t.Errorf("%d bars in lanes", n)
	}
}

// How long a run of 100,000 task runs takes to draw, read anew and from memory.
func BenchmarkTimelineOf100000(b *testing.B) {
	h := open(b)
	path := "/flow-runs/" + h.crowd(100_000).ID.String() + "/timeline"
	h.get(path)
	for name, step := range map[string]time.Duration{"memory": 0, "database": time.Minute} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				h.ahead.Add(int64(step))
				if code, body := h.get(path); code != 200 || !strings.Contains(body, "100,000 of 100,000") {
					b.Fatal(code)
				}
			}
		})
	}
}
