package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func setup() (*fake, *Engine) {
	f, c := newFake(), &VirtualClock{}
	f.now = c.Now
	return f, New(Config{Orchestrator: f, Clock: c})
}

func flowOf(fn func(ctx context.Context) (any, error), opts FlowOptions) *Flow {
	return &Flow{Name: "f", Options: opts, Fn: func(ctx context.Context, _ core.JSON) (core.JSON, error) {
		v, err := fn(ctx)
		if err != nil {
			return nil, err
		}
		return core.ToJSON(v), nil
	}}
}

func taskOf(name string, fn func(ctx context.Context, in any) (any, error), o TaskOptions) *Task {
	return &Task{Name: name, Options: o, Fn: func(ctx context.Context, in any) (core.JSON, error) {
		v, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(v)
		return b, err
	}}
}

func TestTaskSucceedsInOneCommit(t *testing.T) {
	f, e := setup()
	double := taskOf("double", func(_ context.Context, in any) (any, error) { return 2 * in.(int), nil }, TaskOptions{})
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) {
		v, err := Call(ctx, double, 21)
		return v, err
	}, FlowOptions{}), nil)
	if err != nil || string(out.Result) != "42" || out.State.Type != core.Completed {
		t.Fatal(out, err)
	}
	if got := f.states[f.task("double").ID]; !slices.Equal(got, []string{"Pending", "Running", "Completed"}) || f.batches != 1 {
		t.Fatal(got, f.batches)
	}
	if got := f.states[out.FlowRun.ID]; !slices.Equal(got, []string{"Pending", "Running", "Completed"}) {
		t.Fatal(got)
	}
}

func TestTaskRetriesThenFails(t *testing.T) {
	f, e := setup()
	boom := errors.New("boom")
	flaky := taskOf("flaky", func(context.Context, any) (any, error) { return nil, boom },
		TaskOptions{Retry: Retry{Max: 2, Delays: []time.Duration{time.Hour}}})
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) { return Call(ctx, flaky, 1) }, FlowOptions{}), nil)
	if err != nil || !errors.Is(out.Err, boom) || core.Deref(out.State.Message) != "boom" {
		t.Fatal(out, err)
	}
	row := f.task("flaky")
	if row.RunCount != 3 || row.StateType != core.Failed {
		t.Fatal(row.RunCount, row.StateName)
	}
	if got := f.states[row.ID]; !slices.Equal(got, []string{"Pending", "Running", "AwaitingRetry", "Retrying", "AwaitingRetry", "Retrying", "Failed"}) {
		t.Fatal(got)
	}
}

func TestPermanentAndPanicAndTimeout(t *testing.T) {
	f, e := setup()
	o := TaskOptions{Retry: Retry{Max: 3}}
	perm := taskOf("perm", func(context.Context, any) (any, error) { return nil, Permanent(errors.New("no")) }, o)
	pan := taskOf("pan", func(context.Context, any) (any, error) { panic("ouch") }, TaskOptions{})
	hang := taskOf("hang", func(ctx context.Context, _ any) (any, error) { select {} }, TaskOptions{Timeout: 10 * time.Millisecond})
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) {
		_, e1 := Call(ctx, perm, 1)
		_, e2 := Call(ctx, pan, 1)
		_, e3 := Call(ctx, hang, 1)
		if !errors.Is(e3, ErrTimedOut) {
			return nil, fmt.Errorf("hang: %w", e3)
		}
		return []string{e1.Error(), e2.Error()}, nil
	}, FlowOptions{}), nil)
	if err != nil || string(out.Result) != `["no","panic: ouch"]` {
		t.Fatal(string(out.Result), out.Err, err)
	}
	if f.task("perm").RunCount != 1 || f.task("hang").StateName != core.NameTimedOut {
		t.Fatal(f.task("perm").RunCount, f.task("hang").StateName)
	}
	if !slices.ContainsFunc(f.logs, func(l core.LogCreate) bool { return strings.Contains(l.Message, "engine_test.go") }) {
		t.Fatal("no stack in the logs")
	}
}

func TestResumeReplaysOutcomes(t *testing.T) {
	f, e := setup()
	var calls atomic.Int32
	crash := true
	ok := taskOf("ok", func(context.Context, any) (any, error) { return calls.Add(1), nil }, TaskOptions{})
	bad := taskOf("bad", func(context.Context, any) (any, error) { calls.Add(1); return nil, errors.New("handled") }, TaskOptions{})
	end, stop := context.WithCancelCause(t.Context())
	fl := flowOf(func(ctx context.Context) (any, error) {
		a, err := Call(ctx, ok, "x")
		if err != nil {
			return nil, err
		}
		if _, err := Call(ctx, bad, "x"); err == nil || err.Error() != "handled" {
			return nil, fmt.Errorf("bad: %w", err)
		}
		if crash {
			stop(ErrLeaseLost)
			return nil, errors.New("gone")
		}
		return string(a), nil
	}, FlowOptions{})
	rec, _ := e.Create(t.Context(), fl, nil)
	if _, err := e.Execute(end, fl, rec.ID); !errors.Is(err, ErrLeaseLost) {
		t.Fatal(err)
	}
	crash = false
	r := f.runs[rec.ID]
	r.EmpiricalPolicy.Resuming = true
	f.set(r, core.StateCreate{Type: core.Scheduled, Name: core.NameResuming}.State(f.now()))
	out, err := e.Execute(t.Context(), fl, rec.ID)
	if err != nil || string(out.Result) != `"1"` || calls.Load() != 2 || r.RunCount != 1 {
		t.Fatal(out, err, calls.Load(), r.RunCount)
	}
}

func TestFlowRetryReusesCompletedTasks(t *testing.T) {
	f, e := setup()
	var good, bad int
	ok := taskOf("ok", func(context.Context, any) (any, error) { good++; return good, nil }, TaskOptions{})
	flaky := taskOf("flaky", func(context.Context, any) (any, error) {
		if bad++; bad < 3 {
			return nil, errors.New("not yet")
		}
		return bad, nil
	}, TaskOptions{})
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) {
		if _, err := Call(ctx, ok, 1); err != nil {
			return nil, err
		}
		return Call(ctx, flaky, 1)
	}, FlowOptions{Retry: Retry{Max: 2, Delays: []time.Duration{time.Minute}}}), nil)
	if err != nil || out.Err != nil || string(out.Result) != "3" || good != 1 {
		t.Fatal(out, err, good)
	}
	if n := f.runs[out.FlowRun.ID].RunCount; n != 3 {
		t.Fatal(n)
	}
}

func TestSubflowCacheKeyAndSleep(t *testing.T) {
	f, e := setup()
	var calls atomic.Int32
	work := taskOf("work", func(context.Context, any) (any, error) { return calls.Add(1), nil },
		TaskOptions{CacheKey: func(in any) string { return fmt.Sprint(in) }, CacheFor: time.Hour})
	once := taskOf("once", func(context.Context, any) (any, error) { return calls.Add(10), nil }, TaskOptions{Key: "k"})
	child := &Flow{Name: "child", Fn: func(ctx context.Context, p core.JSON) (core.JSON, error) { return Call(ctx, work, string(p)) }}
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) {
		a, err := RunFlow(ctx, child, core.JSON(`{"a":1}`))
		if err != nil {
			return nil, err
		}
		b, err := RunFlow(ctx, child, core.JSON(`{"a":1}`))
		if err != nil {
			return nil, err
		}
		_, _ = Call(ctx, once, 1)
		c, err := Call(ctx, once, 2)
		if err != nil {
			return nil, err
		}
		return []core.JSON{a, b, c}, Sleep(ctx, 3*time.Hour)
	}, FlowOptions{}), nil)
	if err != nil || out.Err != nil || string(out.Result) != "[1,1,11]" {
		t.Fatal(string(out.Result), out.Err, err)
	}
	if len(f.runs) != 3 || f.task("sleep").StateType != core.Completed || f.task("child").State.Details.ChildFlowRunID.IsZero() {
		t.Fatal(len(f.runs), f.task("sleep"), f.task("child"))
	}
}

func TestFanOutSharesCommitsAndSurvivesAnAbsentServer(t *testing.T) {
	f, e := setup()
	f.away = 2
	id := taskOf("id", func(_ context.Context, in any) (any, error) { return in, nil }, TaskOptions{})
	big := taskOf("big", func(context.Context, any) (any, error) { return strings.Repeat("x", InlineLimit), nil }, TaskOptions{})
	out, err := e.Run(t.Context(), flowOf(func(ctx context.Context) (any, error) {
		var fs []*Future
		for i := range 1000 {
			fs = append(fs, Submit(ctx, id, i))
		}
		for i, x := range fs {
			if v, err := x.Get(ctx); err != nil || string(v) != fmt.Sprint(i) {
				return nil, fmt.Errorf("%d: %s: %w", i, v, err)
			}
		}
		v, err := Call(ctx, big, 1)
		return len(v), err
	}, FlowOptions{}), nil)
	if err != nil || out.Err != nil || f.batches > 1000 || len(f.tasks) != 1001 || len(f.results) != 1 {
		t.Fatal(out, err, f.batches, len(f.tasks))
	}
}

func TestCancelEndsTheFlow(t *testing.T) {
	f, e := setup()
	started := make(chan core.UUID, 1)
	fl := flowOf(func(ctx context.Context) (any, error) {
		i, _ := Current(ctx)
		started <- i.FlowRun.ID
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}, FlowOptions{})
	go func() {
		_, _ = f.SetFlowRunState(context.Background(), <-started, core.StateCreate{Type: core.Cancelling}, false)
	}()
	out, err := e.Run(t.Context(), fl, nil)
	if err != nil || out.State.Type != core.Cancelled || !errors.Is(out.Err, ErrCancelled) {
		t.Fatal(out, err)
	}
}

func TestPauseTakesTheAnswer(t *testing.T) {
	f, e := setup()
	fl := flowOf(func(ctx context.Context) (any, error) { return Pause(ctx, Ask{Schema: core.JSON(`{}`)}) }, FlowOptions{})
	rec, _ := e.Create(t.Context(), fl, nil)
	go func() {
		r, _ := f.FlowRun(context.Background(), rec.ID)
		for r.StateType != core.Paused {
			r, _ = f.WaitFlowRun(context.Background(), rec.ID, r.StateID, 30)
		}
		_ = f.CreateFlowRunInput(context.Background(), rec.ID, r.State.Details.RunInputKeyset["response"], `{"ok":true}`, "")
		_, _ = f.SetFlowRunState(context.Background(), rec.ID, core.StateCreate{Type: core.Running}, false)
	}()
	out, err := e.Execute(t.Context(), fl, rec.ID)
	if err != nil || string(out.Result) != `{"ok":true}` {
		t.Fatal(string(out.Result), out.Err, err)
	}
}
