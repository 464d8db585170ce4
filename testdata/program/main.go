// Command program is the flow binary that the tests start, signal and kill.
package main

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

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

type endParams struct {
	How   string `json:"how"`
	Lines int    `json:"lines" jsonschema:"default=0"`
}

// ends logs and ends its process at once, in one of many ways.
var ends = flowlite.NewFlow("ends", func(ctx context.Context, p endParams) (int, error) {
	log := flowlite.Logger(ctx)
	for n := range p.Lines {
		log.Info(fmt.Sprintf("line %d", n))
	}
	log.Info("last words")
	switch p.How {
	case "exit":
		os.Exit(3)
	case "panic in a goroutine":
		go panic("outside of the flow")
		select {}
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "fatal":
		stdlog.Fatal("no more")
	case "goexit":
		runtime.Goexit()
	case "task":
		return quits.Run(ctx, struct{}{})
	}
	return 0, nil
})

var quits = flowlite.NewTask("quits", func(ctx context.Context, _ struct{}) (int, error) {
	flowlite.Logger(ctx).Info("last words of a task")
	os.Exit(3)
	return 0, nil
})

// outer has its work done by a subflow.
var outer = flowlite.NewFlow("outer", func(ctx context.Context, p params) (int, error) { return chain.Run(ctx, p) })

func main() {
	if len(os.Args) == 4 && os.Args[1] == "connect" {
		fmt.Println(connect(os.Args[2], os.Args[3]))
		return
	}
	flowlite.Main(chain, stray, outer, ends, inner, everything, edited(), saga, consumer)
}

// connect runs a flow on a server without Main.
func connect(url, dir string) error {
	server, err := flowlite.Connect(url)
	if err != nil {
		return err
	}
	_, err = outer.Run(server.Context(context.Background()), params{Tasks: 2, Hang: 1, Dir: dir})
	return err
}
