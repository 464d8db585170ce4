// Package ui serves the web interface: it mounts the rooms page, run,
// deployment, automation, pool and data.
//
// Pages read the store and change things through the ports of their room alone. The
// same address serves page and fragment, told apart by HX-Request, and everything
// works without JavaScript.
package ui

import (
	"log/slog"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/automation"
	"github.com/flowlite/flowlite/runtime/ui/data"
	"github.com/flowlite/flowlite/runtime/ui/deployment"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/runtime/ui/pool"
	"github.com/flowlite/flowlite/runtime/ui/run"
)

// Services is what the forms of each room do.
type Services struct {
	Runs        run.Service
	Searches    run.Searches
	Deployments deployment.Service
	Automations automation.Service
	Pools       pool.Service
	Data        data.Services
}

// Store is what the pages of each room read.
type Store struct {
	Page        page.Store
	Runs        run.Store
	Deployments deployment.Store
	Automations automation.Store
	Pools       pool.Store
	Data        data.Store
}

// StoreOf makes each port of a whole database.
func StoreOf(s core.Store) Store { return Store{s, s, s, s, s, s} }

// Config is what the UI needs. Services, Store, and Bus are required.
type Config struct {
	Services Services
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

// UI serves everything outside /api.
type UI struct {
	kit     *page.Kit
	router  *page.Router
	handler http.Handler
}

// New makes the handler. Stop ends its open streams.
func New(c Config) *UI {
	kit := page.New(page.Config{
		Store: c.Store.Page, Bus: c.Bus, Version: c.Version, BasePath: c.BasePath, PublicURL: c.PublicURL, Log: c.Log, Now: c.Now, Facts: c.Facts,
	})
	pools := pool.New(kit, c.Services.Pools, c.Store.Pools)
	u := &UI{kit: kit, router: kit.NewRouter()}
	for _, room := range []interface{ Routes(*page.Router) }{
		kit,
		run.New(kit, c.Services.Runs, c.Services.Searches, c.Store.Runs, pools.Load),
		deployment.New(kit, c.Services.Deployments, c.Store.Deployments),
		pools,
		automation.New(kit, c.Services.Automations, c.Store.Automations),
		data.New(kit, c.Services.Data, c.Store.Data),
	} {
		room.Routes(u.router)
	}
	u.handler = u.router.Handler()
	return u
}

// Patterns are the method and path of every page and form, as "GET /flows/{id}".
func (u *UI) Patterns() []string { return u.router.Patterns() }

// Streams is how many streams are open over HTTP/1.1.
func (u *UI) Streams() int { return u.kit.Streams() }

// Stop ends the open streams, which a server's shutdown would wait for. It may
// be called repeatedly.
func (u *UI) Stop() { u.kit.Stop() }

func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) { u.handler.ServeHTTP(w, r) }
