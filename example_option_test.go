package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

func ExampleRetries() {
	fetch := flowlite.NewTask("fetch", func(ctx context.Context, url string) (string, error) {
		if flowlite.Current(ctx).Attempt < 3 {
			return "", errors.New("timed out")
		}
		return "the page of " + url, nil
	}, flowlite.Retries(2, time.Millisecond))
	flow := flowlite.NewFlow("fetches", func(ctx context.Context, _ struct{}) (string, error) { return fetch.Run(ctx, "example.com") })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: the page of example.com <nil>
}

func ExampleKey() {
	calls := 0
	charge := flowlite.NewTask("charge", func(_ context.Context, cents int) (int, error) { calls++; return cents, nil })
	flow := flowlite.NewFlow("once", func(ctx context.Context, _ struct{}) (int, error) {
		if _, err := charge.With(flowlite.Key("order 7")).Run(ctx, 100); err != nil {
			return 0, err
		}
		return charge.With(flowlite.Key("order 7")).Run(ctx, 250) // the same call, whatever its input
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	fmt.Println("calls:", calls)
	// Output:
	// 100 <nil>
	// calls: 1
}

func ExampleKeyBy() {
	type payment struct {
		Order string
		Cents int
	}
	calls := 0
	charge := flowlite.NewTask("charge", func(_ context.Context, p payment) (int, error) { calls++; return p.Cents, nil },
		flowlite.KeyBy(func(p payment) string { return p.Order }))
	flow := flowlite.NewFlow("once-per-order", func(ctx context.Context, _ struct{}) (int, error) {
		if _, err := charge.Run(ctx, payment{"7", 100}); err != nil {
			return 0, err
		}
		return charge.Run(ctx, payment{"7", 250}) // the same call, because the order is the same
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	fmt.Println("calls:", calls)
	// Output:
	// 100 <nil>
	// calls: 1
}

func ExampleRenamed() {
	work := func(_ context.Context, order int) (string, error) {
		fmt.Println("charged order", order)
		return "paid", nil
	}
	charge := flowlite.NewTask("charge", work)
	pay := flowlite.NewTask("pay", work, flowlite.Renamed("charge"))
	flow := flowlite.NewFlow("orders", func(ctx context.Context, _ struct{}) (string, error) {
		if flowlite.Current(ctx).Attempt == 1 { // the earlier version of the code
			if _, err := charge.Run(ctx, 7); err != nil {
				return "", err
			}
			return "", errors.New("the process is replaced by a new version")
		}
		return pay.Run(ctx, 7)
	}, flowlite.Retries(1))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output:
	// charged order 7
	// paid <nil>
}

func ExampleTags() {
	show := func(ctx context.Context, _ struct{}) (string, error) {
		run := flowlite.Current(ctx)
		return fmt.Sprint(run.RunName, run.Tags), nil
	}
	flow := flowlite.NewFlow("nightly", show, flowlite.RunName("tonight"), flowlite.Tags("reports", "eu"),
		flowlite.Description("Makes the reports of the day."), flowlite.Version("2.1"))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: tonight[reports eu] <nil>
}

func ExampleDeploys() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil },
		flowlite.Deploys(
			flowlite.Deployment{Name: "berlin", Parameters: greeting{"Berlin"}},
			flowlite.Deployment{Name: "lisbon", Parameters: greeting{"Lisbon"}, Cron: "0 9 * * 1-5", Timezone: "Europe/Lisbon"}))
	ctx, _, stop := started(hello)
	defer stop()
	fmt.Println(flowlite.RunDeployment[string](ctx, "hello/berlin", nil))
	fmt.Println(flowlite.RunDeployment[string](ctx, "hello/lisbon", nil))
	// Output:
	// hello, Berlin <nil>
	// hello, Lisbon <nil>
}

func ExampleAsSubflow() {
	report := flowlite.NewFlow("report", func(context.Context, struct{}) (bool, error) { return true, nil })
	order := flowlite.NewFlow("order", func(ctx context.Context, _ struct{}) (string, error) {
		// The report is a run of its own, which may take longer than the order.
		run, err := flowlite.SubmitDeployment[bool](ctx, "report/local", nil, flowlite.AsSubflow(false))
		if err != nil {
			return "", err
		}
		return run.ID(), nil
	})
	ctx, server, stop := started(report, order)
	defer stop()
	id, err := order.Run(ctx, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := server.FlowRun(ctx, uuid(id))
	fmt.Println(run.ParentTaskRunID.IsZero(), err)
	// Output: true <nil>
}
