package flowtest_test

import (
	"context"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/flowtest"
)

// The last status stays, also if a crash makes the flow's code run again.
func TestStatusOfATest(t *testing.T) {
	f := flowlite.NewFlow("told", func(ctx context.Context, _ struct{}) (int, error) {
		for n, name := range []string{"extract", "load"} {
			if _, err := flowlite.Step(ctx, name, func(ctx context.Context) (int, error) {
				return n, flowlite.SetStatus(ctx, "step", name)
			}); err != nil {
				return 0, err
			}
		}
		return 2, nil
	})
	var step string
	if flowtest.Run(t, f, struct{}{}, flowtest.CrashAfter("load")).Status("step", &step); step != "load" {
		t.Fatal(step)
	}
}
