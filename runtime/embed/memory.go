package embed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// As a driver of database/sql does, the import of the package registers what
// the program may then use: flows that run in memory, without a server.
func init() { engine.RegisterMemory(inMemory) }

func inMemory(ctx context.Context) (*engine.Engine, error) {
	store, err := db.Open(ctx, "sqlite::memory:")
	if err != nil {
		return nil, fmt.Errorf("open the database in memory: %w", err)
	}
	results := filepath.Join(os.TempDir(), fmt.Sprintf("flowlite-results-%d", os.Getpid()))
	s := local.New(local.Config{Store: store, Bus: bus.NewMemory(), Results: orchestrate.DirResults(results)})
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	return engine.New(engine.Config{Orchestrator: s}), nil
}
