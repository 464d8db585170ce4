package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite"
)

// payment is a flow that waits for what the bank says.
func payment() *flowlite.Flow[struct{}, string] {
	return flowlite.NewFlow("payment", func(ctx context.Context, _ struct{}) (string, error) {
		bank, err := flowlite.Receive[string](ctx, "bank", time.Hour)
		return "the bank says " + bank, err
	})
}

func ExampleReceive() {
	pay := flowlite.NewFlow("pay", func(ctx context.Context, _ struct{}) (string, error) {
		bank, err := flowlite.Receive[string](ctx, "bank", time.Hour)
		return "the bank says " + bank, err
	})
	app, stop := app(pay)
	defer stop()
	ctx := context.Background()
	run, err := pay.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := run.Send(ctx, "bank", "paid"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(run.Get(ctx))
	// Output: the bank says paid <nil>
}

func ExampleErrNoMessage() {
	impatient := flowlite.NewFlow("impatient", func(ctx context.Context, _ struct{}) (string, error) {
		_, err := flowlite.Receive[string](ctx, "bank", time.Millisecond)
		if errors.Is(err, flowlite.ErrNoMessage) {
			return "remind the bank", nil
		}
		return "", err
	})
	app, stop := app(impatient)
	defer stop()
	fmt.Println(impatient.Run(app.Context(context.Background()), struct{}{}))
	// Output: remind the bank <nil>
}

// Any program that knows a run's ID can send to it.
func ExampleSend() {
	pay := payment()
	app, stop := app(pay)
	defer stop()
	ctx := context.Background()
	run, err := pay.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(flowlite.Send(app.Context(ctx), run.ID(), "bank", "refused"))
	fmt.Println(run.Get(ctx))
	// Output:
	// <nil>
	// the bank says refused <nil>
}

func ExampleRun_Send() {
	pay := payment()
	app, stop := app(pay)
	defer stop()
	ctx := context.Background()
	run, err := pay.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Send(ctx, "bank", "paid"))
	_, _ = run.Get(ctx)
	err = run.Send(ctx, "bank", "paid again")
	fmt.Println(errors.Is(err, flowlite.ErrConflict))
	// Output:
	// <nil>
	// true
}

func ExampleSelect() {
	quote := flowlite.NewTask("quote", func(context.Context, string) (int, error) { return 42, nil })
	buy := flowlite.NewFlow("buy", func(ctx context.Context, _ struct{}) (string, error) {
		offer := quote.Submit(ctx, "ACME")
		var stop string
		for {
			first, err := flowlite.Select(ctx,
				flowlite.OnMessage("stop", &stop),
				flowlite.OnFuture(offer),
				flowlite.OnTimer(time.Minute))
			switch {
			case err != nil:
				return "", err
			case first == 0:
				return "stopped: " + stop, nil
			case first == 1:
				price, err := offer.Get(ctx)
				return fmt.Sprint("bought for ", price), err
			}
		}
	})
	app, stop := app(buy)
	defer stop()
	fmt.Println(buy.Run(app.Context(context.Background()), struct{}{}))
	// Output: bought for 42 <nil>
}

func ExampleOnMessage() {
	wait := flowlite.NewFlow("wait", func(ctx context.Context, _ struct{}) (string, error) {
		var yes, no string
		first, err := flowlite.Select(ctx, flowlite.OnMessage("yes", &yes), flowlite.OnMessage("no", &no))
		return fmt.Sprint(first, " ", yes, no), err
	})
	app, stop := app(wait)
	defer stop()
	ctx := context.Background()
	run, err := wait.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = run.Send(ctx, "no", "too expensive")
	fmt.Println(run.Get(ctx))
	// Output: 1 too expensive <nil>
}

func ExampleOnFuture() {
	read := flowlite.NewTask("read", func(_ context.Context, page int) (int, error) { return 10 * page, nil })
	both := flowlite.NewFlow("both", func(ctx context.Context, _ struct{}) (int, error) {
		a := read.Submit(ctx, 1)
		if _, err := flowlite.Select(ctx, flowlite.OnFuture(a), flowlite.OnTimer(time.Minute)); err != nil {
			return 0, err
		}
		return a.Get(ctx)
	})
	app, stop := app(both)
	defer stop()
	fmt.Println(both.Run(app.Context(context.Background()), struct{}{}))
	// Output: 10 <nil>
}

func ExampleOnTimer() {
	remind := flowlite.NewFlow("remind", func(ctx context.Context, _ struct{}) (string, error) {
		var answer string
		first, err := flowlite.Select(ctx, flowlite.OnMessage("answer", &answer), flowlite.OnTimer(time.Millisecond))
		if first == 1 {
			return "no answer yet", err
		}
		return answer, err
	})
	app, stop := app(remind)
	defer stop()
	fmt.Println(remind.Run(app.Context(context.Background()), struct{}{}))
	// Output: no answer yet <nil>
}
