package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/worker"
)

// App is a flowlite server with a worker inside a program.
type App struct {
	cfg    Config
	db     database
	server *server.Server
	flows  map[string]*engine.Flow

	life    sync.Mutex // of Start and Stop
	started bool

	mu     sync.Mutex
	engine *engine.Engine
	box    *outbox       // nil: transactions cannot start runs
	ready  chan struct{} // closed when engine is that of this start: claims may come before
}

// New prepares an App. Runs of the given flows execute in this process. New
// opens nothing; it returns an error if cfg cannot work.
func New(cfg Config, flows ...flowlite.AnyFlow) (*App, error) {
	a := &App{cfg: cfg, flows: map[string]*engine.Flow{}, ready: make(chan struct{})}
	if a.cfg.DrainGrace <= 0 {
		a.cfg.DrainGrace = 10 * time.Second
	}
	for _, f := range flows {
		if a.flows[f.Name()] != nil {
			return nil, fmt.Errorf("two flows are named %q; give one of them another name", f.Name())
		}
		a.flows[f.Name()] = engine.FlowOf(f)
	}
	var err error
	if a.db, err = a.cfg.database(); err != nil {
		return nil, err
	}
	c := a.cfg.server()
	c.Postgres = a.db.postgres
	c.Flows = slices.Sorted(maps.Keys(a.flows))
	c.CancelCause, c.LostCause, c.InProcess = flowlite.ErrCancelled, flowlite.ErrLeaseLost, a.execute
	if a.server, err = server.New(c); err != nil {
		return nil, err
	}
	return a, nil
}

// execute runs a claim of the App's worker in this process.
func (a *App) execute(ctx context.Context, c core.Claim) (bool, error) {
	f := a.flows[c.Flow.Name]
	if f == nil {
		return false, nil
	}
	a.mu.Lock()
	ready := a.ready
	a.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return true, context.Cause(ctx)
	}
	e, err := a.current()
	if err != nil {
		return true, err
	}
	return true, e.ExecuteClaim(ctx, f.Checked(), c, worker.ErrStopped)
}

// Start returns when the App answers requests and its flows are deployed. It
// may be repeated, also after Stop.
func (a *App) Start(ctx context.Context) error {
	a.life.Lock()
	defer a.life.Unlock()
	if a.started {
		return nil
	}
	a.mu.Lock()
	a.ready = make(chan struct{})
	a.mu.Unlock()
	if err := a.server.Start(ctx); err != nil {
		return err
	}
	box, err := a.openOutbox(ctx)
	if err != nil {
		return errors.Join(err, a.server.Stop(context.WithoutCancel(ctx)))
	}
	a.connect(box)
	if err := a.deployAll(ctx); err != nil {
		return errors.Join(err, a.stop(context.WithoutCancel(ctx)))
	}
	a.started = true
	return nil
}

func (a *App) connect(box *outbox) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := engine.Config{Orchestrator: a.server.Service(), Lease: true, Log: a.cfg.Logger}
	if a.box = box; box != nil {
		c.Outbox = box
	}
	a.engine = engine.New(c)
	close(a.ready)
}

func (a *App) deployAll(ctx context.Context) error {
	var all []*core.Deployment
	for _, f := range a.flows {
		list, err := a.deploy(ctx, f)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	return a.prune(ctx, all)
}

// deploy returns the flow's deployments.
func (a *App) deploy(ctx context.Context, f *engine.Flow) (all []*core.Deployment, err error) {
	list, err := f.Declared("local")
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if a.cfg.WorkPool != "" && !d.WorkPoolName.Set {
			d.WorkPoolName = core.Some(a.cfg.WorkPool)
		}
		deployed, err := engine.Deploy(ctx, a.server.Service(), f, d)
		if err != nil {
			return nil, err
		}
		all = append(all, deployed)
	}
	return all, nil
}

func (a *App) logger() *slog.Logger {
	if a.cfg.Logger == nil {
		return slog.Default()
	}
	return a.cfg.Logger
}

var errNotStarted = errors.New("the App of this context is not started; call its Start first")

func (a *App) current() (*engine.Engine, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.engine == nil {
		return nil, errNotStarted
	}
	return a.engine, nil
}

// Context returns a context in which everything outside a run goes to the App:
// Flow.Run, RunDeployment, Variable, and the rest. It may be made before Start.
func (a *App) Context(ctx context.Context) context.Context { return engine.With(ctx, a.current) }

// Stop ends the App. Runs have DrainGrace, or until ctx ends, to finish. The
// worker's runs that are left resume at the next start or elsewhere. Runs that
// the program itself runs by Flow.Run end CRASHED. Start starts the App again.
func (a *App) Stop(ctx context.Context) error {
	a.life.Lock()
	defer a.life.Unlock()
	a.started = false
	return a.stop(ctx)
}

func (a *App) stop(ctx context.Context) error {
	if e, err := a.current(); err == nil {
		grace, cancel := context.WithTimeout(ctx, a.cfg.DrainGrace)
		e.Stop(grace)
		cancel()
		_ = e.Close(ctx)
	}
	a.mu.Lock()
	box := a.box
	a.box = nil
	a.mu.Unlock()
	box.close()
	return a.server.Stop(ctx)
}

// Handler serves API and UI below Config.BasePath, for the mux of the program:
//
//	mux.Handle("/admin/flows/", app.Handler()) // BasePath: "/admin/flows"
//
// Guard it by Config.Identity, or wrap it in the authentication of the program and
// name the program's hosts in AllowedHosts or PublicURL. While the App does not
// run, it answers 503.
func (a *App) Handler() http.Handler { return a.server.Handler() }

// URL is the address of the UI, known after Start. It is empty with NoListen,
// unless Config.PublicURL is set.
func (a *App) URL() string { return a.server.URL() }

// Client returns a client of the App over HTTP, with its credentials: for code
// that needs an address, or for what package flowlite has no function for.
func (a *App) Client() *client.Client {
	return client.New(client.Config{URL: a.server.APIURL(), AuthString: a.cfg.AuthString})
}

// Up runs the flows, with API and UI, until ctx ends: New, Start, and Stop in one.
func Up(ctx context.Context, cfg Config, flows ...flowlite.AnyFlow) error {
	a, err := New(cfg, flows...)
	if err != nil {
		return err
	}
	return a.Up(ctx)
}

// Up starts the App and stops it when ctx ends.
func (a *App) Up(ctx context.Context) error {
	if err := a.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return a.Stop(context.WithoutCancel(ctx))
}
