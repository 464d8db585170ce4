package flowlite

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/worker"
)

// Config of an embedded server; see server.Config for each field.
type Config = server.Config

// App is API, UI, loops and a worker inside somebody's program. While it is
// started, what the program does outside a run (Flow.Run, RunDeployment, Secret
// and so on) goes to it, directly and not over HTTP, unless Use says otherwise.
type App struct {
	server *server.Server
	flows  map[string]AnyFlow
	byName map[string]*engine.Flow
	engine *engine.Engine
	once   sync.Once
	ready  chan struct{} // closed when engine is there: claims may come before
	auth   string
	grace  time.Duration
	log    *slog.Logger
}

// New prepares an App. Runs of the given flows execute in this process.
func New(cfg Config, flows ...AnyFlow) (*App, error) {
	a := &App{flows: map[string]AnyFlow{}, byName: map[string]*engine.Flow{}, ready: make(chan struct{}),
		auth: cfg.AuthString, grace: cfg.DrainGrace, log: cfg.Log}
	if a.grace <= 0 {
		a.grace = 10 * time.Second
	}
	for _, f := range flows {
		a.flows[f.Name()], a.byName[f.Name()] = f, checked(f.Erased())
	}
	cfg.Worker, cfg.Flows = true, slices.Sorted(maps.Keys(a.flows))
	cfg.CancelCause, cfg.LostCause = ErrCancelled, ErrLeaseLost
	cfg.InProcess = func(ctx context.Context, c core.Claim) (bool, error) {
		f := a.byName[c.Flow.Name]
		if f == nil {
			return false, nil
		}
		select {
		case <-a.ready:
		case <-ctx.Done():
			return true, context.Cause(ctx)
		}
		return true, inProcess(ctx, a.engine, f, c)
	}
	s, err := server.New(cfg)
	a.server = s
	return a, err
}

// Start returns when the server answers and the flows are deployed.
func (a *App) Start(ctx context.Context) error {
	logHandler()
	if err := a.server.Start(ctx); err != nil {
		return err
	}
	shared.Lock()
	started := slices.Contains(shared.apps, a)
	if !started {
		a.engine = engine.New(engine.Config{Orchestrator: a.server.Service(), Lease: true, Log: a.log})
		shared.apps, shared.told = append(shared.apps, a), nil
	}
	shared.Unlock()
	if started {
		return nil
	}
	a.once.Do(func() { close(a.ready) })
	for _, f := range a.flows {
		list := f.Declared()
		if len(list) == 0 {
			list = []Deployment{{Name: "local"}}
		}
		for _, d := range list {
			if _, err := deploy(ctx, a.server.Service(), f.Erased(), d, ""); err != nil {
				return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
			}
		}
	}
	return nil
}

// Stop ends the App. Runs have until DrainGrace or the end of ctx to finish.
// What is left of the worker's runs resumes at the next start or elsewhere; what
// is left of those that this program runs by Flow.Run ends CRASHED.
func (a *App) Stop(ctx context.Context) error {
	shared.Lock()
	if i := slices.Index(shared.apps, a); i >= 0 {
		shared.apps, shared.told = slices.Delete(shared.apps, i, i+1), nil
	}
	e := a.engine
	shared.Unlock()
	if e != nil {
		grace, cancel := context.WithTimeout(ctx, a.grace)
		e.Stop(grace)
		cancel()
		_ = e.Close(ctx)
	}
	return a.server.Stop(ctx)
}

// URL is where the UI is.
func (a *App) URL() string { return a.server.URL() }

// Client is a client of the App over HTTP, with its credentials, for code that
// is handed an address, or for what the package has no function for.
func (a *App) Client() *client.Client {
	return client.New(client.Config{URL: a.server.APIURL(), AuthString: a.auth})
}

// inProcess executes a claim of a worker in this process. A run that the
// worker's stop cuts off stays as it stands, for the worker to hand it back.
func inProcess(ctx context.Context, e *engine.Engine, f *engine.Flow, c core.Claim) error {
	run, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	defer context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, worker.ErrStopped) {
			cause = ErrStopped
		}
		end(cause)
	})()
	_, err := e.Execute(run, f, c.FlowRun.ID)
	return err
}

// Up runs the flows, with API and UI, until ctx ends: New, Start and Stop in one.
func Up(ctx context.Context, cfg Config, flows ...AnyFlow) error {
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
