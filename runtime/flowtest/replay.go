package flowtest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Replay runs today's code of a flow over what a real run has done, from a file
// that "flowlite flow-run export RUN" has written. No task is executed. The test
// fails if a call of today's code has no outcome in the file, and names the call
// and the calls of the file that today's code no longer makes: a run that is in
// the middle of such a flow would execute the one again and lose the other.
//
// Of a run that has not completed, calls after its last one are new, and end the
// replay without a failure.
func Replay(t testing.TB, f flowlite.AnyFlow, file string, opts ...Option) *Result {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var x core.RunExport
	if err := json.Unmarshal(text, &x); err != nil || x.FlowRun == nil {
		t.Fatalf("%s is no export of a flow run (%v); write one with flowlite flow-run export RUN", file, err)
	}
	b := newBench(t, opts)
	r := &replay{taken: map[core.UUID]bool{}}
	b.set.replay, b.set.held = r, r.hold(b)
	rec := b.restore(engine.FlowOf(f), &x)
	fl := engine.FlowOf(f)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r.end = stop
	answering := make(chan struct{})
	go func() {
		defer close(answering)
		b.answer(ctx)
	}()
	e := engine.New(engine.Config{Orchestrator: b.svc, Clock: b.clock, Calls: b.calls()})
	out, err := e.ExecuteRun(ctx, fl, rec)
	stop()
	<-answering
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	must(t, e.Close(context.WithoutCancel(ctx)))
	b.out[b.run] = out
	r.verdict(t, &x)
	return b.collect()
}

// replay compares the calls of today's code with those of the file.
type replay struct {
	end context.CancelFunc

	mu    sync.Mutex
	taken map[core.UUID]bool
	news  []string // calls without an outcome in the file
	holds []string // why the run would be held
}

func (r *replay) replayed(row *core.TaskRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[row.ID] = true
}

var errNew = errors.New("the file of the replay has no outcome of this call")

func (r *replay) execute(_ context.Context, _ *engine.Task, row *core.TaskRun, _ any) (core.JSON, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news = append(r.news, describe(row))
	r.end()
	return nil, engine.Permanent(errNew)
}

// hold answers the question of a run whose code no longer matches. Another pause
// is the end of what the run had done.
func (r *replay) hold(b *bench) func(*core.FlowRun) bool {
	return func(run *core.FlowRun) bool {
		if !strings.HasPrefix(core.Deref(run.State.Details.PauseKey), engine.HeldKey) {
			r.end() // nobody had answered it when the run was exported
			return true
		}
		r.mu.Lock()
		r.holds = append(r.holds, core.Deref(run.State.Message))
		r.mu.Unlock()
		if _, err := b.svc.ResumeFlowRun(context.Background(), run.ID, core.JSON(`{"choice":"fail"}`)); err != nil {
			b.t.Error(err)
		}
		return true
	}
}

func describe(row *core.TaskRun) string {
	s := row.TaskKey + " (" + row.DynamicKey + ")"
	if in := row.Input(); in != nil {
		s = row.TaskKey + "(" + core.CutText(string(in), 200) + ")"
	}
	return s
}

func (r *replay) verdict(t testing.TB, x *core.RunExport) {
	t.Helper()
	var left []string
	for _, row := range x.TaskRuns {
		if row.StateType == core.Completed && !r.taken[row.ID] && !engine.Own(row) {
			left = append(left, describe(row))
		}
	}
	for _, text := range r.holds {
		t.Errorf("today's code would hold the run: %s", text)
	}
	completed := x.FlowRun.StateType == core.Completed
	slices.Sort(r.news)
	switch {
	case len(r.news) > 0 && (completed || len(left) > 0):
		t.Errorf("today's code calls %s, which the run has not done; it does not call %s, which the run has done",
			strings.Join(r.news, ", "), orNothing(left))
	case len(left) > 0 && len(r.holds) == 0:
		t.Errorf("today's code does not call %s, which the run has done", strings.Join(left, ", "))
	}
}

func orNothing(calls []string) string {
	if len(calls) == 0 {
		return "nothing"
	}
	return strings.Join(calls, ", ")
}

// restore makes a run that stands where the exported one stood, as a next
// process of it would find it.
func (b *bench) restore(f *engine.Flow, x *core.RunExport) *core.FlowRun {
	b.t.Helper()
	ctx := b.t.Context()
	flow, err := b.svc.CreateFlow(ctx, core.FlowCreate{Name: f.Name})
	must(b.t, err)
	rec, err := b.svc.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, Name: x.FlowRun.Name, Parameters: x.FlowRun.Parameters,
		Tags: x.FlowRun.Tags, State: &core.StateCreate{Type: core.Pending}})
	must(b.t, err)
	b.run = rec.ID
	var reports []*core.TaskRunReport
	for _, row := range x.TaskRuns {
		row.FlowRunID = rec.ID
		if row.State == nil {
			continue
		}
		row.State.Details.FlowRunID = rec.ID
		reports = append(reports, &core.TaskRunReport{TaskRun: row, States: []*core.State{row.State}})
	}
	if len(reports) > 0 {
		must(b.t, b.svc.RecordTaskRuns(ctx, reports))
	}
	for key, v := range x.Results {
		must(b.t, b.svc.PutResult(ctx, key, v))
	}
	for key, v := range x.Inputs {
		if strings.HasPrefix(key, "paused-"+engine.HeldKey) {
			continue // a choice about other code
		}
		must(b.t, b.svc.CreateFlowRunInput(ctx, rec.ID, key, v, ""))
	}
	rec.RunCount, rec.StartTime, rec.Context = max(1, x.FlowRun.RunCount), x.FlowRun.StartTime, x.FlowRun.Context
	rec.EmpiricalPolicy = core.FlowRunPolicy{Retries: core.Ptr(int64(0)), Resuming: true, PauseKeys: x.FlowRun.EmpiricalPolicy.PauseKeys}
	return rec
}
