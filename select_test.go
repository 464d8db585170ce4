package flowlite_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
)

// Each process dies after a Select, and what would win today has come meanwhile: the
// next process has the winner that was recorded, and the loser stays.
func TestReplaySelectsTheSame(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process := 0
		code := func(ctx context.Context) (string, error) {
			process++
			var a, b, late string
			first, err := flowlite.Select(ctx, flowlite.OnMessage("a", &a), flowlite.OnMessage("b", &b))
			if err != nil {
				return "", err
			}
			if process == 1 {
				return v.kill(ctx)
			}
			second, err := flowlite.Select(ctx, flowlite.OnMessage("late", &late), flowlite.OnTimer(time.Millisecond))
			if err != nil {
				return "", err
			}
			if process == 2 {
				return v.kill(ctx)
			}
			work := flowlite.NewTask("work", func(context.Context, int) (int, error) { return 7, nil }).Submit(ctx, 1)
			third, err := flowlite.Select(ctx, flowlite.OnFuture(work), flowlite.OnTimer(time.Hour))
			if err != nil {
				return "", err
			}
			if process == 3 {
				return v.kill(ctx)
			}
			x, err := flowlite.Receive[string](ctx, "a", 0)
			if err != nil {
				return "", err
			}
			y, err := flowlite.Receive[string](ctx, "late", 0)
			return fmt.Sprint(first, b, second, third, x, y, a, late), err
		}
		v.send("b", "B")
		v.killed(code)
		v.send("a", "A")
		v.killed(code)
		v.send("late", "L")
		v.killed(code)
		if got, err := v.finished(code); err != nil || got != fmt.Sprint(1, "B", 1, 0, "A", "L", "", "") || process != 4 {
			t.Fatal(got, err, process)
		}
	})
}
