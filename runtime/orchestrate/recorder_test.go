package orchestrate_test

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// TestOneBadReportOfMany: a report or an event that cannot be stored is refused
// alone; all others of its batch are stored.
func TestOneBadReportOfMany(t *testing.T) {
	deep := core.JSON(strings.Repeat("[", 500) + strings.Repeat("]", 500))
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			h := localtest.Open(t, e.URL(t))
			run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
			var reports []*core.TaskRunReport
			for _, key := range []string{"a", strings.Repeat("long", 1000), "b", "deep", "nul\x00", "c"} {
				st := core.StateCreate{Type: core.Completed}.State(core.Now())
				if key == "deep" {
					st.Data = deep
				}
				reports = append(reports, &core.TaskRunReport{TaskRun: &core.TaskRun{ID: core.NewID(), Name: "t", FlowRunID: run.ID, TaskKey: "t", DynamicKey: key}, States: []*core.State{st}})
			}
			if err := h.RecordTaskRuns(h.Ctx, reports); core.CodeOf(err) != core.EInvalid {
				t.Error("the bad reports:", err)
			}
			stored := map[string]bool{}
			for _, task := range localtest.Must(h.TaskRunsOf(h.Ctx, run.ID, core.UUID{}, 0))(t) {
				stored[task.DynamicKey] = true
			}
			if len(stored) != 4 || !stored["a"] || !stored["b"] || !stored["nul\uFFFD"] || !stored["c"] {
				t.Errorf("stored: %v", stored)
			}
			event := func(name string, payload core.JSON) *core.Event {
				return &core.Event{Event: name, Resource: map[string]string{"prefect.resource.id": "x"}, Payload: payload}
			}
			if err := h.EmitEvents(h.Ctx, []*core.Event{event("one", nil), event("deep", deep), event("two", core.JSON(`"\u0000"`))}); err != nil {
				t.Error(err)
			}
			if n := localtest.Must(h.Store.CountEvents(h.Ctx, &core.EventFilter{Event: &core.EventName{Name: []string{"one", "two", "deep"}}}))(t); n != 2 {
				t.Errorf("%d events", n)
			}
		})
	}
}
