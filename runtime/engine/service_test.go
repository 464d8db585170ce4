package engine

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// laterClock is the real clock, put forward by hand.
type laterClock struct {
	realClock
	ahead atomic.Int64
}

func (c *laterClock) Now() core.Time { return core.Now().Add(time.Duration(c.ahead.Load())) }

// bench is a real Service, and the test in a worker's place.
type bench struct {
	t     *testing.T
	svc   *local.Service
	clock *laterClock
	e     *Engine
	pool  core.PollRequest
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchOn(t, "sqlite:"+filepath.Join(t.TempDir(), "flow.db")+"?synchronous=off")
}

func newBenchOn(t *testing.T, dsn string) *bench {
	t.Helper()
	store, err := db.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b := &bench{t: t, clock: &laterClock{}, pool: core.PollRequest{Pool: "default", Holder: core.NewID(), Worker: "test", Free: 1}}
	b.svc = local.New(local.Config{Store: store, Bus: bus.NewMemory(), Now: b.clock.Now, Results: orchestrate.DirResults(t.TempDir())})
	if err := b.svc.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.svc.Stop(context.Background()) })
	if _, err := b.svc.CreateWorkPool(t.Context(), core.WorkPoolCreate{Name: "default", Type: "process"}); err != nil && core.CodeOf(err) != core.EConflict {
		t.Fatal(err)
	}
	b.e = New(Config{Orchestrator: b.svc, Clock: b.clock})
	return b
}

func (b *bench) order(f *Flow) *core.FlowRun {
	b.t.Helper()
	flow, err := b.svc.CreateFlow(b.t.Context(), core.FlowCreate{Name: f.Name})
	if err != nil {
		b.t.Fatal(err)
	}
	d, err := b.svc.CreateDeployment(b.t.Context(), core.DeploymentCreate{Name: "d", FlowID: flow.ID, WorkPoolName: core.Some("default"), EnforceParameterSchema: core.Some(false)})
	if err != nil {
		b.t.Fatal(err)
	}
	run, err := b.svc.CreateDeploymentFlowRun(b.t.Context(), d.ID, core.DeploymentFlowRunCreate{})
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

func (b *bench) claims() []core.Claim {
	b.t.Helper()
	res, err := b.svc.Poll(b.t.Context(), b.pool)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.Claims
}

// next claims the one run that is due; the context carries its token, and the
// end of it is a death of the process.
func (b *bench) next() (context.Context, context.CancelCauseFunc, core.UUID) {
	b.t.Helper()
	c := b.claims()
	if len(c) != 1 {
		b.t.Fatal("claims:", c)
	}
	ctx, end := context.WithCancelCause(core.WithRunToken(b.t.Context(), c[0].Token))
	return ctx, end, c[0].FlowRun.ID
}

func (b *bench) run(id core.UUID) *core.FlowRun {
	b.t.Helper()
	r, err := b.svc.FlowRun(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func counting(name string, n *int) *Task {
	return taskOf(name, func(context.Context, any) (any, error) { *n++; return *n, nil }, TaskOptions{})
}

func TestResumeOfARetryReplaysThatAttempt(t *testing.T) {
	b := newBench(t)
	var handled, later, first int
	var die context.CancelCauseFunc
	done := counting("done", &first)
	bad := taskOf("bad", func(context.Context, any) (any, error) { handled++; return nil, errors.New("handled") }, TaskOptions{})
	flaky := taskOf("flaky", func(context.Context, any) (any, error) {
		if later++; later == 1 {
			return nil, errors.New("not yet")
		}
		return later, nil
	}, TaskOptions{})
	f := flowOf(func(ctx context.Context) (any, error) {
		if _, err := Call(ctx, done, 1); err != nil {
			return nil, err
		}
		if _, err := Call(ctx, bad, 1); err == nil || err.Error() != "handled" {
			return nil, err
		}
		if i, _ := Current(ctx); i.Attempt == 2 && die != nil {
			die(ErrLeaseLost)
			return nil, context.Cause(ctx)
		}
		return Call(ctx, flaky, 1)
	}, FlowOptions{Retry: Retry{Max: 1}})
	b.order(f)
	ctx, end, id := b.next()
	die = func(err error) {
		if _, cerr := b.svc.ReportCrash(ctx, id, "killed", true); cerr != nil {
			t.Error(cerr)
		}
		end(err)
	}
	if _, err := b.e.Execute(ctx, f, id); !errors.Is(err, ErrLeaseLost) {
		t.Fatal(err)
	}
	if p := b.run(id).EmpiricalPolicy; !p.Resuming || core.Deref(p.RetryType) != "reschedule" {
		t.Fatal(p)
	}
	die = nil
	ctx, _, _ = b.next()
	out, err := b.e.Execute(ctx, f, id)
	if err != nil || out.Err != nil || string(out.Result) != "2" {
		t.Fatal(out, err)
	}
	if first != 1 || handled != 2 || later != 2 || b.run(id).RunCount != 2 {
		t.Fatal(first, handled, later, b.run(id).RunCount)
	}
}

func TestSuspendFreesTheProcess(t *testing.T) {
	b := newBench(t)
	var before, after int
	one, two := counting("one", &before), counting("two", &after)

	f := flowOf(func(ctx context.Context) (any, error) {
		if _, err := Call(ctx, one, 1); err != nil {
			return nil, err
		}
		for range 2 {
			if _, err := Pause(ctx, Ask{Suspend: true}); err != nil {
				return nil, err
			}
		}
		v, err := Pause(ctx, Ask{Suspend: true, Schema: form})
		if err != nil {
			return nil, err
		}
		_, err = Call(ctx, two, 1)
		return v, err
	}, FlowOptions{})
	run := b.order(f)
	for _, input := range []core.JSON{nil, nil, core.JSON(`{"ok":true}`)} {
		ctx, _, id := b.next()
		out, err := b.e.Execute(ctx, f, id)
		if err != nil || !errors.Is(out.Err, ErrSuspended) || out.State.Type != core.Paused {
			t.Fatal(out, err)
		}
		if res, err := b.svc.ResumeFlowRun(t.Context(), id, core.JSON(`{"ok":"perhaps"}`)); input != nil && (err != nil || res.Status != core.Reject) {
			t.Fatal("an answer that does not fit:", res, err)
		}
		if input != nil {
			if res, err := b.svc.ResumeFlowRun(t.Context(), id, input); err != nil || res.Status != core.Accept {
				t.Fatal(res, err)
			}
		}
	}
	ctx, _, id := b.next()
	out, err := b.e.Execute(ctx, f, id)
	if err != nil || out.Err != nil || string(out.Result) != `{"ok":true}` {
		t.Fatal(out, err)
	}
	if before != 1 || after != 1 || b.run(run.ID).RunCount != 1 {
		t.Fatal(before, after, b.run(run.ID).RunCount)
	}
}

func TestSuspendFromOutside(t *testing.T) {
	b := newBench(t)
	var before int
	one := counting("one", &before)
	waits := make(chan error, 2)
	started := make(chan struct{}, 2)
	waiting := true
	slow := taskOf("slow", func(ctx context.Context, _ any) (any, error) {
		started <- struct{}{}
		if waiting {
			<-ctx.Done()
			waits <- context.Cause(ctx)
			return nil, context.Cause(ctx)
		}
		return 7, nil
	}, TaskOptions{Retry: Retry{Max: 3}})
	f := flowOf(func(ctx context.Context) (any, error) {
		if _, err := Call(ctx, one, 1); err != nil {
			return nil, err
		}
		return Call(ctx, slow, 1)
	}, FlowOptions{})
	b.order(f)
	ctx, _, id := b.next()
	go func() {
		<-started
		_, _ = b.svc.SuspendFlowRun(context.Background(), id)
	}()
	out, err := b.e.Execute(ctx, f, id)
	if err != nil || !errors.Is(out.Err, ErrSuspended) || out.State.Type != core.Paused || !errors.Is(<-waits, ErrSuspended) {
		t.Fatal(out, err)
	}
	waiting = false
	if _, err := b.svc.ResumeFlowRun(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	ctx, _, _ = b.next()
	if out, err = b.e.Execute(ctx, f, id); err != nil || string(out.Result) != "7" || before != 1 {
		t.Fatal(out, err, before)
	}
}

func TestLongSleepFreesTheProcess(t *testing.T) {
	b := newBench(t)
	var before int
	one := counting("one", &before)
	f := flowOf(func(ctx context.Context) (any, error) {
		if _, err := Call(ctx, one, 1); err != nil {
			return nil, err
		}
		if err := Sleep(ctx, 2*time.Hour); err != nil {
			return nil, err
		}
		return "awake", nil
	}, FlowOptions{})
	b.order(f)
	ctx, _, id := b.next()
	out, err := b.e.Execute(ctx, f, id)
	if err != nil || !errors.Is(out.Err, ErrSuspended) || out.State.Name != "Sleeping" {
		t.Fatal(out, err)
	}
	b.clock.ahead.Add(int64(time.Hour))
	if c := b.claims(); len(c) != 0 {
		t.Fatal("woken too early")
	}
	b.clock.ahead.Add(int64(time.Hour))
	ctx, _, _ = b.next()
	if out, err = b.e.Execute(ctx, f, id); err != nil || string(out.Result) != `"awake"` || before != 1 {
		t.Fatal(out, err, before)
	}
	if r := b.run(id); r.RunCount != 1 || r.StateType != core.Completed {
		t.Fatal(r.RunCount, r.StateName)
	}
}

func TestStoppedProcessLeavesTheRun(t *testing.T) {
	b := newBench(t)
	started := make(chan struct{})
	f := flowOf(func(context.Context) (any, error) {
		close(started)
		select {} // heeds nothing
	}, FlowOptions{})
	b.order(f)
	ctx, end, id := b.next()
	go func() {
		<-started
		end(ErrStopped)
	}()
	out, err := b.e.Execute(ctx, f, id)
	if err != nil || !errors.Is(out.Err, ErrStopped) || b.run(id).StateType != core.Running {
		t.Fatal(out, err, b.run(id).StateName)
	}
}

func TestCancelBetweenAttempts(t *testing.T) {
	b := newBench(t)
	hooked := 0
	f := flowOf(func(context.Context) (any, error) { return nil, errors.New("once more") },
		FlowOptions{Retry: Retry{Max: 1, Delays: []time.Duration{time.Hour}},
			Hooks: Hooks{Cancelled: []Hook{func(context.Context, *core.FlowRun, *core.State) { hooked++ }}}})
	run := b.order(f)
	ctx, end, id := b.next()
	go func() {
		r := run
		for r.StateName != core.NameAwaitingRetry {
			r, _ = b.svc.WaitFlowRun(context.Background(), id, r.StateID, 30)
		}
		end(ErrCancelled)
	}()
	out, err := b.e.Execute(ctx, f, id)
	if err != nil || !errors.Is(out.Err, ErrCancelled) || out.State.Type != core.Cancelled || hooked != 1 {
		t.Fatal(out, err, hooked)
	}
}

// fullDisk cannot keep results.
type fullDisk struct{ *local.Service }

func (fullDisk) PutResult(context.Context, string, []byte) error {
	return core.Errorf(core.EInternal, "no space left on device")
}

func TestCrashesThatTheEngineCanReport(t *testing.T) {
	for name, fn := range map[string]func(context.Context) (any, error){
		"goexit":  func(context.Context) (any, error) { runtime.Goexit(); return nil, nil },
		"no disk": func(context.Context) (any, error) { return make([]byte, InlineLimit), nil },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.e = New(Config{Orchestrator: fullDisk{b.svc}, Clock: b.clock})
			var ends []string
			f := flowOf(fn, FlowOptions{Hooks: Hooks{Crashed: []Hook{func(_ context.Context, _ *core.FlowRun, s *core.State) {
				ends = append(ends, s.Name+": "+core.Deref(s.Message))
			}}}})
			b.order(f)
			ctx, _, id := b.next()
			out, err := b.e.Execute(ctx, f, id)
			if err != nil || out.Err == nil || b.run(id).StateType != core.Crashed || len(ends) != 1 {
				t.Fatal(out, err, b.run(id).StateName, ends)
			}
		})
	}
}
