package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

type approval struct {
	Approved bool   `json:"approved" jsonschema:"description=pay it?"`
	Comment  string `json:"comment" jsonschema:"default=none"`
}

// approve runs a deployment and answers its pause, as a person does in the UI.
func approve(server *client.Client, flow string) (*core.FlowRun, error) {
	ctx := context.Background()
	d, err := server.DeploymentByName(ctx, flow, "local")
	if err != nil {
		return nil, err
	}
	run, err := server.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{})
	for err == nil && !run.StateType.Final() {
		if run.StateType == core.Paused {
			fmt.Println(run.StateName, *run.State.Message)
			if _, err := server.ResumeFlowRun(ctx, run.ID, core.JSON(`{"approved":true}`)); err != nil {
				return nil, err
			}
		}
		run, err = server.WaitFlowRun(ctx, run.ID, run.StateID, 30)
	}
	return run, err
}

func ExamplePause() {
	refund := flowlite.NewFlow("refund", func(ctx context.Context, _ struct{}) (string, error) {
		a, err := flowlite.Pause[approval](ctx, flowlite.Ask{Description: "Pay 500 to ACME?", Timeout: 24 * time.Hour})
		if err != nil || !a.Approved {
			return "refused", err
		}
		fmt.Println("paid, comment:", a.Comment)
		return "paid", nil
	})
	_, server, stop := started(refund)
	defer stop()
	run, err := approve(server, "refund")
	fmt.Println(run.StateName, err)
	// Output:
	// Paused Pay 500 to ACME?
	// paid, comment: none
	// Completed <nil>
}

func ExamplePause_unanswered() {
	refund := flowlite.NewFlow("refund", func(ctx context.Context, _ struct{}) (string, error) {
		_, err := flowlite.Pause[approval](ctx, flowlite.Ask{Description: "Pay 500 to ACME?", Timeout: time.Millisecond})
		if errors.Is(err, flowlite.ErrUnanswered) {
			return "escalated", nil // the run goes on
		}
		return "paid", err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(refund.Run(ctx, struct{}{}))
	// Output: escalated <nil>
}

func ExampleAsk() {
	refund := flowlite.NewFlow("refund", func(ctx context.Context, _ struct{}) (string, error) {
		a, err := flowlite.Pause[approval](ctx, flowlite.Ask{Timeout: time.Millisecond, OnTimeout: approval{Comment: "too late"}})
		return a.Comment, err
	})
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(refund.Run(ctx, struct{}{}))
	// Output: too late <nil>
}

func ExampleCleanup() {
	release := flowlite.NewTask("release", func(_ context.Context, room string) (bool, error) {
		fmt.Println("released", room)
		return true, nil
	})
	book := flowlite.NewFlow("book", func(ctx context.Context, p struct{ Room string }) (string, error) {
		defer func(ctx context.Context) {
			if ctx.Err() == nil { // not when the run is suspended or continues elsewhere
				_, _ = release.Run(ctx, p.Room)
			}
		}(flowlite.Cleanup(ctx))
		<-ctx.Done() // takes too long
		return "", context.Cause(ctx)
	}, flowlite.Timeout(time.Millisecond))
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	_, err := book.Run(ctx, struct{ Room string }{"room 7"})
	fmt.Println(errors.Is(err, flowlite.ErrTimedOut))
	// Output:
	// released room 7
	// true
}

func ExampleSuspend() {
	count := flowlite.NewTask("count", func(_ context.Context, n int) (int, error) {
		fmt.Println("counted once")
		return n, nil
	})
	refund := flowlite.NewFlow("refund", func(ctx context.Context, _ struct{}) (string, error) {
		if _, err := count.Run(ctx, 500); err != nil {
			return "", err
		}
		a, err := flowlite.Suspend[approval](ctx, flowlite.Ask{Description: "Pay 500 to ACME?"})
		if err != nil {
			return "", err // the process ends here; on resume the flow begins anew and comes by
		}
		fmt.Println("approved:", a.Approved)
		return "paid", nil
	})
	_, server, stop := started(refund)
	defer stop()
	run, err := approve(server, "refund")
	fmt.Println(run.StateName, err)
	// Output:
	// counted once
	// Suspended Pay 500 to ACME?
	// approved: true
	// Completed <nil>
}
