package flowlite_test

import (
	"context"
	"fmt"

	"github.com/flowlite/flowlite"
)

func ExampleStream() {
	ids := make(chan string, 1)
	write := flowlite.NewFlow("write", func(ctx context.Context, _ struct{}) (int, error) {
		ids <- flowlite.Current(ctx).RunID
		words := flowlite.Stream[string](ctx, "words")
		for _, w := range []string{"once", "upon", "a", "time"} {
			if err := words.Append(w); err != nil {
				return 0, err
			}
		}
		return 4, nil
	})
	ctx, _, stop := started(write)
	defer stop()
	run := write.Submit(ctx, struct{}{})
	for e, err := range flowlite.Follow[string](ctx, <-ids, "words", 2) {
		fmt.Println(e.Number, e.Value, err)
	}
	fmt.Println(run.Get(ctx))
	// Output:
	// 2 upon <nil>
	// 3 a <nil>
	// 4 time <nil>
	// 4 <nil>
}

func ExampleFollow() {
	ids := make(chan string, 1)
	count := flowlite.NewFlow("count", func(ctx context.Context, _ struct{}) (int, error) {
		ids <- flowlite.Current(ctx).RunID
		return 1, flowlite.Stream[int](ctx, "numbers").Append(42)
	})
	ctx, _, stop := started(count)
	defer stop()
	if _, err := count.Run(ctx, struct{}{}); err != nil {
		fmt.Println(err)
	}
	for e, err := range flowlite.Follow[int](ctx, <-ids, "numbers", 1) {
		fmt.Println(e.Value, err)
	}
	// Output: 42 <nil>
}
