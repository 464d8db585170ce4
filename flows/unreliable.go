package flows

import (
	"context"
	"fmt"
	"time"

	"github.com/flowlite/flowlite"
)

type UnreliableParams struct {
	Fail  int     `json:"fail" jsonschema:"default=2,minimum=0,description=how many attempts of the task fail"`
	Sleep float64 `json:"sleep" jsonschema:"default=1,minimum=0,description=seconds to sleep durably"`
	Panic bool    `json:"panic" jsonschema:"default=false,description=panic in the task"`
	Hang  bool    `json:"hang" jsonschema:"default=false,description=let the task hang past its time limit"`
}

var shaky = flowlite.NewTask("shaky", func(ctx context.Context, p UnreliableParams) (int, error) {
	attempt := flowlite.Current(ctx).Attempt
	switch {
	case p.Panic:
		panic("asked to")
	case p.Hang:
		<-ctx.Done()
		return 0, context.Cause(ctx)
	case attempt <= p.Fail:
		return 0, fmt.Errorf("attempt %d fails as asked", attempt)
	}
	return attempt, nil
}, flowlite.Retries(3, time.Second), flowlite.Timeout(2*time.Second))

// Unreliable does what can go wrong: it fails, retries, sleeps, panics, hangs.
var Unreliable = flowlite.NewFlow("unreliable", func(ctx context.Context, p UnreliableParams) (int, error) {
	if err := flowlite.Sleep(ctx, time.Duration(p.Sleep*float64(time.Second))); err != nil {
		return 0, err
	}
	return shaky.Run(ctx, p)
}, flowlite.Description("Fails, retries, sleeps, panics or hangs on request."))
