package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

// app is an App with the flows, as a service has one.
func app(flows ...flowlite.AnyFlow) (app *embed.App, stop func()) {
	home, err := os.MkdirTemp("", "flowlite-example")
	if err != nil {
		panic(err)
	}
	app, err = embed.New(embed.Config{Port: -1, NoUI: true, Home: home, Logger: slog.New(slog.DiscardHandler)}, flows...)
	if err == nil {
		err = app.Start(context.Background())
	}
	if err != nil {
		panic(err)
	}
	return app, func() {
		_ = app.Stop(context.Background())
		_ = os.RemoveAll(home)
	}
}

type checkout struct {
	Cart string `json:"cart"`
}

func ExampleFlow_Start() {
	buy := flowlite.NewFlow("checkout", func(_ context.Context, c checkout) (string, error) { return "paid " + c.Cart, nil })
	app, stop := app(buy)
	defer stop()
	ctx := context.Background()
	// The handler of a web request: sent twice, it buys once.
	handle := func(cart string) (*flowlite.Run[string], error) {
		return buy.Start(ctx, app, checkout{cart}, flowlite.IdempotencyKey(cart), flowlite.Named("cart "+cart),
			flowlite.RunTags("web"), flowlite.Priority(10))
	}
	first, err := handle("c1")
	if err != nil {
		fmt.Println(err)
		return
	}
	second, err := handle("c1")
	fmt.Println(second.ID() == first.ID(), second.Name(), err)
	fmt.Println(first.Get(ctx))
	// Output:
	// true cart c1 <nil>
	// paid c1 <nil>
}

// Many runs are created at once, all or none.
func ExampleFlow_StartMany() {
	buy := flowlite.NewFlow("checkout", func(_ context.Context, c checkout) (string, error) { return "paid " + c.Cart, nil })
	app, stop := app(buy)
	defer stop()
	ctx := context.Background()
	runs, err := buy.StartMany(ctx, app, []checkout{{"c1"}, {"c2"}}, flowlite.IdempotencyKey("import of Monday"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, run := range runs {
		fmt.Println(run.Get(ctx))
	}
	// Output:
	// paid c1 <nil>
	// paid c2 <nil>
}

func ExampleAttach() {
	buy := flowlite.NewFlow("checkout", func(_ context.Context, c checkout) (string, error) { return "paid " + c.Cart, nil })
	app, stop := app(buy)
	defer stop()
	ctx := context.Background()
	started, err := buy.Start(ctx, app, checkout{"c2"}, flowlite.Queue("default"), flowlite.OnDeployment("local"))
	if err != nil {
		fmt.Println(err)
		return
	}
	id := started.ID() // stored with the order; another process goes on from here
	run, err := flowlite.Attach[string](ctx, app, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Get(ctx))
	_, err = flowlite.Attach[string](ctx, app, "00000000-0000-7000-8000-000000000000")
	fmt.Println(errors.Is(err, flowlite.ErrNotFound))
	// Output:
	// paid c2 <nil>
	// true
}

func ExampleRun_Answer() {
	approve := flowlite.NewFlow("approve", func(ctx context.Context, _ struct{}) (string, error) {
		a, err := flowlite.Pause[struct{ By string }](ctx, flowlite.Ask{Description: "Refund 20 EUR?"})
		return "approved by " + a.By, err
	})
	app, stop := app(approve)
	defer stop()
	ctx := context.Background()
	run, err := approve.Start(ctx, app, struct{}{})
	for err == nil {
		var s flowlite.Status
		if s, err = run.Status(ctx); s.State == "PAUSED" {
			err = run.Answer(ctx, map[string]string{"By": "Ada"})
			break
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Get(ctx))
	// Output: approved by Ada <nil>
}

func ExampleRun_Cancel() {
	remind := flowlite.NewFlow("remind", func(context.Context, struct{}) (bool, error) { return true, nil })
	app, stop := app(remind)
	defer stop()
	ctx := context.Background()
	run, err := remind.Start(ctx, app, struct{}{}, flowlite.At(time.Now().Add(24*time.Hour)))
	if err == nil {
		err = run.Cancel(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = run.Get(ctx)
	fmt.Println(errors.Is(err, flowlite.ErrCancelled))
	// Output: true
}

func ExampleRun_Retry() {
	open := false
	enter := flowlite.NewFlow("enter", func(context.Context, struct{}) (string, error) {
		if !open {
			return "", errors.New("the door is shut")
		}
		return "in", nil
	})
	app, stop := app(enter)
	defer stop()
	ctx := context.Background()
	run, err := enter.Start(ctx, app, struct{}{}, flowlite.Delay(time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = run.Get(ctx)
	failed, _ := errors.AsType[*flowlite.RunError](err)
	fmt.Println(failed.State, failed.Message, failed.Unwrap() != nil, failed.Error() == err.Error())
	open = true
	if err := run.Retry(ctx); err != nil {
		fmt.Println(err)
	}
	again, err := flowlite.Attach[string](ctx, app, run.ID())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Get(ctx))
	// Output:
	// FAILED the door is shut true true
	// in <nil>
}
