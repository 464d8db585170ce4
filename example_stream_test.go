package flowlite_test

import (
	"context"
	"fmt"

	"github.com/flowlite/flowlite"
)

func ExampleStream() {
	write := flowlite.NewFlow("write", func(ctx context.Context, _ struct{}) (int, error) {
		words := flowlite.Stream[string](ctx, "words")
		for _, w := range []string{"once", "upon", "a", "time"} {
			if err := words.Append(w); err != nil {
				return 0, err
			}
		}
		return 4, nil
	})
	app, stop := app(write)
	defer stop()
	run, err := write.Start(context.Background(), app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range flowlite.Follow[string](context.Background(), app, run.ID(), "words", 2) {
		fmt.Println(e.Number, e.Value, err)
	}
	// Output:
	// 2 upon <nil>
	// 3 a <nil>
	// 4 time <nil>
}

func ExampleFollow() {
	count := flowlite.NewFlow("count", func(ctx context.Context, _ struct{}) (int, error) {
		return 1, flowlite.Stream[int](ctx, "numbers").Append(42)
	})
	app, stop := app(count)
	defer stop()
	run, err := count.Start(context.Background(), app, struct{}{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range flowlite.Follow[int](context.Background(), app, run.ID(), "numbers", 1) {
		fmt.Println(e.Value, err)
	}
	// Output: 42 <nil>
}
