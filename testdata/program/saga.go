package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flowlite/flowlite"
)

type trip struct {
	End string `json:"end"` // complete, fail, fail once, fail for good, cancel
	Dir string `json:"dir"`
}

type booking struct {
	N   int
	Dir string
}

// moments counts the places of the saga where its process can be killed.
var moments atomic.Int64

// moment kills the process if it is the one that SAGA_KILL names.
func moment() {
	if at, err := strconv.ParseInt(os.Getenv("SAGA_KILL"), 10, 64); err == nil && moments.Add(1) == at {
		kill()
	}
}

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

var book = flowlite.NewTask("book", func(ctx context.Context, b booking) (int, error) {
	moment()
	err := note(ctx, b.Dir, fmt.Sprintf("book:%d", b.N))
	moment()
	return b.N, err
})

// saga books three things, each with an undo. SAGA_KILL is the moment of its
// death: the how-manieth, or a time after the start.
var saga = flowlite.NewFlow("saga", func(ctx context.Context, p trip) (int, error) {
	if d, ok := strings.CutSuffix(os.Getenv("SAGA_KILL"), "us"); ok {
		if n, err := strconv.Atoi(d); err == nil {
			time.AfterFunc(time.Duration(n)*time.Microsecond, kill)
		}
	}
	for n := range 3 {
		err := flowlite.Compensate(ctx, fmt.Sprintf("booking %d", n), func(ctx context.Context) error {
			moment()
			err := note(ctx, p.Dir, fmt.Sprintf("undo:%d", n))
			moment()
			return err
		})
		if err != nil {
			return 0, err
		}
		moment()
		if _, err := book.Run(ctx, booking{n, p.Dir}); err != nil {
			return 0, err
		}
	}
	moment()
	switch {
	case p.End == "cancel":
		return flowlite.Step(ctx, "hang", func(ctx context.Context) (int, error) {
			fmt.Println("hanging")
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
	case p.End == "fail for good":
		return 0, flowlite.Permanent(errors.New("no courier"))
	case p.End == "fail", p.End == "fail once" && flowlite.Current(ctx).Attempt == 1:
		return 0, errors.New("no courier")
	}
	return 3, nil
}, flowlite.Retries(1, 0))
