package flowlite_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowlite/flowlite"
)

// counted is a flow that says how far it is.
func counted() *flowlite.Flow[struct{}, int] {
	return flowlite.NewFlow("counted", func(ctx context.Context, _ struct{}) (int, error) {
		for n := range 3 {
			if err := flowlite.SetStatus(ctx, "counted", n+1); err != nil {
				return 0, err
			}
		}
		return 3, nil
	})
}

func ExampleSetStatus() {
	type progress struct {
		Step string `json:"step"`
		Done int    `json:"done"`
	}
	load := flowlite.NewFlow("load", func(ctx context.Context, _ struct{}) (int, error) {
		for n, step := range []string{"extract", "load"} {
			if err := flowlite.SetStatus(ctx, "progress", progress{step, n}); err != nil {
				return 0, err
			}
		}
		return 2, nil
	})
	app, stop := app(load)
	defer stop()
	ctx := context.Background()
	run, err := load.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Get(ctx))
	fmt.Println(flowlite.StatusOf[progress](ctx, app, run.ID(), "progress"))
	// Output:
	// 2 <nil>
	// {load 1} <nil>
}

func ExampleStatusOf() {
	count := counted()
	app, stop := app(count)
	defer stop()
	ctx := context.Background()
	run, err := count.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Get(ctx))
	fmt.Println(flowlite.StatusOf[int](ctx, app, run.ID(), "counted"))
	_, err = flowlite.StatusOf[int](ctx, app, run.ID(), "other")
	fmt.Println(errors.Is(err, flowlite.ErrNotFound))
	// Output:
	// 3 <nil>
	// 3 <nil>
	// true
}

func ExampleRun_StatusOf() {
	count := counted()
	app, stop := app(count)
	defer stop()
	ctx := context.Background()
	run, err := count.Start(ctx, app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Get(ctx))
	var n int
	fmt.Println(run.StatusOf(ctx, "counted", &n), n)
	// Output:
	// 3 <nil>
	// <nil> 3
}
