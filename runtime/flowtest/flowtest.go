// Package flowtest runs a flow in memory from a test, as a server and a worker
// would run it: parameters are checked, a suspended run continues in another
// process, and delays between retries, sleeps, and time-outs of pauses take no
// time. Tasks can be replaced, made to fail, and followed by a crash, and the
// run's task runs, logs, and result can be looked at afterwards.
package flowtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// store reads what a run left behind.
type store interface {
	Artifacts(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.Artifact, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	FlowRunStatus(ctx context.Context, flowRunID core.UUID, key string) (*core.FlowRunStatus, error)
	FlowRunInputs(ctx context.Context, flowRunID core.UUID, prefix string, exclude []string, limit int) ([]*core.FlowRunInput, error)
	Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error)
	TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error)
}

// Result is how the run went.
type Result struct {
	State    string // Completed, Failed, TimedOut, Cancelled …; empty if the server refused the parameters
	Type     core.StateType
	Message  string
	Err      error
	Run      *core.FlowRun
	TaskRuns []*core.TaskRun
	Logs     []string

	value core.JSON
	t     testing.TB
	store store
}

// Run runs a flow to its end.
func Run(t testing.TB, f flowlite.AnyFlow, params any, opts ...Option) *Result {
	t.Helper()
	b := newBench(t, opts)
	p, err := json.Marshal(params)
	must(t, err)
	rec, err := b.order(engine.FlowOf(f), p)
	if err != nil {
		return &Result{Err: err, Message: err.Error(), t: t, store: b.store}
	}
	return b.finish(rec.ID)
}

// bench is a server in memory with a worker that executes flows in this process.
type bench struct {
	t     testing.TB
	set   *settings
	store store
	svc   *local.Service
	clock *engine.VirtualClock
	flows map[core.UUID]*engine.Flow // by the ids of the server

	mu  sync.Mutex
	out map[core.UUID]*engine.Outcome
	run core.UUID // the one that is tested

	asked map[string]bool // calls that have asked for a message; guarded by set.mu
}

func newBench(t testing.TB, opts []Option) *bench {
	t.Helper()
	b := &bench{t: t, set: &settings{variables: map[string]any{}, secrets: map[string]any{}, tasks: map[string]*taskSettings{}},
		clock: &engine.VirtualClock{}, flows: map[core.UUID]*engine.Flow{}, out: map[core.UUID]*engine.Outcome{}, asked: map[string]bool{}}
	for _, o := range opts {
		o(b.set)
	}
	logs()
	ctx := t.Context()
	database, err := db.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "flow.db")+"?synchronous=off")
	must(t, err)
	t.Cleanup(func() { _ = database.Close() })
	b.store = database
	b.svc = local.New(local.Config{Store: database, Bus: bus.NewMemory(), Now: b.clock.Now,
		Results: orchestrate.DirResults(filepath.Join(t.TempDir(), "results")), URL: "http://flowtest.invalid"})
	must(t, b.svc.Start(ctx))
	t.Cleanup(func() { _ = b.svc.Stop(context.Background()) })
	for name, v := range b.set.variables {
		_, err := b.svc.CreateVariable(ctx, core.VariableCreate{Name: name, Value: core.Some(core.ToJSON(v))})
		must(t, err)
	}
	for name, v := range b.set.secrets {
		must(t, b.svc.SetSecret(ctx, name, core.ToJSON(v)))
	}
	_, err = b.svc.CreateWorkPool(ctx, core.WorkPoolCreate{Name: core.DefaultPool, Type: core.PoolProcess})
	if core.CodeOf(err) != core.EConflict {
		must(t, err)
	}
	for _, d := range b.set.deployed {
		_, err := b.deploy(d.flow, d.name)
		must(t, err)
	}
	return b
}

func (b *bench) deploy(f *engine.Flow, name string) (*core.Deployment, error) {
	ctx := b.t.Context()
	flow, err := b.svc.CreateFlow(ctx, core.FlowCreate{Name: f.Name})
	if err != nil {
		return nil, err
	}
	b.flows[flow.ID] = f.Checked()
	return b.svc.CreateDeployment(ctx, core.DeploymentCreate{Name: name, FlowID: flow.ID, WorkPoolName: core.Some(core.DefaultPool),
		ParameterOpenAPISchema: core.Some(f.Schema), EnforceParameterSchema: core.Some(true), Tags: core.Some(core.Tags(f.Options.Tags))})
}

// order makes a run as a server does that is asked for one.
func (b *bench) order(f *engine.Flow, params core.JSON) (*core.FlowRun, error) {
	d, err := b.deploy(f, "flowtest")
	must(b.t, err)
	return b.svc.CreateDeploymentFlowRun(b.t.Context(), d.ID, core.DeploymentFlowRunCreate{Name: f.Options.RunName, Parameters: params})
}

// finish executes the run, and what it starts, until it has ended.
func (b *bench) finish(id core.UUID) *Result {
	b.t.Helper()
	b.run = id
	ctx, stop := context.WithCancel(b.t.Context())
	var work sync.WaitGroup
	work.Go(func() { b.work(ctx, &work) })
	b.answer(ctx)
	stop()
	work.Wait()
	return b.collect()
}

// work claims runs and executes each in a process of its own, as far as a test can.
func (b *bench) work(ctx context.Context, work *sync.WaitGroup) {
	poll := core.PollRequest{Pool: core.DefaultPool, Holder: core.NewID(), Worker: "flowtest", Free: 100, Wait: 30}
	for ctx.Err() == nil {
		res, err := b.svc.Poll(ctx, poll)
		if err != nil {
			if ctx.Err() == nil {
				b.t.Error(err)
			}
			return
		}
		for _, c := range res.Claims {
			work.Go(func() { b.execute(c) })
		}
	}
}

func (b *bench) execute(c core.Claim) {
	p := &process{Orchestrator: b.svc, b: b, id: c.FlowRun.ID, token: c.Token}
	ctx, kill := context.WithCancelCause(core.WithRunToken(context.WithoutCancel(b.t.Context()), c.Token))
	defer kill(nil)
	p.kill = kill
	e := engine.New(engine.Config{Orchestrator: p, Clock: b.clock, Calls: b.calls()})
	rec := *c.FlowRun
	out, err := e.ExecuteRun(ctx, b.flows[c.FlowRun.FlowID], &rec)
	if cerr := e.Close(context.WithoutCancel(ctx)); cerr != nil {
		b.t.Error(cerr)
	}
	if err != nil && !errors.Is(err, engine.ErrLeaseLost) {
		b.t.Errorf("flow run %s: %v", rec.Name, err)
		_, _ = b.svc.ReportCrash(ctx, rec.ID, err.Error(), false)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out[rec.ID] = cmp.Or(out, b.out[rec.ID])
}

// answer resumes each pause, and lets the time of one that nobody answers pass.
// It returns when the run has ended.
func (b *bench) answer(ctx context.Context) {
	inputs := b.set.inputs
	run, err := b.svc.FlowRun(ctx, b.run)
	for err == nil && !run.StateType.Final() {
		switch {
		case run.StateType != core.Paused || run.State == nil:
		case core.Deref(run.State.Details.PauseKey) == b.set.cancelAt && b.set.cancelAt != "":
			b.cancel(ctx)
		case b.set.held != nil && b.set.held(run):
		case len(inputs) > 0:
			var res *core.OrchestrationResult
			if res, err = b.svc.ResumeFlowRun(ctx, b.run, core.JSON(inputs[0])); err == nil {
				if res.Status != core.Accept {
					b.t.Errorf("the answer %s was refused: %s", inputs[0], core.Deref(res.Details.Reason))
				}
				inputs = inputs[1:]
			}
		default:
			_ = b.clock.Sleep(ctx, run.State.Details.PauseTimeout.Sub(b.clock.Now()))
			_, err = b.svc.ExpirePauses(ctx)
		}
		if err == nil {
			run, err = b.svc.WaitFlowRun(ctx, b.run, run.StateID, 30)
		}
	}
	must(b.t, err)
}

func (b *bench) cancel(ctx context.Context) {
	b.set.cancelled.Do(func() {
		if _, err := b.svc.CancelFlowRun(core.WithRunToken(context.WithoutCancel(ctx), core.UUID{}), b.run); err != nil {
			b.t.Error(err)
		}
	})
}

// logs makes slog's default logger write the logs of runs, too, as flowlite.Main
// does, so that a flow's slog calls can be looked for in the Result. It is for
// the whole test program: outside of runs the logger works as before.
var logs = sync.OnceFunc(func() {
	// SetDefault makes package log write to slog; it goes on writing where it wrote.
	out, flags := log.Writer(), log.Flags()
	slog.SetDefault(slog.New(flowlite.LogHandler(slog.Default().Handler())))
	log.SetOutput(out)
	log.SetFlags(flags)
})

func (b *bench) collect() *Result {
	b.t.Helper()
	ctx := context.Background()
	run, err := b.store.FlowRun(ctx, b.run)
	must(b.t, err)
	r := &Result{State: run.StateName, Type: run.StateType, Run: run, t: b.t, store: b.store}
	if out := b.out[b.run]; out != nil && out.State != nil && out.State.Type.Final() {
		r.Err, r.value = out.Err, out.Result
	} else if run.State != nil && run.StateType != core.Completed {
		r.Err = engine.ErrorOf(run.State)
	}
	if run.State != nil {
		r.Message = core.Deref(run.State.Message)
	}
	r.TaskRuns, err = b.store.TaskRunsOf(ctx, run.ID, core.UUID{}, 100_000)
	must(b.t, err)
	logs, err := b.store.Logs(ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}, core.Page{Sort: "SEQ_ASC"})
	must(b.t, err)
	for _, l := range logs {
		r.Logs = append(r.Logs, l.Message)
	}
	return r
}

// Into decodes the flow's result, and fails the test if the flow failed.
func (r *Result) Into(v any) {
	r.t.Helper()
	if r.Err != nil {
		r.t.Fatalf("the flow failed: %v", r.Err)
	}
	must(r.t, json.Unmarshal(r.value, v))
}

// Tasks are the runs of one task, in the order of their calls.
func (r *Result) Tasks(name string) []*core.TaskRun {
	var out []*core.TaskRun
	for _, t := range r.TaskRuns {
		if t.TaskKey == name {
			out = append(out, t)
		}
	}
	return out
}

// Artifacts are the data of the run's artifacts, by key.
func (r *Result) Artifacts() map[string]string {
	r.t.Helper()
	list, err := r.store.Artifacts(
		context.Background(),
		&core.ArtifactFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{r.Run.ID}}},
		core.Page{},
	)
	must(r.t, err)
	out := map[string]string{}
	for _, a := range list {
		out[core.Deref(a.Key)] = string(a.Data)
	}
	return out
}

// Status decodes the last value that the run set under key, and fails the test if it
// set none.
func (r *Result) Status(key string, into any) {
	r.t.Helper()
	s, err := r.store.FlowRunStatus(context.Background(), r.Run.ID, key)
	if err != nil {
		r.t.Fatalf("the status %s: %v", key, err)
	}
	must(r.t, json.Unmarshal(s.Value, into))
}

// Inputs are the answers to the run's pauses and their forms, by key.
func (r *Result) Inputs() map[string]string {
	r.t.Helper()
	list, err := r.store.FlowRunInputs(context.Background(), r.Run.ID, "", nil, core.MaxLimit)
	must(r.t, err)
	out := map[string]string{}
	for _, in := range list {
		out[in.Key] = in.Value
	}
	return out
}

// Logged tells whether a line of the run's log contains text.
func (r *Result) Logged(text string) bool {
	for _, l := range r.Logs {
		if strings.Contains(l, text) {
			return true
		}
	}
	return false
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
