package flowtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/flowtest"
)

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

// exported is what flow-run export writes of a run of flowtest.
func exported(t *testing.T, r *flowtest.Result, change func(*core.RunExport)) string {
	t.Helper()
	x := core.RunExport{FlowRun: r.Run, TaskRuns: r.TaskRuns, Inputs: r.Inputs()}
	if change != nil {
		change(&x)
	}
	file := filepath.Join(t.TempDir(), "run.json")
	b, err := json.Marshal(x)
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// wide is shop with a pause, a step, a sleep and a subflow, in a version of the code.
func wide(charge func(ctx context.Context, o order) error, done *int) *flowlite.Flow[order, string] {
	sub := flowlite.NewFlow("sub", func(_ context.Context, o order) (string, error) { *done++; return o.ID, nil })
	return flowlite.NewFlow("wide", func(ctx context.Context, o order) (string, error) {
		if err := charge(ctx, o); err != nil {
			return "", err
		}
		if err := flowlite.Sleep(ctx, time.Hour); err != nil {
			return "", err
		}
		a, err := flowlite.Pause[answer](ctx, flowlite.Ask{})
		if err != nil {
			return "", err
		}
		id, err := sub.Run(ctx, o)
		if err != nil {
			return "", err
		}
		return flowlite.Step(ctx, "mail", func(context.Context) (string, error) { *done++; return a.Name + id, nil })
	})
}

func TestReplay(t *testing.T) {
	done := 0
	task := func(name string) *flowlite.Task[order, int] {
		return flowlite.NewTask(name, func(context.Context, order) (int, error) { done++; return 1, nil })
	}
	first := func(ctx context.Context, o order) error { _, err := task("charge").Run(ctx, o); return err }
	r := flowtest.Run(t, wide(first, &done), order{"7", 5}, flowtest.Answer(answer{"ada"}))
	if r.State != "Completed" || done != 3 {
		t.Fatal(r.State, r.Message, done)
	}
	type grown struct {
		order
		Coupon string `json:"coupon"`
	}
	for _, c := range []struct {
		name   string
		code   func(ctx context.Context, o order) error
		change func(*core.RunExport)
		want   []string
	}{
		{name: "same code", code: first},
		{name: "renamed", code: func(ctx context.Context, o order) error {
			_, err := task("pay").With(flowlite.Renamed("charge")).Run(ctx, o)
			return err
		}},
		{name: "grown input", code: func(ctx context.Context, o order) error {
			_, err := flowlite.NewTask("charge", func(context.Context, grown) (int, error) { done++; return 1, nil }).Run(ctx, grown{order: o})
			return err
		}},
		{name: "another name", code: func(ctx context.Context, o order) error { _, err := task("pay").Run(ctx, o); return err },
			want: []string{`today's code calls pay({"id":"7","cents":5})`, `does not call charge({"id":"7","cents":5})`}},
		{name: "call gone", code: func(context.Context, order) error { return nil }, want: []string{`today's code does not call charge({"id":"7","cents":5})`}},
		{name: "another value", code: func(ctx context.Context, o order) error {
			_, err := flowlite.NewTask("charge", func(context.Context, grown) (int, error) { done++; return 1, nil }).Run(ctx, grown{o, "x"})
			return err
		}, want: []string{"would hold the run", "code no longer matches what was done"}},
		{name: "new call in the middle", code: func(ctx context.Context, o order) error {
			_, err := flowlite.Step(ctx, "audit", func(context.Context) (int, error) { done++; return 1, nil })
			return errors.Join(err, first(ctx, o))
		}, want: []string{"today's code calls audit (0)"}},
		{name: "run under way", code: first, change: func(x *core.RunExport) {
			x.FlowRun.StateType = core.Running
			x.TaskRuns = x.TaskRuns[:2]
			x.Inputs = nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			done = 0
			tb := &recorder{TB: t}
			flowtest.Replay(tb, wide(c.code, &done), exported(t, r, c.change))
			said := strings.Join(tb.said, "\n")
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("it does not say %q but %q", part, said)
				}
			}
			if c.want == nil && said != "" || done != 0 && c.name != "run under way" {
				t.Error(said, done)
			}
		})
	}
}
