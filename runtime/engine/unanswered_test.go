package engine

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

func onEngines(t *testing.T, test func(t *testing.T, b *bench)) {
	for _, on := range dbtest.Engines(t) {
		t.Run(on.Name, func(t *testing.T) { test(t, newBenchOn(t, on.URL(t))) })
	}
}

var form = core.JSON(`{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]}`)

func suspended(t *testing.T, out *Outcome, err error) {
	t.Helper()
	if err != nil || !errors.Is(out.Err, ErrSuspended) {
		t.Fatal(out, err)
	}
}

// A suspended run is woken at its time-out, sees it, and sees it again in
// every later process.
func TestSuspendedRunIsWokenAtItsTimeout(t *testing.T) {
	for name, schema := range map[string]core.JSON{"with a form": form, "without": nil} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, b *bench) {
				told := 0
				tell := counting("tell", &told)
				f := flowOf(func(ctx context.Context) (any, error) {
					_, err := Pause(ctx, Ask{Suspend: true, Schema: schema, Timeout: time.Hour})
					if !errors.Is(err, ErrUnanswered) {
						return nil, err
					}
					if _, err := Call(ctx, tell, 1); err != nil {
						return nil, err
					}
					return Pause(ctx, Ask{Suspend: true, Schema: form, Timeout: time.Hour})
				}, FlowOptions{})
				b.order(f)
				ctx, _, id := b.next()
				out, err := b.e.Execute(ctx, f, id)
				suspended(t, out, err)
				b.clock.ahead.Add(int64(2 * time.Hour))
				if n, err := b.svc.ExpirePauses(t.Context()); err != nil || n != 1 {
					t.Fatal(n, err)
				}
				if n, err := b.svc.ExpirePauses(t.Context()); err != nil || n != 0 {
					t.Fatal("woken twice:", n, err)
				}
				ctx, _, _ = b.next()
				out, err = b.e.Execute(ctx, f, id)
				suspended(t, out, err)
				if res, err := b.svc.ResumeFlowRun(t.Context(), id, core.JSON(`{"ok":true}`)); err != nil || res.Status != core.Accept {
					t.Fatal(res, err)
				}
				ctx, _, _ = b.next()
				out, err = b.e.Execute(ctx, f, id)
				if err != nil || out.Err != nil || string(out.Result) != `{"ok":true}` || told != 1 {
					t.Fatal(out, err, told)
				}
				if r := b.run(id); r.RunCount != 1 || r.StateType != core.Completed {
					t.Fatal(r.RunCount, r.StateName)
				}
			})
		})
	}
}

// An answer that comes after the time-out, but before the run was woken, counts.
func TestLateAnswerCounts(t *testing.T) {
	onEngines(t, func(t *testing.T, b *bench) {
		f := flowOf(func(ctx context.Context) (any, error) {
			return Pause(ctx, Ask{Suspend: true, Schema: form, Timeout: time.Hour})
		}, FlowOptions{})
		b.order(f)
		ctx, _, id := b.next()
		out, err := b.e.Execute(ctx, f, id)
		suspended(t, out, err)
		b.clock.ahead.Add(int64(2 * time.Hour))
		if res, err := b.svc.ResumeFlowRun(t.Context(), id, core.JSON(`{"ok":false}`)); err != nil || res.Status != core.Accept {
			t.Fatal(res, err)
		}
		ctx, _, _ = b.next()
		if out, err = b.e.Execute(ctx, f, id); err != nil || string(out.Result) != `{"ok":false}` {
			t.Fatal(out, err)
		}
	})
}

// The run of a pause that holds its process stays, and so do effects after the time-out.
func TestPauseThatTimesOutStaysRunning(t *testing.T) {
	onEngines(t, func(t *testing.T, b *bench) {
		told := 0
		tell := counting("tell", &told)
		var state string
		f := flowOf(func(ctx context.Context) (any, error) {
			_, err := Pause(ctx, Ask{Schema: form, Timeout: 10 * time.Millisecond})
			i, _ := Current(ctx)
			state = b.run(i.FlowRun.ID).StateName
			if !errors.Is(err, ErrUnanswered) || !errors.Is(err, ErrTimedOut) {
				return nil, err
			}
			return Call(ctx, tell, 1)
		}, FlowOptions{})
		b.order(f)
		ctx, _, id := b.next()
		out, err := b.e.Execute(ctx, f, id)
		if err != nil || out.Err != nil || told != 1 || state != "Running" || b.run(id).StateType != core.Completed {
			t.Fatal(out, err, told, state)
		}
	})
}

// Cancelling a run without a process wakes it once, for its clean-up and hooks.
func TestCancelOfARunWithoutProcessWakesIt(t *testing.T) {
	for name, wait := range map[string]func(context.Context, *bench) error{
		"suspended": func(ctx context.Context, b *bench) error {
			_, err := Pause(ctx, Ask{Suspend: true, Schema: form})
			return err
		},
		"resumed": func(ctx context.Context, b *bench) error {
			if _, err := Pause(ctx, Ask{Suspend: true}); err != nil {
				return err
			}
			_, err := Call(ctx, counting("more", new(int)), 1)
			return err
		},
		"suspended by a person": func(ctx context.Context, b *bench) error {
			i, _ := Current(ctx)
			if i.FlowRun.EmpiricalPolicy.CancelAt == nil {
				if _, err := b.svc.SuspendFlowRun(ctx, i.FlowRun.ID); err != nil {
					return err
				}
				<-ctx.Done()
				return context.Cause(ctx)
			}
			_, err := Call(ctx, counting("more", new(int)), 1)
			return err
		},
		"sleeping": func(ctx context.Context, b *bench) error { return Sleep(ctx, 2*time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, b *bench) {
				done, undone := 0, 0
				do, undo := counting("do", &done), counting("undo", &undone)
				var saw []error
				hooked := 0
				f := flowOf(func(ctx context.Context) (any, error) {
					defer func(ctx context.Context) {
						if ctx.Err() == nil {
							_, err := Call(ctx, undo, 1)
							saw = append(saw, err)
						}
					}(Cleanup(ctx))
					if _, err := Call(ctx, do, 1); err != nil {
						return nil, err
					}
					err := wait(ctx, b)
					saw = append(saw, err)
					return nil, err
				}, FlowOptions{Hooks: Hooks{Cancelled: []Hook{func(context.Context, *core.FlowRun, *core.State) { hooked++ }}}})
				b.order(f)
				ctx, _, id := b.next()
				out, err := b.e.Execute(ctx, f, id)
				suspended(t, out, err)
				if undone != 0 {
					t.Fatal("undone while the run is suspended")
				}
				if name == "resumed" {
					if res, err := b.svc.ResumeFlowRun(t.Context(), id, nil); err != nil || res.Status != core.Accept {
						t.Fatal(res, err)
					}
				}
				if _, err := b.svc.CancelFlowRun(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				ctx, _, _ = b.next()
				out, err = b.e.Execute(ctx, f, id)
				if err != nil || !errors.Is(out.Err, ErrCancelled) || b.run(id).StateType != core.Cancelled {
					t.Fatal(out, err, b.run(id).StateName)
				}
				if !slices.Equal(saw[1:], []error{ErrCancelled, nil}) || done != 1 || undone != 1 || hooked != 1 {
					t.Fatal(saw, done, undone, hooked)
				}
			})
		})
	}
}

// Whoever cannot wait for a worker cancels twice.
func TestSecondCancelEndsWithoutCleanup(t *testing.T) {
	onEngines(t, func(t *testing.T, b *bench) {
		f := flowOf(func(ctx context.Context) (any, error) { return Pause(ctx, Ask{Suspend: true}) }, FlowOptions{})
		b.order(f)
		ctx, _, id := b.next()
		out, err := b.e.Execute(ctx, f, id)
		suspended(t, out, err)
		for _, want := range []core.StateType{core.Scheduled, core.Cancelled} {
			if _, err := b.svc.CancelFlowRun(t.Context(), id); err != nil || b.run(id).StateType != want {
				t.Fatal(b.run(id).StateName, err)
			}
		}
	})
}

// A client that got no answer sends the same request again, which is no second cancel.
func TestRepeatedCancelIsOne(t *testing.T) {
	onEngines(t, func(t *testing.T, b *bench) {
		f := flowOf(func(ctx context.Context) (any, error) { return Pause(ctx, Ask{Suspend: true}) }, FlowOptions{})
		b.order(f)
		ctx, _, id := b.next()
		out, err := b.e.Execute(ctx, f, id)
		suspended(t, out, err)
		request := core.NewID()
		cancel := func(want core.StateType) {
			t.Helper()
			if _, err := b.svc.CancelFlowRunBy(t.Context(), id, request); err != nil || b.run(id).StateType != want {
				t.Fatal(b.run(id).StateName, err)
			}
		}
		cancel(core.Scheduled)
		cancel(core.Scheduled)
		b.next()
		cancel(core.Pending)
		request = core.NewID()
		cancel(core.Cancelling)
	})
}

// A pause that is answered in its process goes on with the same attempt: the
// flow's retries are left, and what failed before the pause is replayed.
func TestAnsweredPauseIsNoAttempt(t *testing.T) {
	onEngines(t, func(t *testing.T, b *bench) {
		attempts := 0
		f := flowOf(func(ctx context.Context) (any, error) {
			attempts++
			for n := range 2 {
				if _, err := Pause(ctx, Ask{Key: strconv.Itoa(n)}); err != nil {
					return nil, err
				}
				if i, _ := Current(ctx); b.run(i.FlowRun.ID).RunCount != int64(attempts) {
					t.Error("run count", b.run(i.FlowRun.ID).RunCount, "in attempt", attempts)
				}
			}
			if attempts < 3 {
				return nil, errors.New("failed")
			}
			return nil, nil
		}, FlowOptions{Retry: Retry{Max: 2}})
		b.order(f)
		ctx, _, id := b.next()
		answering, stop := context.WithCancel(t.Context())
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			run, err := b.svc.FlowRun(answering, id)
			for err == nil && !run.StateType.Final() {
				if run.StateType == core.Paused {
					_, err = b.svc.ResumeFlowRun(answering, id, nil)
					if err != nil {
						t.Error(err)
					}
				}
				run, err = b.svc.WaitFlowRun(answering, id, run.StateID, 30)
			}
		}()
		out, err := b.e.Execute(ctx, f, id)
		if err != nil || out.Err != nil || attempts != 3 || b.run(id).RunCount != 3 {
			t.Error(out, err, attempts, b.run(id).RunCount)
		}
		stop()
		<-answered
	})
}

// A retry asks again: what nobody answered before says nothing of this attempt.
func TestRetryAsksAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, b *bench) {
		f := flowOf(func(ctx context.Context) (any, error) {
			timeout := time.Millisecond
			if i, _ := Current(ctx); i.Attempt > 1 {
				timeout = time.Hour
			}
			return Pause(ctx, Ask{Timeout: timeout})
		}, FlowOptions{Retry: Retry{Max: 2}})
		b.order(f)
		ctx, _, id := b.next()
		resumed := make(chan error, 1)
		go func() {
			run, err := b.svc.FlowRun(ctx, id)
			for err == nil && (run.StateType != core.Paused || run.State.Details.PauseTimeout.Sub(core.Now()) < time.Minute) {
				run, err = b.svc.WaitFlowRun(ctx, id, run.StateID, 30)
			}
			if err == nil {
				_, err = b.svc.ResumeFlowRun(ctx, id, nil)
			}
			resumed <- err
		}()
		out, err := b.e.Execute(ctx, f, id)
		if err != nil || out.Err != nil || <-resumed != nil {
			t.Fatal(out, err)
		}
	})
}

func TestCleanupContext(t *testing.T) {
	for cause, lives := range map[error]bool{
		ErrCancelled: true, ErrTimedOut: true, context.Canceled: true, ErrStopped: false, ErrSuspended: false, ErrLeaseLost: false,
	} {
		parent, end := context.WithCancelCause(t.Context())
		c := Cleanup(parent)
		derived, stop := context.WithTimeout(c, time.Hour)
		end(cause)
		if (c.Err() == nil) != lives {
			t.Error(cause, c.Err())
		}
		select {
		case <-c.Done():
			if lives || !errors.Is(context.Cause(c), cause) {
				t.Error(cause, context.Cause(c))
			}
			<-derived.Done()
		default:
			if !lives {
				t.Error(cause, "is not done")
			}
		}
		stop()
	}
}
