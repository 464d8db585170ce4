package flowlite_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// saga books three things and undoes what it booked if the end fails.
func (v *versions) saga(end func(ctx context.Context) error, undo func(ctx context.Context, what string) error, opts ...flowlite.FlowOption) *engine.Flow {
	return engine.FlowOf(flowlite.NewFlow("shop", func(ctx context.Context, _ struct{}) (string, error) {
		for _, what := range []string{"a", "b", "c"} {
			err := flowlite.Compensate(ctx, what, func(ctx context.Context) error { return undo(ctx, what) }, flowlite.Retries(1))
			if err != nil {
				return "", err
			}
			if _, err := effect[string](v, "book").Run(ctx, what); err != nil {
				return "", err
			}
		}
		return "", end(ctx)
	}, opts...))
}

func (v *versions) undo(_ context.Context, what string) error {
	v.effects = append(v.effects, "undo "+what)
	return nil
}

var booked = []string{`book "a"`, `book "b"`, `book "c"`}

// executed runs the flow in the process of a new claim.
func (v *versions) executed(f *engine.Flow) (*engine.Outcome, error) {
	v.t.Helper()
	return v.e.Execute(v.claimed(), f, v.id)
}

func (v *versions) state() *core.FlowRun {
	v.t.Helper()
	run, err := v.svc.FlowRun(v.t.Context(), v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	return run
}

func TestUndosRunInReverseWhenTheFlowFails(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		out, err := v.executed(v.saga(func(context.Context) error { return errors.New("no courier") }, v.undo))
		if err != nil || out.Err == nil || out.Err.Error() != "no courier" {
			t.Fatal(out, err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo a")...)
		if s := v.state(); s.StateName != "Failed" || core.Deref(s.State.Message) != "no courier; undone: c, b, a" {
			t.Fatal(s.StateName, core.Deref(s.State.Message))
		}
	})
}

func TestCompletedFlowDropsItsUndos(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		if out, err := v.executed(v.saga(func(context.Context) error { return nil }, v.undo)); err != nil || out.Err != nil {
			t.Fatal(out, err)
		}
		v.did(booked...)
	})
}

func TestUndoThatFailsForGoodIsToldAndTheOthersRun(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		_, err := v.executed(v.saga(func(context.Context) error { return errors.New("no courier") }, func(ctx context.Context, what string) error {
			_ = v.undo(ctx, what)
			if what == "b" {
				return errors.New("the bank is closed")
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo b", "undo a")...)
		s := v.state()
		if m := core.Deref(s.State.Message); s.StateType != core.Failed || s.StateName != "UndoFailed" ||
			m != "no courier; undone: c, a; not undone: b (the bank is closed)" {
			t.Fatal(s.StateName, m)
		}
	})
}

// Each process is killed in an undo; the next one goes on with it.
func TestKilledUndosGoOnInTheNextProcess(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		kills := map[string]bool{}
		ends := 0
		f := func() *engine.Flow {
			return v.saga(func(ctx context.Context) error {
				if ends++; ends > 1 { // another end than the first time
					_, err := effect[string](v, "never").Run(ctx, "x")
					return err
				}
				return errors.New("no courier")
			}, func(ctx context.Context, what string) error {
				_ = v.undo(ctx, what)
				if what != "c" && !kills[what] {
					kills[what] = true
					_, err := v.kill(ctx)
					return err
				}
				return nil
			})
		}
		for range 2 {
			if _, err := v.executed(f()); !errors.Is(err, flowlite.ErrLeaseLost) {
				t.Fatal(err)
			}
			if s := v.state(); s.StateName != "Resuming" {
				t.Fatal(s.StateName)
			}
		}
		out, err := v.executed(f())
		if err != nil || out.Err == nil || !strings.HasPrefix(out.Err.Error(), "no courier") {
			t.Fatal(out, err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo b", "undo a", "undo a")...)
		if s := v.state(); s.StateName != "Failed" || core.Deref(s.State.Message) != "no courier; undone: c, b, a" {
			t.Fatal(s.StateName, core.Deref(s.State.Message))
		}
	})
}

func TestUndosWaitForTheLastAttempt(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		attempts := 0
		_, err := v.executed(v.saga(func(context.Context) error {
			attempts++
			return errors.New("no courier")
		}, v.undo, flowlite.Retries(2, 0)))
		if err != nil || attempts != 3 {
			t.Fatal(attempts, err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo a")...)
	})
}

func TestPermanentFailureIsTheLastAttempt(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		killed := false
		f := func() *engine.Flow {
			return v.saga(func(context.Context) error { return flowlite.Permanent(errors.New("no courier")) }, func(ctx context.Context, what string) error {
				_ = v.undo(ctx, what)
				if what == "b" && !killed {
					killed = true
					_, err := v.kill(ctx)
					return err
				}
				return nil
			}, flowlite.Retries(2, 0))
		}
		if _, err := v.executed(f()); !errors.Is(err, flowlite.ErrLeaseLost) {
			t.Fatal(err)
		}
		if _, err := v.executed(f()); err != nil {
			t.Fatal(err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo b", "undo a")...)
		if s := v.state(); s.StateName != "Failed" {
			t.Fatal(s.StateName)
		}
	})
}

func TestUndosOfATimeOut(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		_, err := v.executed(v.saga(func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, v.undo, flowlite.Timeout(time.Second)))
		if err != nil {
			t.Fatal(err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo a")...)
		if s := v.state(); s.StateName != "TimedOut" || !strings.HasSuffix(core.Deref(s.State.Message), "; undone: c, b, a") {
			t.Fatal(s.StateName, core.Deref(s.State.Message))
		}
	})
}

func (v *versions) cancel() {
	v.t.Helper()
	if _, err := v.svc.SetFlowRunState(v.t.Context(), v.id, core.StateCreate{Type: core.Cancelling}, false); err != nil {
		v.t.Error(err)
	}
}

// A run is cancelled and its process is killed before or during its undos.
func TestUndosOfACancelledRunThatIsKilled(t *testing.T) {
	for _, at := range []string{"end", "b", "a", "nowhere"} {
		t.Run(at, func(t *testing.T) {
			onEngines(t, func(t *testing.T, v *versions) {
				killed := false
				f := func() *engine.Flow {
					return v.saga(func(ctx context.Context) error {
						if !killed {
							v.cancel()
						}
						if at == "end" && !killed {
							killed = true
							_, err := v.kill(ctx)
							return err
						}
						_, err := flowlite.Step(ctx, "hang", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, context.Cause(ctx) })
						return err
					}, func(ctx context.Context, what string) error {
						_ = v.undo(ctx, what)
						if what == at && !killed {
							killed = true
							_, err := v.kill(ctx)
							return err
						}
						return nil
					})
				}
				_, err := v.executed(f())
				if (at == "nowhere") != (err == nil) {
					t.Fatal(err)
				}
				if at != "nowhere" {
					if s := v.state(); s.StateName != "Resuming" || s.EmpiricalPolicy.CancelAt == nil {
						t.Fatal(s.StateName, core.Deref(s.State.Message))
					}
					if _, err := v.executed(f()); err != nil {
						t.Fatal(err)
					}
				}
				want := append(slices.Clone(booked), "undo c", "undo b", "undo a")
				if i := slices.Index(want, "undo "+at); i > 0 {
					want = slices.Insert(want, i, "undo "+at)
				}
				v.did(want...)
				if s := v.state(); s.StateName != "Cancelled" || !strings.HasSuffix(core.Deref(s.State.Message), "; undone: c, b, a") {
					t.Fatal(s.StateName, core.Deref(s.State.Message))
				}
			})
		})
	}
}

func TestStoppedRunUndoesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		stop := func(ctx context.Context) error {
			v.die(flowlite.ErrStopped)
			return context.Cause(ctx)
		}
		if _, err := v.executed(v.saga(stop, v.undo)); err != nil {
			t.Fatal(err)
		}
		v.did(booked...)
	})
}

// What was undone is done again, under another idempotency key.
func TestRetryOfAnUndoneRunStartsAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		keys := map[string]bool{}
		attempt := 0
		charge := flowlite.NewTask("charge", func(ctx context.Context, _ int) (int, error) {
			keys[flowlite.Current(ctx).IdempotencyKey()] = true
			return 1, nil
		})
		shop := engine.FlowOf(flowlite.NewFlow("shop", func(ctx context.Context, _ struct{}) (string, error) {
			if err := flowlite.Compensate(ctx, "charge", func(ctx context.Context) error { return v.undo(ctx, "charge") }); err != nil {
				return "", err
			}
			_, err := charge.Run(ctx, 1)
			if attempt++; attempt < 3 {
				err = errors.New("no courier")
			}
			return "", err
		}))
		for n := range 3 {
			if n > 0 {
				if res, err := v.svc.RetryFlowRun(t.Context(), v.id, false); err != nil || res.Status != core.Accept {
					t.Fatal(res, err)
				}
			}
			if _, err := v.executed(shop); err != nil {
				t.Fatal(err)
			}
		}
		v.did("undo charge", "undo charge")
		if s := v.state(); s.StateName != "Completed" || len(keys) != 3 {
			t.Fatal(s.StateName, keys)
		}
	})
}

// A run that crashed during its undos goes on with them when it is retried.
func TestRetryOfACrashedRunGoesOnWithItsUndos(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		killed := false
		f := func() *engine.Flow {
			return v.saga(func(context.Context) error { return errors.New("no courier") }, func(ctx context.Context, what string) error {
				_ = v.undo(ctx, what)
				if what == "b" && !killed {
					killed = true
					if _, err := v.svc.ReportCrash(v.ctx, v.id, "out of memory", false); err != nil {
						t.Error(err)
					}
					v.cut(flowlite.ErrLeaseLost)
					return context.Cause(ctx)
				}
				return nil
			})
		}
		if _, err := v.executed(f()); !errors.Is(err, flowlite.ErrLeaseLost) {
			t.Fatal(err)
		}
		if s := v.state(); s.StateName != "Crashed" {
			t.Fatal(s.StateName)
		}
		if res, err := v.svc.RetryFlowRun(t.Context(), v.id, false); err != nil || res.Status != core.Accept {
			t.Fatal(res, err)
		}
		if _, err := v.executed(f()); err != nil {
			t.Fatal(err)
		}
		v.did(append(slices.Clone(booked), "undo c", "undo b", "undo b", "undo a")...)
		if s := v.state(); s.StateName != "Failed" || core.Deref(s.State.Message) != "no courier; undone: c, b, a" {
			t.Fatal(s.StateName, core.Deref(s.State.Message))
		}
	})
}

// Code that no longer registers an undo leaves something behind, and says so.
func TestUndoThatTodaysCodeDoesNotRegister(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		old := v.saga(func(ctx context.Context) error { _, err := v.kill(ctx); return err }, v.undo)
		if _, err := v.executed(old); !errors.Is(err, flowlite.ErrLeaseLost) {
			t.Fatal(err)
		}
		today := flowlite.NewFlow("shop", func(context.Context, struct{}) (string, error) { return "", errors.New("closed") })
		if _, err := v.executed(engine.FlowOf(today)); err != nil {
			t.Fatal(err)
		}
		s := v.state()
		if m := core.Deref(s.State.Message); s.StateName != "UndoFailed" || !strings.Contains(m, "not undone: c (today's code") {
			t.Fatal(s.StateName, m)
		}
	})
}

// A subflow undoes what it did when it fails, and its parent what itself did.
func TestUndosOfASubflow(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		killed := false
		register := func(ctx context.Context, what string) error {
			return flowlite.Compensate(ctx, what, func(ctx context.Context) error {
				_ = v.undo(ctx, what)
				if what == "inner" && !killed {
					killed = true
					_, err := v.kill(ctx)
					return err
				}
				return nil
			})
		}
		inner := flowlite.NewFlow("inner", func(ctx context.Context, _ struct{}) (string, error) {
			return "", errors.Join(register(ctx, "inner"), register(ctx, "innermost"), errors.New("inner failed"))
		})
		outer := func() *engine.Flow {
			return engine.FlowOf(flowlite.NewFlow("shop", func(ctx context.Context, _ struct{}) (string, error) {
				if err := register(ctx, "outer"); err != nil {
					return "", err
				}
				return inner.Run(ctx, struct{}{})
			}))
		}
		if _, err := v.executed(outer()); !errors.Is(err, flowlite.ErrLeaseLost) {
			t.Fatal(err)
		}
		if _, err := v.executed(outer()); err != nil {
			t.Fatal(err)
		}
		v.did("undo innermost", "undo inner", "undo inner", "undo outer")
		if s := v.state(); s.StateName != "Failed" || !strings.Contains(core.Deref(s.State.Message), "inner failed; undone: innermost, inner; undone: outer") {
			t.Fatal(s.StateName, core.Deref(s.State.Message))
		}
	})
}

func TestCompensateOutsideOfAFlow(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	if err := flowlite.Compensate(t.Context(), "x", nothing); err == nil {
		t.Fatal("accepted outside of a run")
	}
	onEngines(t, func(t *testing.T, v *versions) {
		_, err := v.finished(func(ctx context.Context) (string, error) {
			return flowlite.Step(ctx, "s", func(ctx context.Context) (string, error) { return "", flowlite.Compensate(ctx, "x", nothing) })
		})
		if err == nil || !strings.Contains(err.Error(), "not in a task") {
			t.Fatal(err)
		}
	})
}
