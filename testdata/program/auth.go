package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/flowlite/flowlite"
)

var double = flowlite.NewTask("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil }, flowlite.CacheFor(time.Hour))

type number struct {
	N int `json:"n"`
}

var inner = flowlite.NewFlow("inner", func(ctx context.Context, p number) (int, error) { return double.Run(ctx, p.N) })

// everything uses what the SDK offers.
var everything = flowlite.NewFlow("everything", func(ctx context.Context, _ struct{}) (int, error) {
	if flowlite.Current(ctx).Attempt == 1 {
		return 0, fmt.Errorf("the first time: %s", os.Environ())
	}
	fmt.Println("printed", os.Environ())
	flowlite.Logger(ctx).InfoContext(ctx, "logged "+strings.Join(os.Environ(), " "))
	slog.InfoContext(ctx, "by slog "+strings.Join(os.Environ(), " "))
	sum, err := inner.Run(ctx, number{1})
	if err != nil {
		return 0, err
	}
	release, err := flowlite.Acquire(ctx, "slots", 1)
	if err != nil {
		return 0, err
	}
	release()
	if err := flowlite.RateLimit(ctx, "rates"); err != nil {
		return 0, err
	}
	if word, err := flowlite.Secret(ctx, "word"); err != nil || word != "hidden-from-all" {
		return 0, fmt.Errorf("secret: %w", err)
	}
	if v, err := flowlite.Variable[int](ctx, "v"); err != nil || v != 1 {
		return 0, fmt.Errorf("variable %d: %w", v, err)
	}
	if err := flowlite.Markdown(ctx, "k", "text"); err != nil {
		return 0, err
	}
	set, err := flowlite.Progress(ctx, "p", 0)
	if err != nil {
		return 0, err
	}
	if err := set(50); err != nil {
		return 0, err
	}
	if err := flowlite.Emit(ctx, "mine", map[string]int{"n": 1}); err != nil {
		return 0, err
	}
	more, err := flowlite.RunDeployment[int](ctx, "inner/local", number{10})
	if err != nil {
		return 0, err
	}
	if _, err := flowlite.SubmitDeployment[int](ctx, "inner/local", number{20}, flowlite.AsSubflow(false)); err != nil {
		return 0, err
	}
	if _, err := flowlite.Step(
		ctx,
		"large",
		func(context.Context) (string, error) { return strings.Repeat("large ", 200_000), nil },
	); err != nil {
		return 0, err
	}
	if err := flowlite.Sleep(ctx, time.Millisecond); err != nil {
		return 0, err
	}
	if _, err := flowlite.Pause[struct{}](ctx, flowlite.Ask{}); err != nil {
		return 0, err
	}
	return sum + more, nil
}, flowlite.Retries(1, 0))
