package embed

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// InMemory returns a context in which flows run without a server: everything
// outside a run goes to a store in memory, with the same semantics. Without API,
// UI, and background services, nothing starts by itself: deployments do not run.
// Call stop to end the runs that are left, with [flowlite.ErrStopped], and to drop
// the store.
func InMemory(ctx context.Context) (_ context.Context, stop func()) {
	m := &memory{}
	return engine.With(ctx, m.open), m.stop
}

// memory is opened by the first call that needs it.
type memory struct {
	mu      sync.Mutex
	stopped bool
	engine  *engine.Engine
	close   []func() error // in reverse
}

func (m *memory) open() (*engine.Engine, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.stopped:
		return nil, engine.ErrStopped
	case m.engine != nil:
		return m.engine, nil
	}
	e, err := m.make()
	if err != nil {
		m.undo()
		return nil, fmt.Errorf("open the store in memory: %w", err)
	}
	m.engine = e
	return e, nil
}

func (m *memory) make() (*engine.Engine, error) {
	ctx := context.Background() // that of a call ends before the store
	results, err := os.MkdirTemp("", "flowlite-results-")
	if err != nil {
		return nil, core.Errorf(core.EUnavailable, "make a directory for results: %w", err)
	}
	m.close = append(m.close, func() error { return os.RemoveAll(results) })
	store, err := db.Open(ctx, "sqlite::memory:")
	if err != nil {
		return nil, err
	}
	m.close = append(m.close, store.Close)
	s := local.New(local.Config{Store: store, Bus: bus.NewMemory(), Results: orchestrate.DirResults(results)})
	m.close = append(m.close, func() error { return s.Stop(ctx) })
	return engine.New(engine.Config{Orchestrator: s, Lease: true}), s.Start(ctx)
}

func (m *memory) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
	if m.engine == nil {
		return
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	m.engine.Stop(now)
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = m.engine.Close(end)
	m.undo()
}

func (m *memory) undo() {
	for _, end := range slices.Backward(m.close) {
		_ = end() // what fails to close is temporary
	}
	m.close = nil
}
