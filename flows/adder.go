package flows

import (
	"context"
	"time"

	"github.com/flowlite/flowlite"
)

type AdderParams struct {
	A int `json:"a" jsonschema:"default=1,description=first summand"`
	B int `json:"b" jsonschema:"default=2,description=second summand"`
}

type Pair struct{ X, Y int }

var add = flowlite.NewTask("add", func(ctx context.Context, p Pair) (int, error) {
	flowlite.Logger(ctx).InfoContext(ctx, "adding", "x", p.X, "y", p.Y)
	return p.X + p.Y, nil
}, flowlite.Retries(2, 5*time.Second))

// Adder adds two numbers: the smallest flow with a task and parameters.
var Adder = flowlite.NewFlow("adder", func(ctx context.Context, p AdderParams) (int, error) {
	return add.Run(ctx, Pair{p.A, p.B})
}, flowlite.Description("Adds two numbers."),
	flowlite.Deploys(flowlite.Deployment{Name: "adder-dev", Parameters: AdderParams{A: 10, B: 20}, Tags: []string{"example"}}))
