package flowlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

func ExampleAcquire() {
	ctx, server, stop := started()
	defer stop()
	_, err := server.Raw(ctx, "POST", "/v2/concurrency_limits/", map[string]any{"name": "database", "limit": 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	query := flowlite.NewTask("query", func(ctx context.Context, n int) (int, error) {
		release, err := flowlite.Acquire(ctx, "database", 1)
		if err != nil {
			return 0, err
		}
		defer release()
		return n * n, nil
	})
	flow := flowlite.NewFlow("report", func(ctx context.Context, _ struct{}) ([]int, error) { return query.Map(ctx, []int{1, 2, 3}) })
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: [1 4 9] <nil>
}

func ExampleRateLimit() {
	ctx, server, stop := started()
	defer stop()
	_, err := server.Raw(ctx, "POST", "/v2/concurrency_limits/", map[string]any{"name": "api", "limit": 1, "slot_decay_per_second": 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	flow := flowlite.NewFlow("calls", func(ctx context.Context, _ struct{}) (int, error) {
		for n := range 3 { // one each 20 ms
			if err := flowlite.RateLimit(ctx, "api"); err != nil {
				return n, err
			}
		}
		return 3, nil
	})
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 3 <nil>
}

func ExampleVariable() {
	ctx, server, stop := started()
	defer stop()
	_, err := server.Raw(ctx, "POST", "/variables/", map[string]any{"name": "regions", "value": []string{"north", "south"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	flow := flowlite.NewFlow("regional", func(ctx context.Context, _ struct{}) ([]string, error) {
		return flowlite.Variable[[]string](ctx, "regions")
	})
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: [north south] <nil>
}

func ExampleSecret() {
	_ = os.Setenv("FLOWLITE_SECRET_API_KEY", "s3cret") // the worker's environment
	defer os.Unsetenv("FLOWLITE_SECRET_API_KEY")
	flow := flowlite.NewFlow("secretive", func(ctx context.Context, _ struct{}) (int, error) {
		key, err := flowlite.Secret(ctx, "api-key")
		return len(key), err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 6 <nil>
}

func ExampleLogger() {
	flow := flowlite.NewFlow("talkative", func(ctx context.Context, _ struct{}) (bool, error) {
		flowlite.Logger(ctx).Info("extracted", "rows", 12) // in the run's logs, in the UI too
		return true, nil
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: true <nil>
}

func ExampleLogHandler() {
	plain := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	log := slog.New(flowlite.LogHandler(plain)) // a program would call slog.SetDefault with it
	ctx, server, stop := started()
	defer stop()
	flow := flowlite.NewFlow("billing", func(ctx context.Context, _ struct{}) (bool, error) {
		log.InfoContext(ctx, "charged", "cents", 500)
		return true, nil
	})
	if _, err := flow.Run(ctx, struct{}{}); err != nil {
		fmt.Println(err)
	}
	var lines []struct{ Message string }
	text, err := server.Raw(ctx, "POST", "/logs/filter", map[string]any{})
	if err == nil {
		err = json.Unmarshal(text, &lines)
	}
	fmt.Println("the run's log:", lines, err)
	// Output:
	// level=INFO msg=charged cents=500
	// the run's log: [{charged cents=500}] <nil>
}
