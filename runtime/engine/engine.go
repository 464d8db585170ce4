package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config of an Engine.
type Config struct {
	Orchestrator core.Orchestrator
	Clock        Clock // nil: the real one
	Log          *slog.Logger
	// Lease makes runs that the engine creates leased to it: for a server whose
	// loops look for lost processes.
	Lease bool
	// Logs takes the log lines of runs; nil: the Orchestrator does.
	Logs *LogSocket
	// Outbox starts runs within transactions of the program; may be nil.
	Outbox Outbox
	// SuspendAfter is how long a deployed run that waits for a message keeps its
	// process; zero is 10 s.
	SuspendAfter time.Duration
	// Calls watches over the calls of tasks, in tests.
	Calls Calls
}

// Calls is told of the calls of tasks in recorded runs.
type Calls struct {
	// Replayed is told of a call whose outcome was stored.
	Replayed func(row *core.TaskRun)
	// Execute stands in for the functions of tasks.
	Execute func(ctx context.Context, t *Task, row *core.TaskRun, in any) (core.JSON, error)
}

// Engine executes flow runs. It may be shared by many.
type Engine struct {
	o      core.Orchestrator
	clock  Clock
	slog   *slog.Logger
	lease  bool
	holder core.UUID
	logs   logSink
	hidden hidden
	calls  Calls
	outbox Outbox
	moment time.Duration

	mu      sync.Mutex
	flows   map[string]core.UUID
	keeper  *keeper
	direct  sync.WaitGroup // the calls of Run
	stopped bool
}

func New(c Config) *Engine {
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.SuspendAfter == 0 {
		c.SuspendAfter = suspendAfter
	}
	return &Engine{o: c.Orchestrator, clock: c.Clock, slog: c.Log, lease: c.Lease, holder: core.NewID(), calls: c.Calls,
		moment: c.SuspendAfter, outbox: c.Outbox,
		logs: logSink{o: c.Orchestrator, sock: c.Logs}, flows: map[string]core.UUID{}}
}

// Orchestrator is what the engine was made with.
func (e *Engine) Orchestrator() core.Orchestrator { return e.o }

// Close sends what logs are left; ctx bounds the wait.
func (e *Engine) Close(ctx context.Context) error { return e.logs.flush(ctx) }

// FlowID registers the flow's name once.
func (e *Engine) FlowID(ctx context.Context, name string) (core.UUID, error) {
	e.mu.Lock()
	id, ok := e.flows[name]
	e.mu.Unlock()
	if ok {
		return id, nil
	}
	f, err := ask(ctx, func() (*core.Flow, error) { return e.o.CreateFlow(ctx, core.FlowCreate{Name: name}) })
	if err != nil {
		return core.UUID{}, err
	}
	e.mu.Lock()
	e.flows[name] = f.ID
	e.mu.Unlock()
	return f.ID, nil
}

// Create makes a run of the flow that this process is to execute.
func (e *Engine) Create(ctx context.Context, f *Flow, params core.JSON) (*core.FlowRun, error) {
	c, err := e.newRun(ctx, f, params)
	if err != nil {
		return nil, err
	}
	return ask(ctx, func() (*core.FlowRun, error) { return e.o.CreateFlowRun(ctx, c) })
}

func (e *Engine) newRun(ctx context.Context, f *Flow, params core.JSON) (c core.FlowRunCreate, err error) {
	id, err := e.FlowID(ctx, f.Name)
	if err != nil {
		return c, err
	}
	c = core.FlowRunCreate{Name: f.Options.RunName, FlowID: id, Parameters: params.OrObject(), Tags: f.Options.Tags,
		State: &core.StateCreate{Type: core.Pending}}
	if f.Options.Version != "" {
		c.FlowVersion = &f.Options.Version
	}
	if r := f.Options.Retry; r.Max > 0 {
		c.EmpiricalPolicy = policyOf(r, core.FlowRunPolicy{})
	}
	return c, nil
}

// Run creates a top-level run and executes it.
func (e *Engine) Run(ctx context.Context, f *Flow, params core.JSON) (*Outcome, error) {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return nil, ErrStopped
	}
	e.direct.Add(1)
	e.mu.Unlock()
	defer e.direct.Done()
	c, err := e.newRun(ctx, f, params)
	if err != nil {
		return nil, err
	}
	var holder core.UUID
	if e.lease {
		holder = e.holder
	}
	var l *core.Lease
	rec, err := ask(ctx, func() (rec *core.FlowRun, err error) {
		rec, l, err = e.o.StartFlowRun(ctx, c, holder)
		return rec, err
	})
	if err != nil {
		return nil, err
	}
	if l != nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(core.WithRunToken(ctx, l.Token))
		defer cancel(nil)
		defer e.keep(rec.ID, cancel)()
	}
	r := newRun(ctx, e, f, rec, nil)
	r.entered, r.stateID = rec.StateType == core.Running, rec.StateID
	out, err := r.execute(ctx)
	if err == nil && errors.Is(out.Err, ErrStopped) && !out.FlowRun.StateType.Final() {
		// Nothing else would say so before the lease expires.
		_, err = e.o.ReportCrash(r.wctx, rec.ID, "the program stopped before the run had finished", false)
	}
	return out, err
}

// Stop lets no further Run begin and waits for those that have. At the end of
// ctx it ends what is left with ErrStopped and waits for 5 s more at most.
func (e *Engine) Stop(ctx context.Context) {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	done := make(chan struct{})
	go func() { e.direct.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	e.mu.Lock()
	if e.keeper != nil {
		for _, end := range e.keeper.runs {
			end(ErrStopped)
		}
	}
	e.mu.Unlock()
	select {
	case <-done:
	case <-time.After(stopGrace): // the server does not answer
	}
}

// stopGrace is how long runs that were ended may take to say so.
const stopGrace = 5 * time.Second

// Execute runs a flow run that exists; core.WithRunToken gives its lease.
func (e *Engine) Execute(ctx context.Context, f *Flow, id core.UUID) (*Outcome, error) {
	rec, err := ask(ctx, func() (*core.FlowRun, error) { return e.o.FlowRun(ctx, id) })
	if err != nil {
		return nil, err
	}
	return e.ExecuteRun(ctx, f, rec)
}

// ExecuteRun runs a flow run that exists, whose record is at hand.
func (e *Engine) ExecuteRun(ctx context.Context, f *Flow, rec *core.FlowRun) (*Outcome, error) {
	return e.execute(ctx, f, rec, nil)
}

// keeper renews the engine's leases while it has any.
type keeper struct {
	runs map[core.UUID]context.CancelCauseFunc
	stop chan struct{}
}

func (e *Engine) keep(id core.UUID, lost context.CancelCauseFunc) (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.keeper == nil {
		e.keeper = &keeper{runs: map[core.UUID]context.CancelCauseFunc{}, stop: make(chan struct{})}
		go e.renewLoop(e.keeper)
	}
	if e.stopped {
		lost(ErrStopped)
	}
	k := e.keeper
	k.runs[id] = lost
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(k.runs, id)
		if len(k.runs) == 0 && e.keeper == k {
			close(k.stop)
			e.keeper = nil
		}
	}
}

func (e *Engine) renewLoop(k *keeper) {
	t := time.NewTicker(core.LeaseSeconds.Duration() / 3)
	defer t.Stop()
	for {
		select {
		case <-k.stop:
			return
		case <-t.C:
			e.renew(k)
		}
	}
}

// renew ends the runs that are no longer this engine's. A server that is away
// ends none: the lease may still be there when it returns.
func (e *Engine) renew(k *keeper) {
	e.mu.Lock()
	asked := make([]core.UUID, 0, len(k.runs))
	for id := range k.runs {
		asked = append(asked, id)
	}
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), core.LeaseSeconds.Duration()/3)
	defer cancel()
	ids, err := e.o.RenewLeases(ctx, e.holder)
	if err != nil {
		return
	}
	held := map[core.UUID]bool{}
	for _, id := range ids {
		held[id] = true
	}
	for _, id := range asked {
		if held[id] {
			continue
		}
		// A run that has just ended has no lease either.
		if run, err := e.o.FlowRun(ctx, id); err != nil || run.StateType.Final() {
			continue
		}
		e.mu.Lock()
		if lost := k.runs[id]; lost != nil {
			lost(ErrLeaseLost)
		}
		e.mu.Unlock()
	}
}
