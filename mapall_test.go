package flowlite_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestMapAllRunsEveryItem(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		divide := flowlite.NewTask("divide", func(_ context.Context, n int) (int, error) {
			if n%3 == 0 {
				return 0, errors.New("no divisor")
			}
			return 12 / n, nil
		})
		got, err := v.finished(func(ctx context.Context) (string, error) {
			all, err := divide.MapAll(ctx, []int{0, 1, 2, 3, 4})
			if err != nil {
				return "", err
			}
			var told []string
			for _, o := range all {
				if (o.Err != nil) != (o.In%3 == 0) || o.Err == nil && o.Out != 12/o.In {
					t.Errorf("%+v", o)
				}
				if o.Err != nil {
					told = append(told, o.Err.Error())
				}
			}
			return strings.Join(told, ","), nil
		})
		if err != nil || got != "no divisor,no divisor" {
			t.Fatal(got, err)
		}
		tasks, err := v.svc.TaskRunsOf(t.Context(), v.id, core.UUID{}, 10)
		if err != nil || len(tasks) != 5 {
			t.Fatal(tasks, err)
		}
		for _, task := range tasks {
			if in := string(task.Input()); len(in) != 1 || strings.Contains("03", in) != (task.StateType == core.Failed) {
				t.Error(in, task.StateName)
			}
		}
	})
}

func TestMapAllOfACancelledRunSaysSo(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		wait := flowlite.NewTask("wait", func(ctx context.Context, n int) (int, error) {
			v.cut(flowlite.ErrCancelled)
			<-ctx.Done()
			return n, context.Cause(ctx)
		})
		_, err := v.finished(func(ctx context.Context) (string, error) {
			_, err := wait.MapAll(ctx, []int{1, 2})
			return "", err
		})
		if !errors.Is(err, flowlite.ErrCancelled) {
			t.Fatal(err)
		}
	})
}

// Inputs above 16 KiB, and those with a secret in whatever form JSON gives it, are
// not stored.
func TestInputsThatAreNotStored(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		const secret = "s\"ecret\n<ü>\\"
		v.e.Hide(secret)
		type in struct {
			Text string
			Deep map[string][]string
		}
		task := flowlite.NewTask("t", func(context.Context, in) (int, error) { return 0, errors.New("failed") })
		_, err := v.finished(func(ctx context.Context) (string, error) {
			_, err := task.MapAll(ctx, []in{{Text: "a" + secret}, {Deep: map[string][]string{secret: nil}}, {Deep: map[string][]string{"x": {secret}}},
				{Text: strings.Repeat("x", 16<<10)}, {Text: "plain"}})
			return "", err
		})
		if err != nil {
			t.Fatal(err)
		}
		tasks, err := v.svc.TaskRunsOf(t.Context(), v.id, core.UUID{}, 10)
		if err != nil || len(tasks) != 5 {
			t.Fatal(tasks, err)
		}
		for _, task := range tasks {
			if stored := task.Input() != nil; stored != (task.Name == "t-4") {
				t.Error(task.Name, string(task.Labels))
			}
			if text := string(task.Labels); strings.Contains(text, "ecret") || len(text) > 200 {
				t.Error(task.Name, text)
			}
		}
	})
}
