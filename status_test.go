package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

// status reads a status as anybody does.
func (v *versions) status(key string) string {
	v.t.Helper()
	got, err := flowlite.StatusOf[string](v.t.Context(), v, v.id.String(), key)
	if err != nil {
		v.t.Fatal(err)
	}
	return got
}

// Processes are killed behind later and later values. The ones that continue repeat
// the code, but no older value comes back, neither over one of the flow nor over one
// of a task that is not executed again.
func TestReplayBringsNoStatusBack(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process, want := 0, ""
		set := func(ctx context.Context, value string) error {
			if err := flowlite.SetStatus(ctx, "step", value); err != nil {
				return err
			}
			if got := v.status("step"); process > 1 && got < want {
				return fmt.Errorf("process %d set %q, and the status went from %q back to %q", process, value, want, got)
			}
			want = max(want, value)
			return nil
		}
		work := flowlite.NewTask("work", func(ctx context.Context, value string) (string, error) {
			return value, set(ctx, value)
		})
		code := func(ctx context.Context) (string, error) {
			process++
			for n, value := range []string{"a", "b", "c", "d", "e"} {
				err := set(ctx, value)
				if n%2 == 1 {
					_, err = work.Run(ctx, value+"-in-task")
				}
				if err != nil {
					return "", err
				}
				if process == n+1 {
					return v.kill(ctx)
				}
			}
			return "", set(ctx, "f")
		}
		for _, at := range []string{"a", "b-in-task", "c", "d-in-task", "e"} {
			if v.killed(code); v.status("step") != at {
				t.Fatal(v.status("step"), "and not", at)
			}
		}
		if _, err := v.finished(code); err != nil {
			t.Fatal(err)
		}
		if got := v.status("step"); got != "f" {
			t.Fatal(got)
		}
	})
}

// A retry of the run begins from the front, and its status says so.
func TestRetrySetsStatusAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		values := [][]string{{"c", "d"}, {"a"}}
		for attempt, list := range values {
			_, err := v.finished(func(ctx context.Context) (string, error) {
				for _, value := range list {
					if err := flowlite.SetStatus(ctx, "step", value); err != nil {
						return "", err
					}
				}
				return "", errors.New("fails")
			})
			if want := list[len(list)-1]; err == nil || v.status("step") != want {
				t.Fatalf("attempt %d ended with %v, and left %q and not %q", attempt+1, err, v.status("step"), want)
			}
			if _, err := v.svc.RetryFlowRun(t.Context(), v.id, attempt > 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := v.finished(func(ctx context.Context) (string, error) { return "", flowlite.SetStatus(ctx, "step", "0") }); err != nil {
			t.Fatal(err)
		}
		if got := v.status("step"); got != "0" {
			t.Fatal("after a retry without results:", got)
		}
	})
}

func TestStatuses(t *testing.T) {
	type progress struct{ Done, Of int }
	f := flowlite.NewFlow("told", func(ctx context.Context, _ struct{}) (bool, error) {
		for n := range 3 {
			if err := flowlite.SetStatus(ctx, "progress", progress{n + 1, 3}); err != nil {
				return false, err
			}
		}
		if err := flowlite.SetStatus(ctx, "phase", "waits"); err != nil {
			return false, err
		}
		_, err := flowlite.Receive[bool](ctx, "go", 0)
		return errors.Is(err, flowlite.ErrNoMessage), flowlite.SetStatus(ctx, "nothing", nil)
	})
	places(t, func(t *testing.T, on flowlite.Runner, _ *client.Client) {
		ctx := t.Context()
		r, err := f.Start(ctx, on, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Get(ctx); err != nil {
			t.Fatal(err)
		}
		if p, err := flowlite.StatusOf[progress](ctx, on, r.ID(), "progress"); err != nil || p != (progress{3, 3}) {
			t.Error(p, err)
		}
		var phase string
		if err := r.StatusOf(ctx, "phase", &phase); err != nil || phase != "waits" {
			t.Error(phase, err)
		}
		if p, err := flowlite.StatusOf[*int](ctx, on, r.ID(), "nothing"); err != nil || p != nil {
			t.Error(p, err)
		}
		for part, call := range map[string]func() (any, error){
			"no status other": func() (any, error) { return flowlite.StatusOf[int](ctx, on, r.ID(), "other") },
			"not found":       func() (any, error) { return flowlite.StatusOf[int](ctx, on, core.NewID().String(), "phase") },
		} {
			if _, err := call(); !errors.Is(err, flowlite.ErrNotFound) || !strings.Contains(strings.ToLower(err.Error()), part) {
				t.Errorf("%v is not ErrNotFound, or does not say %q", err, part)
			}
		}
		if _, err := flowlite.StatusOf[int](ctx, on, "x", "phase"); !errors.Is(err, flowlite.ErrInvalid) {
			t.Error(err)
		}
		if _, err := flowlite.StatusOf[int](ctx, on, r.ID(), "phase"); err == nil || !strings.Contains(err.Error(), "does not fit *int") {
			t.Error(err)
		}
	}, f)
}

func TestBoundsOfStatuses(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		errs := map[string]error{}
		_, err := v.finished(func(ctx context.Context) (string, error) {
			errs["at most 65536 are allowed"] = flowlite.SetStatus(ctx, "k", strings.Repeat("x", 64<<10))
			errs["most 500 bytes"] = flowlite.SetStatus(ctx, strings.Repeat("k", 501), 1)
			errs["consists of letters"] = flowlite.SetStatus(ctx, "no key", 1)
			errs["the key of a status"] = flowlite.SetStatus(ctx, "", 1)
			errs["cannot be encoded as JSON"] = flowlite.SetStatus(ctx, "k", func() {})
			for n := range core.MaxStatusKeys {
				if err := flowlite.SetStatus(ctx, fmt.Sprint("k", n), n); err != nil {
					return "", err
				}
			}
			errs["100 statuses"] = flowlite.SetStatus(ctx, "k100", 1)
			return "", flowlite.SetStatus(ctx, "k0", strings.Repeat("x", 64<<10-2))
		})
		if err != nil {
			t.Fatal(err)
		}
		for part, err := range errs {
			if !errors.Is(err, flowlite.ErrInvalid) || !strings.Contains(err.Error(), part) {
				t.Errorf("%v is not ErrInvalid, or does not say %q", err, part)
			}
		}
		if err := flowlite.SetStatus(t.Context(), "k", 1); err == nil || !strings.Contains(err.Error(), "in a flow or a task") {
			t.Error(err)
		}
		if err := v.svc.DeleteFlowRun(t.Context(), v.id); err != nil {
			t.Fatal(err)
		}
		if n, err := v.store.CountFlowRunStatuses(t.Context(), v.id); err != nil || n != 0 {
			t.Fatal("statuses outlive their run", n, err)
		}
	})
}
