package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

// run is one flow run in execution; attempts of an in-process retry share it.
type run struct {
	e      *Engine
	flow   *Flow
	rec    *core.FlowRun
	wctx   context.Context // for writes: lives on when the flow's context was cancelled
	report *reporter
	root   *run // itself, or the run whose lease and process this sub-flow shares

	mu     sync.Mutex
	prior  map[ident]*core.TaskRun // what earlier attempts and processes left
	occurs map[ident]int
	names  map[string]int
	keyed  map[ident]*keyedCall
	// edits is by kind and name of a task, matched has the rows of prior that calls have taken.
	edits   map[ident]*edits
	matched map[core.UUID]bool
	appends map[ident]int64 // to streams, by key and source; events, by content and source
	logged  loggedLines
	pauses  int
	// Of the root: executions of tasks, and what keeps the process besides them.
	tasks, held atomic.Int64
	awaiting    []*waiting // calls that wait for messages
	places      map[string]chan struct{}

	replayFrom  int64     // not 0, resume: failures since this attempt are replayed, too
	fresh       core.Time // outcomes older than this do not count
	suspend     context.CancelCauseFunc
	ctx         context.Context // of the flow's code
	cancelAt    *string         // set: the process was started for the flow's clean-up
	stateID     core.UUID
	entered     bool // RUNNING since it was made, and nothing else has begun it
	stoppedHere bool // cancelled by this engine before the flow's code ran

	undos   []*undo // of all attempts in this process
	undoing bool
	ended   *ending // set: an earlier process has stored it, and the flow's code runs only for its undos
	undone  int     // how often earlier attempts have been undone
}

// ident names a task call within its run.
type ident struct{ task, key string }

// scope is where in a run a context is: in the flow itself or in a task.
type scope struct {
	run  *run
	task *core.TaskRun
	cur  *taskCall

	cleanup atomic.Bool // the code has a context of Cleanup
}

type scopeKey struct{}

func scopeOf(ctx context.Context) *scope {
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

func withScope(ctx context.Context, s *scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// Info is what code can know of the run that it is part of.
type Info struct {
	FlowRun *core.FlowRun
	Flow    string
	TaskRun *core.TaskRun // nil in the flow itself
	Attempt int
}

// Current tells of the run around ctx; false outside of one.
func Current(ctx context.Context) (Info, bool) {
	s := scopeOf(ctx)
	if s == nil {
		return Info{}, false
	}
	i := Info{FlowRun: s.run.rec, Flow: s.run.flow.Name, TaskRun: s.task, Attempt: int(s.run.rec.RunCount)}
	if s.task != nil {
		i.Attempt = int(s.task.RunCount)
	}
	return i, true
}

func newRun(ctx context.Context, e *Engine, f *Flow, rec *core.FlowRun, parent *run) *run {
	r := &run{e: e, flow: f, rec: rec}
	r.root = r
	if parent != nil {
		r.root, r.wctx, r.report = parent.root, parent.wctx, parent.report
		return r
	}
	r.wctx = context.WithoutCancel(ctx)
	r.report = newReporter(r.wctx, e.o)
	return r
}

// forget what the last attempt counted.
func (r *run) forget() {
	r.mu.Lock()
	r.prior, r.occurs, r.names = map[ident]*core.TaskRun{}, map[ident]int{}, map[string]int{}
	r.keyed, r.pauses, r.appends = map[ident]*keyedCall{}, 0, map[ident]int64{}
	r.edits, r.matched = map[ident]*edits{}, map[core.UUID]bool{}
	r.logged.set(nil)
	if r.undoing {
		r.undoing, r.undos = false, nil
	}
	r.mu.Unlock()
}

// begin forgets what the last attempt counted and reads what it left.
func (r *run) begin(ctx context.Context) error {
	r.forget()
	if s, ok := r.rec.Context.Map()["flowlite.fresh_after"].(string); ok {
		r.fresh, _ = core.ParseTime(s)
	}
	if r.rec.StartTime == 0 && r.rec.RunCount == 0 && !r.rec.EmpiricalPolicy.Resuming {
		return nil // never ran
	}
	const page = 1000
	for after := (core.UUID{}); ; {
		tasks, err := ask(ctx, func() ([]*core.TaskRun, error) { return r.e.o.TaskRunsOf(ctx, r.rec.ID, after, page) })
		if err != nil {
			return err
		}
		for _, t := range tasks {
			r.prior[ident{t.TaskKey, t.DynamicKey}] = t
			after = t.ID
		}
		if len(tasks) < page {
			return nil
		}
	}
}

// settled is the prior state of a call that need not run again, or nil.
func (r *run) settled(t *core.TaskRun) *core.State {
	if t == nil || t.State == nil || !t.StateType.Final() || t.State.Timestamp < r.fresh {
		return nil
	}
	switch {
	case t.StateType == core.Completed:
		return t.State
	case t.StateType == core.Failed && r.replayFrom > 0 && t.FlowRunRunCount >= r.replayFrom:
		return t.State
	}
	return nil
}
