package uitest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Finished makes a run that was due at one time and ended at another.
func (h *Fixture) Finished(d *core.Deployment, due, end core.Time, as core.StateType) *core.FlowRun {
	h.T.Helper()
	h.At(due)
	run := h.Create(d, `{"a":1}`)
	ctx := h.Act(run.ID)
	h.At(end)
	h.Set(ctx, run.ID, core.StateCreate{Type: as})
	h.At(0)
	return run
}

func (h *Fixture) Count(types ...core.StateType) int64 {
	h.T.Helper()
	n, err := h.Store.CountFlowRuns(h.T.Context(), core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}}})
	h.Check(err)
	return n
}

func (h *Fixture) ID(s string) core.UUID {
	h.T.Helper()
	id, err := core.ParseUUID(s)
	h.Check(err)
	return id
}

// Crowd makes a run of n task runs: three mapped tasks in a chain, of which
// every 5,000th fails, and a report at the end.
func (h *Fixture) Crowd(n int) *core.FlowRun {
	h.T.Helper()
	began := core.Now().Add(-2 * time.Hour)
	h.At(began)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	batch := make([]*core.TaskRunReport, 0, 1000)
	before := map[int]core.UUID{}
	keys := []string{"extract", "clean", "load"}
	for i := range n {
		r := &core.TaskRun{ID: core.NewID(), Name: fmt.Sprintf("%s-%d", keys[i%3], i/3), FlowRunID: run.ID, TaskKey: keys[i%3], DynamicKey: strconv.Itoa(i), RunCount: 1}
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
			h.Check(h.Service.RecordTaskRuns(ctx, batch))
			batch = batch[:0]
		}
	}
	h.At(began.Add(time.Hour + time.Minute))
	h.Set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("some partitions failed")})
	h.At(0)
	return run
}
