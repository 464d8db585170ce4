// Package page is the kit that the rooms of the UI build their pages with:
// rendering, forms, errors, redirects, names of runs, streams of changes, and the
// guard against forms of other sites.
package page

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views/static"
)

// Store is what the kit reads: the figures of the navigation, names, and what
// the palette finds.
type Store interface {
	Automations(ctx context.Context, f *core.AutomationFilter, p core.Page) ([]*core.Automation, error)
	CountFlowRuns(ctx context.Context, f core.Filters) (int64, error)
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
	Engine() string
	Events(ctx context.Context, f *core.EventFilter, p core.Page) ([]*core.Event, error)
	Flow(ctx context.Context, id core.UUID) (*core.Flow, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error)
	Flows(ctx context.Context, f core.Filters, p core.Page) ([]*core.Flow, error)
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
}

// Config is what the kit needs. Store and Bus are required.
type Config struct {
	Store    Store
	Bus      core.Bus
	Version  string
	BasePath string // "" or "/flowlite": where a proxy puts the UI
	// PublicURL is the address at which people find the pages; if it is empty,
	// the address of the request is used.
	PublicURL string
	Log       *slog.Logger
	Now       func() core.Time        // nil: core.Now
	Facts     func() core.ServerFacts // nil: the settings page shows the database alone
}

// Kit is shared by all rooms of one UI.
type Kit struct {
	Config
	names    names
	streams  streams
	stopping chan struct{}
	stop     sync.Once
}

// New makes the kit. Stop ends its open streams.
func New(c Config) *Kit {
	k := &Kit{Config: c, stopping: make(chan struct{})}
	k.BasePath = strings.TrimSuffix(c.BasePath, "/")
	if k.Log == nil {
		k.Log = slog.Default()
	}
	if k.Now == nil {
		k.Now = core.Now
	}
	return k
}

// Stop ends the open streams, which a server's shutdown would wait for. It may
// be called repeatedly.
func (k *Kit) Stop() { k.stop.Do(func() { close(k.stopping) }) }

// Routes are the addresses that belong to no room.
func (k *Kit) Routes(r *Router) {
	r.Get("/{$}", k.Forward("/dashboard", ""))
	r.Get("/palette", k.palette)
	r.Get("/stream/changes", k.changes)
	r.Post("/ui/theme", k.theme)
	r.mux.HandleFunc("GET /static/", static.Serve)
	r.mux.HandleFunc("/", k.serve(func(http.ResponseWriter, *http.Request) error { return NoPage() }))
}

// FlowsFolder returns the state of the server's flows directory, or nil if the
// server has none.
func (k *Kit) FlowsFolder() *core.FlowsFacts {
	if k.Facts == nil {
		return nil
	}
	return k.Facts().Flows
}

// Router collects the routes of all rooms.
type Router struct {
	kit      *Kit
	mux      *http.ServeMux
	patterns []string
}

// NewRouter makes a router without routes.
func (k *Kit) NewRouter() *Router { return &Router{kit: k, mux: http.NewServeMux()} }

// Get adds a page.
func (r *Router) Get(path string, h Handler) { r.add("GET "+path, h) }

// Post adds a form.
func (r *Router) Post(path string, h Handler) { r.add("POST "+path, h) }

func (r *Router) add(pattern string, h Handler) {
	r.patterns = append(r.patterns, pattern)
	r.mux.HandleFunc(pattern, r.kit.serve(h))
}

// Patterns are the method and path of every page and form, as "GET /flows/{id}".
func (r *Router) Patterns() []string { return r.patterns }

// Handler serves the routes behind the guard.
func (r *Router) Handler() http.Handler { return r.kit.guard(ownForms(r.mux)) }
