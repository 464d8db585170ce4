package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	if dir, err := binaries(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

type pair struct{ X, Y int }

var add = flowlite.NewTask("add", func(_ context.Context, p pair) (int, error) { return p.X + p.Y, nil })

func ExampleNewFlow() {
	sum := flowlite.NewFlow("sum", func(ctx context.Context, p pair) (int, error) { return add.Run(ctx, p) })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(sum.Run(ctx, pair{1, 2}))
	// Output: 3 <nil>
}

func ExampleNewTask() {
	attempts := 0
	flaky := flowlite.NewTask("flaky", func(context.Context, string) (string, error) {
		if attempts++; attempts < 3 {
			return "", errors.New("not yet")
		}
		return fmt.Sprintf("attempt %d", attempts), nil
	}, flowlite.Retries(2, time.Millisecond))
	flow := flowlite.NewFlow("retrying", func(ctx context.Context, _ struct{}) (string, error) { return flaky.Run(ctx, "x") })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: attempt 3 <nil>
}

func ExampleStep() {
	flow := flowlite.NewFlow("steps", func(ctx context.Context, _ struct{}) (int, error) {
		a, err := flowlite.Step(ctx, "one", func(context.Context) (int, error) { return 1, nil })
		if err != nil {
			return 0, err
		}
		return flowlite.Step(ctx, "two", func(context.Context) (int, error) { return a + 1, nil })
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 2 <nil>
}

func ExampleTask_Submit() {
	flow := flowlite.NewFlow("futures", func(ctx context.Context, _ struct{}) (int, error) {
		a := add.Submit(ctx, pair{1, 2})
		b := add.With(flowlite.After(a)).Submit(ctx, pair{3, 4})
		x, err := a.Get(ctx)
		if err != nil {
			return 0, err
		}
		y, err := b.Get(ctx)
		return x * y, err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 21 <nil>
}

func ExampleTask_Map() {
	flow := flowlite.NewFlow("map", func(ctx context.Context, _ struct{}) ([]int, error) {
		return add.With(flowlite.MaxConcurrency(2)).Map(ctx, []pair{{1, 1}, {2, 2}, {3, 3}})
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: [2 4 6] <nil>
}

func ExampleTask_Each() {
	flow := flowlite.NewFlow("each", func(ctx context.Context, _ struct{}) (int, error) {
		sum := 0
		for v, err := range add.Each(ctx, slices.Values([]pair{{1, 1}, {2, 2}, {3, 3}})) {
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: 12 <nil>
}

func ExampleFlow_Run_subflow() {
	child := flowlite.NewFlow("child", func(_ context.Context, p pair) (int, error) { return p.X * p.Y, nil })
	parent := flowlite.NewFlow("parent", func(ctx context.Context, p pair) (int, error) {
		f := child.Submit(ctx, pair{p.X, 10})
		a, err := f.Get(ctx)
		if err != nil {
			return 0, err
		}
		b, err := child.Run(ctx, pair{p.Y, 10})
		return a + b, err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(parent.Run(ctx, pair{1, 2}))
	// Output: 30 <nil>
}

func ExampleCacheBy() {
	calls := 0
	slow := flowlite.NewTask("slow", func(_ context.Context, n int) (int, error) { calls++; return n * n, nil },
		flowlite.CacheBy(func(n int) string { return fmt.Sprint(n) }), flowlite.CacheFor(time.Hour))
	flow := flowlite.NewFlow("cached", func(ctx context.Context, _ struct{}) (int, error) {
		a, err := slow.Run(ctx, 4)
		if err != nil {
			return 0, err
		}
		b, err := slow.Run(ctx, 4)
		return a + b, err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	fmt.Println(calls, "call")
	// Output:
	// 32 <nil>
	// 1 call
}

func ExamplePermanent() {
	calls := 0
	flow := flowlite.NewFlow("permanent", func(context.Context, struct{}) (int, error) {
		calls++
		return 0, flowlite.Permanent(errors.New("no such customer"))
	}, flowlite.Retries(5))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(err, calls)
	// Output: no such customer 1
}

func ExampleTimeout() {
	flow := flowlite.NewFlow("slow", func(ctx context.Context, _ struct{}) (int, error) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}, flowlite.Timeout(10*time.Millisecond))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, err := flow.Run(ctx, struct{}{})
	fmt.Println(errors.Is(err, flowlite.ErrTimedOut))
	// Output: true
}

func ExampleOnFailure() {
	flow := flowlite.NewFlow("failing", func(context.Context, struct{}) (int, error) { return 0, errors.New("disk full") },
		flowlite.OnFailure(func(_ context.Context, end flowlite.End) { fmt.Println(end.State, end.Message) }))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, _ = flow.Run(ctx, struct{}{})
	// Output: Failed disk full
}

func ExampleOnCompletion() {
	flow := flowlite.NewFlow("fine", func(context.Context, struct{}) (int, error) { return 0, nil },
		flowlite.OnCompletion(func(_ context.Context, end flowlite.End) { fmt.Println(end.State) }))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, _ = flow.Run(ctx, struct{}{})
	// Output: Completed
}

func ExampleSleep() {
	flow := flowlite.NewFlow("sleepy", func(ctx context.Context, _ struct{}) (string, error) {
		return "awake", flowlite.Sleep(ctx, time.Millisecond)
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: awake <nil>
}

func ExampleCurrent() {
	keyed := flowlite.NewTask("charge", func(ctx context.Context, _ int) (bool, error) {
		i := flowlite.Current(ctx)
		return i.Attempt == 1 && i.Flow == "billing" && i.IdempotencyKey() != "", nil
	})
	flow := flowlite.NewFlow("billing", func(ctx context.Context, _ struct{}) (bool, error) { return keyed.Run(ctx, 5) })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: true <nil>
}

func ExampleMarkdown() {
	flow := flowlite.NewFlow("report", func(ctx context.Context, _ struct{}) (bool, error) {
		if err := flowlite.Markdown(ctx, "summary", "# all well"); err != nil {
			return false, err
		}
		if err := flowlite.Table(ctx, "rows", []pair{{1, 2}}); err != nil {
			return false, err
		}
		if err := flowlite.Link(ctx, "docs", "https://example.org", "docs"); err != nil {
			return false, err
		}
		set, err := flowlite.Progress(ctx, "done", 0)
		if err != nil {
			return false, err
		}
		return true, errors.Join(set(100), flowlite.Emit(ctx, "report.made", map[string]int{"rows": 1}))
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output: true <nil>
}

func ExampleTask_MapAll() {
	send := flowlite.NewTask("send", func(_ context.Context, to string) (int, error) {
		if !strings.Contains(to, "@") {
			return 0, errors.New("no address")
		}
		return len(to), nil
	})
	flow := flowlite.NewFlow("newsletter", func(ctx context.Context, _ struct{}) (int, error) {
		sent := 0
		all, err := send.MapAll(ctx, []string{"ada@example.com", "bob", "eve@example.com"})
		for _, o := range all {
			if o.Err != nil {
				fmt.Println(o.In+":", o.Err)
				continue
			}
			sent++
		}
		return sent, err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(flow.Run(ctx, struct{}{}))
	// Output:
	// bob: no address
	// 2 <nil>
}
