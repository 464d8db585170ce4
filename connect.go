package flowlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

var shared struct {
	sync.Mutex
	engine  *engine.Engine
	handler *engine.Handler
}

// current is the engine of the run around ctx, else the program's own: over
// the server of FLOWLITE_API_URL, or in memory.
func current(ctx context.Context) (*engine.Engine, error) {
	if e := engine.EngineOf(ctx); e != nil {
		return e, nil
	}
	logHandler()
	shared.Lock()
	defer shared.Unlock()
	if shared.engine != nil {
		return shared.engine, nil
	}
	o, remote, err := connect(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	shared.engine = engine.New(engine.Config{Orchestrator: o, Lease: remote})
	return shared.engine, nil
}

func connect(ctx context.Context) (o core.Orchestrator, remote bool, err error) {
	if url := os.Getenv("FLOWLITE_API_URL"); url != "" {
		return client.New(client.Config{URL: url, AuthString: os.Getenv("FLOWLITE_AUTH_STRING")}), true, nil
	}
	slog.InfoContext(ctx, "no server: flows run in memory; set FLOWLITE_API_URL to keep their runs")
	s, err := inMemory(ctx)
	return s, false, err
}

func inMemory(ctx context.Context) (*orchestrate.Service, error) {
	store, err := db.Open(ctx, "sqlite::memory:")
	if err != nil {
		return nil, fmt.Errorf("open the database in memory: %w", err)
	}
	results := filepath.Join(os.TempDir(), fmt.Sprintf("flowlite-results-%d", os.Getpid()))
	s := orchestrate.New(orchestrate.Config{Store: store, Bus: bus.NewMemory(), Results: orchestrate.DirResults(results)})
	return s, s.Start(ctx)
}

// Use makes the flows that this program runs by itself run over o; nil goes
// back to what the environment says.
func Use(o core.Orchestrator) {
	shared.Lock()
	defer shared.Unlock()
	if o == nil {
		shared.engine = nil
		return
	}
	shared.engine = engine.New(engine.Config{Orchestrator: o})
}

// logHandler makes the default slog logger write the logs of runs, too.
func logHandler() *engine.Handler {
	shared.Lock()
	defer shared.Unlock()
	if shared.handler != nil {
		return shared.handler
	}
	next := slog.Default().Handler()
	if fmt.Sprintf("%T", next) == "*slog.defaultHandler" {
		// That one writes to package log, which SetDefault turns back to slog:
		// wrapping it would never end.
		next = slog.NewTextHandler(os.Stderr, nil)
	}
	shared.handler = engine.NewHandler(next, launched())
	slog.SetDefault(slog.New(shared.handler))
	return shared.handler
}
