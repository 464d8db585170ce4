package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

func ExampleExponential() {
	attempts := 0
	flow := flowlite.NewFlow("patient", func(context.Context, struct{}) (int, error) {
		if attempts++; attempts < 4 {
			return 0, errors.New("busy")
		}
		return attempts, nil
	}, flowlite.Retries(5), flowlite.Exponential(time.Millisecond, 3*time.Millisecond, 0.5)) // 1, 2, 3, 3 ms …
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 4 <nil>
}

func ExampleRetryIf() {
	errBusy, errBroken := errors.New("busy"), errors.New("broken")
	attempts := 0
	call := flowlite.NewTask("call", func(context.Context, string) (int, error) {
		if attempts++; attempts == 1 {
			return 0, errBusy
		}
		return 0, errBroken
	}, flowlite.Retries(9), flowlite.RetryIf(func(err error) bool { return errors.Is(err, errBusy) }))
	flow := flowlite.NewFlow("choosy", func(ctx context.Context, _ struct{}) (int, error) { return call.Run(ctx, "x") })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err, attempts)
	// Output: broken 2
}

func ExampleRetryAfter() {
	attempts := 0
	call := flowlite.NewTask("call", func(context.Context, string) (int, error) {
		if attempts++; attempts == 1 {
			// what a Retry-After header said, in place of the hour below
			return 0, flowlite.RetryAfter(errors.New("too many requests"), time.Millisecond)
		}
		return attempts, nil
	}, flowlite.Retries(1, time.Hour))
	flow := flowlite.NewFlow("polite", func(ctx context.Context, _ struct{}) (int, error) { return call.Run(ctx, "x") })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 2 <nil>
}
