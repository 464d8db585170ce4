package run_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// The page of a run that is held because its code no longer matches shows both
// calls, and a person chooses there.
func TestHeldRunIsChosenFor(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	const was = `{"id":"<7>"}`
	sum := sha256.Sum256([]byte(was))
	now := h.Now()
	s := core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":"charged"}`)}.State(now)
	row := &core.TaskRun{ID: core.NewID(), Created: now, Updated: now, Name: "charge-0", FlowRunID: run.ID, TaskKey: "charge", DynamicKey: hex.EncodeToString(sum[:8]) + "-0",
		RunCount: 1, FlowRunRunCount: 1, StartTime: now, EndTime: now, ExpectedStartTime: now, State: s, StateID: s.ID, StateType: s.Type, StateName: s.Name,
		StateTimestamp: now, Labels: core.ToJSON(map[string]string{core.InputLabel: was})}
	h.Check(h.Service.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: row, States: []*core.State{s}}}))
	type charge struct {
		ID       string `json:"id"`
		Currency string `json:"currency"`
	}
	charges := &engine.Task{Name: "charge", Decode: func(stored core.JSON) ([]any, error) {
		var c charge
		err := json.Unmarshal(stored, &c)
		return []any{c}, err
	}, Fn: func(context.Context, any) (core.JSON, error) { return core.JSON(`"charged again"`), nil }}
	flow := &engine.Flow{Name: "etl", Fn: func(ctx context.Context, _ core.JSON) (core.JSON, error) {
		return engine.Call(ctx, charges, charge{"<7>", "USD"})
	}}
	rec := h.Run(run.ID)
	rec.EmpiricalPolicy.Resuming = true
	ended := make(chan *engine.Outcome, 1)
	go func() {
		out, err := engine.New(engine.Config{Orchestrator: h.Service}).ExecuteRun(ctx, flow, rec)
		if err != nil {
			t.Error(err)
		}
		ended <- out
	}()
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`!!document.querySelector("#resume")`)
	b.Want(`["code no longer matches what was done","task charge",'{"id":"<7>"}','"USD"'].every(x=>document.body.textContent.includes(x))`, "true")
	b.JS(`(()=>{const f=document.querySelector("#resume"),s=f.querySelector('select[name=choice]');if(s)s.value="reuse";else f.querySelector('[name=choice][value=reuse]').click();f.querySelector("button.pri").click()})()`)
	b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed"`)
	if out := <-ended; out == nil || string(out.Result) != `"charged"` {
		t.Fatal(out)
	}
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
