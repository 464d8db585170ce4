package flowtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/flowtest"
)

type number struct{ N int }

type answer struct {
	Name string `json:"name"`
}

func TestRun(t *testing.T) {
	shaky := flowlite.NewTask("shaky", func(ctx context.Context, n int) (int, error) {
		if flowlite.Current(ctx).Attempt < 3 {
			return 0, errors.New("not yet")
		}
		return n, nil
	}, flowlite.Retries(2, 24*time.Hour))
	flow := flowlite.NewFlow("all", func(ctx context.Context, p number) (string, error) {
		if err := flowlite.Sleep(ctx, 24*time.Hour); err != nil {
			return "", err
		}
		if _, err := shaky.Run(ctx, p.N); err != nil {
			return "", err
		}
		first, err := flowlite.Pause[answer](ctx, flowlite.Ask{})
		if err != nil {
			return "", err
		}
		second, err := flowlite.Suspend[answer](ctx, flowlite.Ask{})
		if err != nil {
			return "", err
		}
		glue, err := flowlite.Variable[string](ctx, "glue")
		if err != nil {
			return "", err
		}
		flowlite.Logger(ctx).Info("glued")
		return first.Name + glue + second.Name, flowlite.Markdown(ctx, "note", "# hi")
	})
	began := time.Now()
	var got string
	r := flowtest.Run(t, flow, number{5}, flowtest.Answer(answer{"a"}), flowtest.Answer(answer{"b"}), flowtest.Variable("glue", "+"))
	if r.Into(&got); got != "a+b" || r.State != "Completed" || time.Since(began) > time.Minute {
		t.Fatal(got, r.State, r.Message)
	}
	if s := r.Tasks("shaky"); len(s) != 1 || s[0].RunCount != 3 || len(r.Tasks("sleep")) != 1 {
		t.Fatal(r.TaskRuns)
	}
	if !r.Logged("glued") || r.Artifacts()["note"] != `"# hi"` {
		t.Fatal(r.Logs, r.Artifacts())
	}
	if slept := r.Run.EndTime.Sub(r.Run.StartTime); slept < 72*time.Hour {
		t.Fatal("the run's own time did not pass:", slept)
	}
}

func TestUnansweredPauseBelongsToTheFlow(t *testing.T) {
	escalate := flowlite.NewTask("escalate", func(context.Context, string) (string, error) { return "escalated", nil })
	flow := flowlite.NewFlow("escalates", func(ctx context.Context, _ struct{}) (string, error) {
		_, err := flowlite.Pause[answer](ctx, flowlite.Ask{Timeout: 24 * time.Hour})
		if !errors.Is(err, flowlite.ErrUnanswered) {
			return "", err
		}
		return escalate.Run(ctx, "boss")
	})
	var got string
	r := flowtest.Run(t, flow, struct{}{})
	if r.Into(&got); got != "escalated" || r.State != "Completed" || len(r.Tasks("escalate")) != 1 {
		t.Fatal(got, r.State)
	}
}

func TestRunThatFails(t *testing.T) {
	flow := flowlite.NewFlow("unanswered", func(ctx context.Context, _ struct{}) (answer, error) {
		return flowlite.Pause[answer](ctx, flowlite.Ask{Timeout: 24 * time.Hour})
	})
	r := flowtest.Run(t, flow, struct{}{})
	if r.Type != core.Failed || !errors.Is(r.Err, flowlite.ErrTimedOut) {
		t.Fatal(r.State, r.Err)
	}
}

func TestSecret(t *testing.T) {
	flow := flowlite.NewFlow("secretive", func(ctx context.Context, _ struct{}) (int, error) {
		key, err := flowlite.Secret(ctx, "api-key")
		if err != nil {
			return 0, err
		}
		login, err := flowlite.Secret(ctx, "login")
		flowlite.Logger(ctx).Info("they are "+key, "login", login)
		return len(key), err
	})
	var n int
	r := flowtest.Run(t, flow, struct{}{}, flowtest.Secret("api-key", "s3cret"), flowtest.Secret("login", map[string]string{"password": "hunter2"}))
	if r.Into(&n); n != 6 || !r.Logged("they are ********") || r.Logged("hunter2") {
		t.Fatal(n, r.Logs)
	}
	r = flowtest.Run(t, flow, struct{}{})
	if r.State != "Failed" || !strings.Contains(r.Message, "flowlite secret set api-key") {
		t.Fatal(r.State, r.Message)
	}
}
