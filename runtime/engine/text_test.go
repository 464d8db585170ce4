package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// TestFailureWithNUL: a task whose error holds a NUL character takes none of
// its neighbors with it, the flow gets its own error and not one of the
// database, and results come back as they were, on both engines.
func TestFailureWithNUL(t *testing.T) {
	const text = "boom\x00\xff"
	deep := strings.Repeat("[", core.MaxDepth+10) + strings.Repeat("]", core.MaxDepth+10)
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			b := newBenchOn(t, e.URL(t))
			good := taskOf("good", func(_ context.Context, in any) (any, error) { return in, nil }, TaskOptions{})
			bad := taskOf("bad", func(context.Context, any) (any, error) { return nil, errors.New(text) }, TaskOptions{})
			f := flowOf(func(ctx context.Context) (any, error) {
				all := []*Future{Submit(ctx, bad, 0)}
				values := []any{1, "a", "nul\x00", json.RawMessage(`"\ud800"`), json.RawMessage(deep)}
				for _, v := range values {
					all = append(all, Submit(ctx, good, v))
				}
				for i, v := range values {
					got, err := all[i+1].Get(ctx)
					if want, _ := json.Marshal(v); err != nil || string(got) != string(want) {
						t.Errorf("result %d: %.40s %v", i, got, err)
					}
				}
				named := taskOf("named", func(_ context.Context, in any) (any, error) { return in, nil }, TaskOptions{Key: strings.Repeat("k", core.MaxTaskDynamicKey.Bytes+1)})
				if _, err := Call(ctx, named, 1); err == nil || !strings.Contains(err.Error(), "dynamic_key of a task run may have at most "+strconv.Itoa(core.MaxTaskDynamicKey.Bytes)) {
					t.Error("a key that is too long:", err)
				}
				_, err := all[0].Get(ctx)
				if err == nil || err.Error() != text {
					t.Errorf("the task's error: %q", err)
				}
				return nil, err
			}, FlowOptions{})
			b.order(f)
			ctx, _, id := b.next()
			if _, err := b.e.Execute(ctx, f, id); err != nil {
				t.Error(err)
			}
			run := b.run(id)
			if run.StateType != core.Failed || !strings.Contains(core.Deref(run.State.Message), "boom\uFFFD") {
				t.Errorf("%s %q", run.StateType, core.Deref(run.State.Message))
			}
			tasks, err := b.svc.TaskRunsOf(ctx, id, core.UUID{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			states := map[core.StateType]int{}
			for _, task := range tasks {
				states[task.StateType]++
			}
			if states[core.Completed] != 5 || states[core.Failed] != 1 || len(tasks) != 6 {
				t.Errorf("task runs: %v", states)
			}
		})
	}
}
