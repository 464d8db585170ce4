package flowlite_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
)

// What a task does once is done once, also if the task is retried in its process, and
// if a process dies before the task's row is stored.
func TestRetryOfTaskDoesNothingTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process := 0
		code := func(ctx context.Context) (string, error) {
			process++
			attempt := 0
			tell := flowlite.NewTask("tell", func(ctx context.Context, _ int) (string, error) {
				attempt++
				_, herr := flowlite.WebhookURL(ctx, flowlite.Webhook{Topic: "t"})
				err := errors.Join(herr, flowlite.Send(ctx, v.id.String(), "m", "said"), flowlite.Emit(ctx, "shop.noted", map[string]int{"n": 1}),
					flowlite.Stream[int](ctx, "numbers").Append(1), flowlite.Markdown(ctx, "by-task", "noted"))
				switch {
				case err != nil:
					return "", err
				case process == 1:
					return v.kill(ctx)
				case attempt < 2:
					return "", errors.New("fails")
				}
				return "", nil
			}, flowlite.Retries(2, time.Millisecond))
			return tell.Run(ctx, 1)
		}
		v.killed(code)
		if _, err := v.finished(code); err != nil {
			t.Fatal(err)
		}
		if n, err := v.store.CountWaitingInputs(t.Context(), v.id); err != nil || n != 1 {
			t.Error(n, "messages", err)
		}
		if n, err := v.store.CountWebhooks(t.Context(), v.id); err != nil || n != 1 {
			t.Error(n, "webhooks", err)
		}
		f := &core.EventFilter{Resource: &core.EventResource{ID: []string{"prefect.flow-run." + v.id.String()}},
			Event: &core.EventName{Name: []string{"shop.noted"}}}
		if events, err := v.store.Events(t.Context(), f, core.Page{}); err != nil || len(events) != 1 {
			t.Error(len(events), "events", err)
		}
		if n, a := len(v.entries("numbers", 1)), len(v.artifacts()); n != 1 || a != 1 {
			t.Error(n, "entries", a, "artifacts")
		}
	})
}
