package flowlite_test

import (
	"context"
	"fmt"
	"runtime"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

func ExampleOnCancellation() {
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	flow := flowlite.NewFlow("endless", func(ctx context.Context, _ struct{}) (int, error) {
		cancel(flowlite.ErrCancelled) // as a signal or the UI does
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}, flowlite.OnCancellation(func(_ context.Context, end flowlite.End) { fmt.Println(end.State) }))
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err)
	// Output:
	// Cancelled
	// the run was cancelled
}

func ExampleOnCrashed() {
	flow := flowlite.NewFlow("gone", func(context.Context, struct{}) (int, error) {
		runtime.Goexit() // as testing.T.FailNow does
		return 0, nil
	}, flowlite.OnCrashed(func(_ context.Context, end flowlite.End) { fmt.Println(end.State) }))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err != nil)
	// Output:
	// Crashed
	// true
}
