// Command program is the flow binary that the tests start, signal and kill.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite"
)

type params struct {
	Tasks int    `json:"tasks"`
	Hang  int    `json:"hang"`                            // the task that hangs while there is no file "go"
	Deaf  bool   `json:"deaf" jsonschema:"default=false"` // it does not heed its context
	Dir   string `json:"dir"`
}

type call struct {
	N int
	P params
}

var step = flowlite.NewTask("step", func(ctx context.Context, c call) (int, error) {
	f, err := os.OpenFile(filepath.Join(c.P.Dir, "effects"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintln(f, c.N)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	if _, err := os.Stat(filepath.Join(c.P.Dir, "go")); c.N == c.P.Hang && err != nil {
		fmt.Println("hanging")
		if c.P.Deaf {
			select {}
		}
		<-ctx.Done()
		fmt.Println("cause:", context.Cause(ctx))
		return 0, context.Cause(ctx)
	}
	return c.N, nil
})

var chain = flowlite.NewFlow("chain", func(ctx context.Context, p params) (int, error) {
	sum := 0
	for n := range p.Tasks {
		v, err := step.Run(ctx, call{n, p})
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}, flowlite.OnCancellation(func(_ context.Context, end flowlite.End) { fmt.Println("hook:", end.State) }))

var stray = flowlite.NewFlow("stray", func(ctx context.Context, _ struct{}) (int, error) {
	go panic("outside of the flow")
	<-ctx.Done()
	return 0, nil
}, flowlite.OnCrashed(func(context.Context, flowlite.End) { fmt.Println("hook: Crashed") }))

// outer has its work done by a subflow.
var outer = flowlite.NewFlow("outer", func(ctx context.Context, p params) (int, error) { return chain.Run(ctx, p) })

func main() {
	if len(os.Args) == 4 && (os.Args[1] == "use" || os.Args[1] == "app") {
		fmt.Println(direct(os.Args[1], os.Args[2], os.Args[3]))
		return
	}
	flowlite.Main(chain, stray, outer)
}

// direct runs a flow without Main: "use" on a server, "app" on an App of the
// program itself, over a database.
func direct(how, target, dir string) error {
	ctx, p := context.Background(), params{Tasks: 2, Hang: 1, Dir: dir}
	if how == "use" {
		flowlite.Use(flowlite.Client(target))
		_, err := outer.Run(ctx, p)
		return err
	}
	app, err := flowlite.New(flowlite.Config{Port: -1, NoUI: true, Home: dir, DatabaseURL: target}, chain)
	if err != nil {
		return err
	}
	if err := app.Start(ctx); err != nil {
		return err
	}
	_, err = chain.Run(ctx, p)
	return err
}
