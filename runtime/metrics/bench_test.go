package metrics

import (
	"net/http"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// BenchmarkCost is what a flow run of four requests, four transitions, and eight
// events costs beside the run itself.
func BenchmarkCost(b *testing.B) {
	m := New("test")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/flow_runs/{id}/set_state", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	h := m.Wrap(mux)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/api/flow_runs/1/set_state", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	task := &core.Event{Event: "prefect.task-run.Running", Resource: map[string]string{"prefect.state-type": "RUNNING"}}
	events := []*core.Event{task, task}
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		for _, state := range []core.StateType{core.Scheduled, core.Pending, core.Running, core.Completed} {
			h.ServeHTTP(w, r)
			m.Committed(events, []core.FlowRunTransition{{Flow: "shop", Pool: "default", To: state, Queued: .1, Ran: 1}})
		}
	}
}
