// Command chain is the flow of the chaos test. Whatever it does leaves a line
// in the run's own file, written at once by one call.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
)

type Params struct {
	Tasks  int    `json:"tasks"`
	Millis int    `json:"millis"`
	Dir    string `json:"dir"`
	Limit  string `json:"limit,omitempty"` // the tasks take a slot of it
	Of     string `json:"of,omitempty"`    // the run that this one was started for
}

type Link struct {
	N int
	Params
}

// process tells executions apart: process ids come again.
var process = core.NewID().String()

func say(ctx context.Context, dir, what string, n int, detail string) error {
	f, err := os.OpenFile(filepath.Join(dir, flowlite.Current(ctx).RunID), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = fmt.Fprintf(f, "%d %s %s %d %s\n", time.Now().UnixMicro(), process, what, n, detail)
	return err
}

// link answers which process did it.
var link = flowlite.NewTask("link", func(ctx context.Context, l Link) (string, error) {
	key := flowlite.Current(ctx).IdempotencyKey()
	if l.Limit != "" {
		release, err := flowlite.Acquire(ctx, l.Limit, 1)
		if err != nil {
			return "", err
		}
		defer release()
		if err := say(ctx, l.Dir, "in", l.N, key); err != nil {
			return "", err
		}
		defer func() { _ = say(ctx, l.Dir, "out", l.N, key) }()
	}
	// Some time on either side: between effect and record is where it hurts.
	half := time.Duration(l.Millis) * time.Millisecond / 2
	if err := wait(ctx, half); err != nil {
		return "", err
	}
	if err := say(ctx, l.Dir, "effect", l.N, key); err != nil {
		return "", err
	}
	return process, wait(ctx, half)
})

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var chain = flowlite.NewFlow("chain", func(ctx context.Context, p Params) (int, error) {
	for n := range p.Tasks {
		by, err := link.Run(ctx, Link{n, p})
		if err != nil {
			return 0, err
		}
		if err := say(ctx, p.Dir, "recorded", n, by); err != nil {
			return 0, err
		}
	}
	return p.Tasks, nil
})

func main() { flowlite.Main(chain) }
