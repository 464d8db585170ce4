package flowlite

import (
	"context"
	"io"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// What the tests of the package flowlite_test, which may import runtime/embed,
// need of this one.

type Registry = registry

func RunProgram(ctx context.Context, flows map[string]AnyFlow, out io.Writer, args ...string) error {
	return (&program{flows: flows, out: out}).run(ctx, args)
}

func (d Deployment) Create(f AnyFlow) (core.DeploymentCreate, error) {
	return d.create(engine.FlowOf(f), "")
}
