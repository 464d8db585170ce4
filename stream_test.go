package flowlite_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/engine"
)

func (v *versions) entries(key string, from int64) []string {
	v.t.Helper()
	var out []string
	for {
		page, err := v.svc.StreamEntries(v.t.Context(), v.id, key, from, 0)
		if err != nil {
			v.t.Fatal(err)
		}
		for _, e := range page.Entries {
			if e.Number != from {
				v.t.Fatalf("entry %d comes where %d was expected", e.Number, from)
			}
			out = append(out, strings.Trim(string(e.Value), `"`))
			from++
		}
		if len(page.Entries) == 0 {
			return out
		}
	}
}

// Processes are killed between appends of the flow and within a task; the next
// ones append what is missing.
func TestReplayAppendsNothingTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process := 0
		code := func(ctx context.Context) (string, error) {
			process++
			out := flowlite.Stream[string](ctx, "out")
			if err := out.Append("a"); err != nil {
				return "", err
			}
			tell := flowlite.NewTask("tell", func(ctx context.Context, what string) (string, error) {
				w := flowlite.Stream[string](ctx, "out")
				for n := range 3 {
					if err := w.Append(fmt.Sprint(what, n)); err != nil {
						return "", err
					}
					if n == 1 && process == 1 {
						return v.kill(ctx)
					}
				}
				return "", nil
			})
			for _, what := range []string{"x", "y"} {
				if _, err := tell.Run(ctx, what); err != nil {
					return "", err
				}
				if process == 2 {
					return v.kill(ctx)
				}
			}
			return "", out.Append("z")
		}
		v.killed(code)
		v.killed(code)
		if _, err := v.finished(code); err != nil {
			t.Fatal(err)
		}
		if got := v.entries("out", 1); !slices.Equal(got, []string{"a", "x0", "x1", "x2", "y0", "y1", "y2", "z"}) {
			t.Fatal(got)
		}
		if got := v.entries("out", 6); !slices.Equal(got, []string{"y1", "y2", "z"}) {
			t.Fatal(got)
		}
	})
}

// Context makes versions a flowlite.Runner.
func (v *versions) Context(ctx context.Context) context.Context {
	return engine.With(ctx, func() (*engine.Engine, error) { return v.e, nil })
}

// Tasks that append at once get numbers without gaps, and a reader sees all,
// from whatever number on, until the run ends.
func TestFollowedStream(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		const tasks, each = 8, 60
		var readers sync.WaitGroup
		for _, from := range []int64{1, 100} {
			readers.Go(func() {
				next := from
				for e, err := range flowlite.Follow[int](t.Context(), v, v.id.String(), "numbers", from) {
					if err != nil || e.Number != next || e.Created.IsZero() {
						t.Error(e, err)
						return
					}
					next++
				}
				if next != tasks*each+1 {
					t.Error("the last entry is", next-1)
				}
			})
		}
		tell := flowlite.NewTask("tell", func(ctx context.Context, task int) (int, error) {
			for n := range each {
				if err := flowlite.Stream[int](ctx, "numbers").Append(task*each + n); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		_, err := v.finished(func(ctx context.Context) (string, error) {
			_, err := tell.Map(ctx, []int{0, 1, 2, 3, 4, 5, 6, 7})
			return "", err
		})
		if err != nil {
			t.Error(err)
		}
		readers.Wait()
	})
}

func TestBoundsOfStreams(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		errs := map[string]error{}
		_, err := v.finished(func(ctx context.Context) (string, error) {
			errs["at most 65536 are allowed"] = flowlite.Stream[string](ctx, "k").Append(strings.Repeat("x", 64<<10))
			errs["most 500 bytes"] = flowlite.Stream[int](ctx, strings.Repeat("k", 501)).Append(1)
			errs["must not be empty"] = flowlite.Stream[int](ctx, "").Append(1)
			errs["cannot be encoded as JSON"] = flowlite.Stream[func()](ctx, "k").Append(func() {})
			return "", flowlite.Stream[string](ctx, "k").Append(strings.Repeat("x", 64<<10-2))
		})
		if err != nil {
			t.Fatal(err)
		}
		errs["in a flow or a task"] = flowlite.Stream[int](t.Context(), "k").Append(1)
		for part, err := range errs {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%v does not say %q", err, part)
			}
		}
		if got := v.entries("k", 1); len(got) != 1 {
			t.Error(len(got), "entries are stored")
		}
		if err := v.svc.DeleteFlowRun(t.Context(), v.id); err != nil {
			t.Fatal(err)
		}
		if list, err := v.store.StreamEntries(t.Context(), v.id, "k", 1, 10); err != nil || len(list) != 0 {
			t.Fatal("entries outlive their run", list, err)
		}
	})
}
