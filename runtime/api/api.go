package api

import (
	"log/slog"
	"net/http"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/automation"
	"github.com/flowlite/flowlite/runtime/block"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/data"
	"github.com/flowlite/flowlite/runtime/limit"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/retention"
)

// Config is what the API needs. The use cases, Store, and Bus are required.
type Config struct {
	Runs          *orchestrate.Service
	Limits        *limit.Limits
	Blocks        *block.Blocks
	Automations   *automation.Automations
	Variables     *data.Variables
	Artifacts     *data.Artifacts
	SavedSearches *data.SavedSearches
	Logs          *data.Logs
	Events        *data.Events
	Retention     *retention.Trimmer
	Store         Store
	Bus           core.Bus

	Access   *access.Guard    // nil: no credentials are asked for
	Webhooks *access.Throttle // of wrong tokens; nil: unbounded
	Origins  []string         // of web pages that may call the API from elsewhere: "https://app.example.com"
	CSRF     bool             // changing requests must carry a token of GET /csrf-token
	CSRFKey  []byte           // of all servers on the database; default: one of this process
	Version  string           // flowlite's own, in GET /admin/settings
	Log      *slog.Logger
	Health   func() any // details for GET /ready, such as the loops' progress
}

// API is the http.Handler of everything under /api.
type API struct {
	Config
	store   *Store
	bus     core.Bus
	log     *slog.Logger
	mux     *http.ServeMux
	origins *http.CrossOriginProtection
	csrf    *csrf       // nil: nobody needs a token
	ops     []Operation // in table order, for the ledger
}

// Operation is a line of the ledger: what is served, and the status of success.
type Operation struct {
	Method, Path string
	Status       int
	Open, Socket bool
	Runs         string // what the credentials of a flow run reach; empty: nothing
}

// New serves c. The handler expects whole paths, /api included.
func New(c Config) *API {
	a := &API{Config: c, bus: c.Bus, log: c.Log,
		mux: http.NewServeMux(), origins: http.NewCrossOriginProtection()}
	a.store = &a.Store
	if a.log == nil {
		a.log = slog.Default()
	}
	if c.CSRF {
		a.csrf = newCSRF(c.CSRFKey)
	}
	for _, origin := range c.Origins {
		_ = a.origins.AddTrustedOrigin(origin) // Config's owner has checked them
	}
	for _, g := range a.groups() {
		for _, o := range g.ops {
			path := "/api" + g.prefix + o.path
			a.ops = append(a.ops, Operation{o.method, path, o.status, o.open, o.socket, string(o.reach)})
			o.plan = planFor(o.method, g.prefix+o.path, o.body)
			if path[len(path)-1] == '/' {
				path += "{$}"
			}
			a.mux.Handle(o.method+" "+path, a.handle(o))
		}
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r, ok := a.enter(w, r, &op{reach: anyReach}); ok {
			a.noRoute(w, r)
		}
	})
	return a
}

// Operations are the method and path of everything that is served, as
// "GET /api/flows/{id}"; those that are websockets or open to anybody say so.
func (a *API) Operations() []Operation { return a.ops }

func (a *API) groups() []group {
	return []group{
		a.root(), a.admin(), a.flows(), a.flowRuns(), a.flowRunInputs(), a.flowRunStreams(), a.flowRunStatuses(),
		a.flowRunMessages(), a.flowRunWebhooks(), a.webhooks(),
		a.flowRunStates(),
		a.taskRuns(), a.taskRunStates(), a.deployments(), a.schedules(),
		a.workPools(), a.workPoolQueues(), a.workers(), a.workQueues(), a.leases(),
		a.logs(), a.events(), a.artifacts(), a.variables(), a.limits(), a.tagLimits(),
		a.blockTypes(), a.blockSchemas(), a.blockDocuments(), a.blockCapabilities(),
		a.collections(), a.automations(), a.templates(), a.results(), a.sockets(),
		a.savedSearches(), a.taskWorkers(),
	}
}

// noRoute answers what no operation matches: another method of a known path
// (405), the path with or without its last slash (307), or nothing (404).
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) {
	if a.serves(r, r.URL.Path) {
		writeDetail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	path := r.URL.Path + "/"
	if n := len(r.URL.Path); n > 1 && r.URL.Path[n-1] == '/' {
		path = r.URL.Path[:n-1]
	}
	if !a.serves(r, path) {
		writeDetail(w, http.StatusNotFound, "Not Found")
		return
	}
	u := *r.URL
	u.Path, u.RawPath = path, ""
	w.Header().Set("Location", u.RequestURI())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func (a *API) serves(r *http.Request, path string) bool {
	probe := &http.Request{Host: r.Host, URL: cloneURL(r, path)}
	for _, m := range [...]string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
		probe.Method = m
		if _, pattern := a.mux.Handler(probe); pattern != "" && pattern != "/" {
			return true
		}
	}
	return false
}

var _ http.Handler = (*API)(nil)
