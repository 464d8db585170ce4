// Package flows is what the kill test runs: a chain of tasks with an effect each.
package flows

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/flowlite/flowlite"
)

type ChainParams struct {
	Tasks  int    `json:"tasks" jsonschema:"default=5"`
	Millis int    `json:"millis" jsonschema:"default=20"`
	Dir    string `json:"dir" jsonschema:"description=where each task leaves a file"`
}

type Link struct {
	N      int
	Millis int
	Dir    string
}

var link = flowlite.NewTask("link", func(ctx context.Context, l Link) (int, error) {
	select {
	case <-time.After(time.Duration(l.Millis) * time.Millisecond):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	name := fmt.Sprintf("%s-%d", flowlite.Current(ctx).RunID, l.N)
	return l.N, os.WriteFile(filepath.Join(l.Dir, name), []byte("done"), 0o600)
})

// Chain runs its tasks one after the other and returns their sum.
var Chain = flowlite.NewFlow("chain", func(ctx context.Context, p ChainParams) (int, error) {
	sum := 0
	for n := range p.Tasks {
		v, err := link.Run(ctx, Link{N: n, Millis: p.Millis, Dir: p.Dir})
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
})
