package flowtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/flowtest"
)

// reminded waits for a day, reminds, and waits again; a child sends to it as well.
var reminded = flowlite.NewFlow("reminded", func(ctx context.Context, _ struct{}) (string, error) {
	began := time.Now()
	answer, err := flowlite.Receive[string](ctx, "answer", 24*time.Hour)
	if errors.Is(err, flowlite.ErrNoMessage) {
		if _, err = flowlite.Step(ctx, "remind", func(context.Context) (string, error) { return "", nil }); err != nil {
			return "", err
		}
		answer, err = flowlite.Receive[string](ctx, "answer", 24*time.Hour)
	}
	if err != nil {
		return "", err
	}
	first, err := flowlite.Select(ctx, flowlite.OnTimer(48*time.Hour), flowlite.OnTimer(24*time.Hour))
	return fmt.Sprint(answer, " ", first, " ", time.Since(began) < time.Minute), err
})

func TestMessagesOfATest(t *testing.T) {
	r := flowtest.Run(t, reminded, struct{}{}, flowtest.NoMessage("answer"), flowtest.Message("answer", "yes"), flowtest.CrashAfter("remind"))
	var got string
	if r.Into(&got); got != "yes 1 true" || len(r.Tasks("receive answer")) != 2 {
		t.Fatal(got, r.Tasks("receive answer"))
	}
	r = flowtest.Run(t, reminded, struct{}{})
	if !errors.Is(r.Err, flowlite.ErrNoMessage) {
		t.Fatal(r.Err)
	}
}

// A child's message arrives in real time, and the receiver's time-out does not
// pass before.
func TestMessageOfAChild(t *testing.T) {
	f := flowlite.NewFlow("parent", func(ctx context.Context, _ struct{}) (string, error) {
		me := flowlite.Current(ctx).RunID
		say := flowlite.NewTask("say", func(ctx context.Context, to string) (string, error) {
			time.Sleep(50 * time.Millisecond)
			return "", flowlite.Send(ctx, to, "m", "said")
		})
		said := say.Submit(ctx, me)
		m, err := flowlite.Receive[string](ctx, "m", time.Hour)
		if err != nil {
			return "", err
		}
		_, err = said.Get(ctx)
		return m, err
	})
	var got string
	if flowtest.Run(t, f, struct{}{}).Into(&got); got != "said" {
		t.Fatal(got)
	}
}
