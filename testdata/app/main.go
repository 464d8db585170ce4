// Command app is a program that embeds flowlite. With a database and a directory
// it starts an App, which the tests kill while it runs a flow; without, it runs
// flows in no context, and then in memory.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

type params struct {
	Dir string `json:"dir"`
}

var hang = flowlite.NewFlow("hang", func(ctx context.Context, _ params) (int, error) {
	fmt.Println("hanging")
	<-ctx.Done()
	return 0, context.Cause(ctx)
})

var quick = flowlite.NewFlow("quick", func(_ context.Context, n params) (string, error) { return n.Dir, nil })

func main() {
	if len(os.Args) == 1 {
		fmt.Println(quick.Run(context.Background(), params{"nowhere"}))
		ctx, stop := embed.InMemory(context.Background())
		fmt.Println(quick.Run(ctx, params{"here"}))
		fmt.Println(flowlite.Emit(ctx, "app.ran", nil))
		stop()
		fmt.Println(quick.Run(ctx, params{"late"}))
		return
	}
	fmt.Println(run(context.Background(), os.Args[1], os.Args[2]))
}

func run(ctx context.Context, database, dir string) error {
	app, err := embed.New(embed.Config{Port: -1, NoUI: true, Home: dir, DatabaseURL: database}, hang)
	if err != nil {
		return err
	}
	if err := app.Start(ctx); err != nil {
		return err
	}
	_, err = hang.Run(app.Context(ctx), params{dir})
	return err
}
