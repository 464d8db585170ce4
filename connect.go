package flowlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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
	used    *engine.Engine  // of Use
	apps    []*App          // that are started, in the order of their starts
	outside *engine.Engine  // what the environment names, connected on first use
	told    map[string]bool // the destinations that were logged
	handler *engine.Handler
}

// current returns the engine of the run that ctx belongs to. Outside a run it
// is the engine of Use, else that of an App that this program has started, else
// one for the server of FLOWLITE_API_URL, else one in memory. Of several Apps it
// is the one that has the flow, else the one that was started last.
func current(ctx context.Context, flow string) (*engine.Engine, error) {
	if e := engine.EngineOf(ctx); e != nil {
		return e, nil
	}
	logHandler()
	shared.Lock()
	defer shared.Unlock()
	if shared.used != nil {
		tell(ctx, "flow runs go to the server passed to Use", addressOf(shared.used.Orchestrator()))
		return shared.used, nil
	}
	if a := appOf(flow); a != nil {
		tell(ctx, "flow runs go to the App of this program", a.URL())
		return a.engine, nil
	}
	if shared.outside == nil {
		o, remote, err := connect(context.WithoutCancel(ctx))
		if err != nil {
			return nil, err
		}
		shared.outside = engine.New(engine.Config{Orchestrator: o, Lease: remote, Logs: engine.WorkerLogs()})
	}
	if url := addressOf(shared.outside.Orchestrator()); url != "" {
		tell(ctx, "flow runs go to the server of FLOWLITE_API_URL", url)
	} else {
		tell(ctx, inMemoryOnly, "")
	}
	return shared.outside, nil
}

const inMemoryOnly = "flow runs are kept in memory until the program ends; start an App, call Use, or set FLOWLITE_API_URL to store them"

// tell logs once where runs go. A process that a worker started does not: its run
// is there already, and the line would stand in the run's log.
func tell(ctx context.Context, what, url string) {
	if launched() || shared.told[what+url] {
		return
	}
	if shared.told == nil {
		shared.told = map[string]bool{}
	}
	shared.told[what+url] = true
	switch {
	case what == inMemoryOnly:
		slog.WarnContext(ctx, what)
	case url == "":
		slog.InfoContext(ctx, what)
	default:
		slog.InfoContext(ctx, what, "url", url)
	}
}

// addressOf is empty for a store in this process.
func addressOf(o core.Orchestrator) string {
	if remote, ok := o.(interface{ URL() string }); ok {
		return remote.URL()
	}
	return ""
}

func appOf(flow string) *App {
	for _, a := range slices.Backward(shared.apps) {
		if a.byName[flow] != nil {
			return a
		}
	}
	if n := len(shared.apps); n > 0 {
		return shared.apps[n-1]
	}
	return nil
}

func connect(ctx context.Context) (o core.Orchestrator, remote bool, err error) {
	if url := os.Getenv("FLOWLITE_API_URL"); url != "" {
		return client.New(client.Config{URL: url, AuthString: os.Getenv("FLOWLITE_AUTH_STRING")}), true, nil
	}
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

// Use makes what this program does outside a run go to o, also while it has an
// App. Nil ends that.
func Use(o core.Orchestrator) {
	shared.Lock()
	defer shared.Unlock()
	shared.told = nil
	if o == nil {
		shared.used, shared.outside = nil, nil
		return
	}
	shared.used = engine.New(engine.Config{Orchestrator: o, Lease: true})
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
