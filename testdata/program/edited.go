package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite"
)

type order struct {
	ID  string
	Dir string
}

// laterOrder is order in the next version of the program.
type laterOrder struct {
	Coupon string
	ID     string
	Dir    string
}

// note writes down an effect with its idempotency key.
func note(ctx context.Context, dir, what string) error {
	f, err := os.OpenFile(filepath.Join(dir, "effects"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, what+":"+flowlite.Current(ctx).IdempotencyKey())
	return errors.Join(err, f.Close())
}

// sell makes the flow of a version of the program: two tasks that end, and one
// that hangs in the first version.
func sell[In any](in func(params) In, hang bool) *flowlite.Flow[params, int] {
	task := func(name string, hang bool) *flowlite.Task[In, int] {
		return flowlite.NewTask(name, func(ctx context.Context, _ In) (int, error) {
			if err := note(ctx, os.Getenv("EDITED_DIR"), name); err != nil || !hang {
				return 1, err
			}
			fmt.Println("hanging")
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
	}
	reserve, charge, ship := task("reserve", false), task("charge", false), task("ship", hang)
	return flowlite.NewFlow("edited", func(ctx context.Context, p params) (int, error) {
		for _, t := range []*flowlite.Task[In, int]{reserve, charge, ship} {
			if _, err := t.Run(ctx, in(p)); err != nil {
				return 0, err
			}
		}
		return 3, nil
	})
}

func edited() *flowlite.Flow[params, int] {
	if os.Getenv("EDITED_DIR") != "" && os.Getenv("EDITED") != "" {
		return sell(func(p params) laterOrder { return laterOrder{ID: "7", Dir: p.Dir} }, false)
	}
	return sell(func(p params) order { return order{"7", p.Dir} }, true)
}
