package ui

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/static"
)

// Service is what the pages do; orchestrate.Service does it.
type Service interface {
	CancelFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)
	ResumeFlowRun(ctx context.Context, id core.UUID, input core.JSON) (*core.OrchestrationResult, error)
	RetryFlowRun(ctx context.Context, id core.UUID, fresh bool) (*core.OrchestrationResult, error)
	SuspendFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)
	DeleteFlowRun(ctx context.Context, id core.UUID) error
	SetFlowRunState(ctx context.Context, id core.UUID, c core.StateCreate, force bool) (*core.OrchestrationResult, error)
	PutSavedSearch(ctx context.Context, c core.SavedSearchCreate) (*core.SavedSearch, error)
	DeleteSavedSearch(ctx context.Context, id core.UUID) error
	Why(ctx context.Context, id core.UUID) (*core.Why, error)
	ResultUpTo(ctx context.Context, key string, most int64) (data []byte, size int64, err error)
	CreateDeploymentFlowRun(ctx context.Context, deploymentID core.UUID, c core.DeploymentFlowRunCreate) (*core.FlowRun, error)
	CreateDeployment(ctx context.Context, c core.DeploymentCreate) (*core.Deployment, error)
	UpdateDeployment(ctx context.Context, id core.UUID, u core.DeploymentUpdate) error
	DeleteDeployment(ctx context.Context, id core.UUID) error
	PauseDeployment(ctx context.Context, id core.UUID) error
	ResumeDeployment(ctx context.Context, id core.UUID) error
	CreateSchedules(ctx context.Context, deploymentID core.UUID, list []core.ScheduleCreate) ([]*core.Schedule, error)
	UpdateSchedule(ctx context.Context, deploymentID, id core.UUID, u core.ScheduleUpdate) error
	DeleteSchedule(ctx context.Context, deploymentID, id core.UUID) error
	CreateWorkPool(ctx context.Context, c core.WorkPoolCreate) (*core.WorkPool, error)
	UpdateWorkPool(ctx context.Context, name string, u core.WorkPoolUpdate) error
	UpdateWorkQueue(ctx context.Context, id core.UUID, u core.WorkQueueUpdate) error
	DeleteWorkPool(ctx context.Context, name string) error
	DeleteWorker(ctx context.Context, pool, name string) error
	CreateWorkQueue(ctx context.Context, pool string, c core.WorkQueueCreate) (*core.WorkQueue, error)
	DeleteWorkQueue(ctx context.Context, id core.UUID) error
	CreateAutomation(ctx context.Context, c core.AutomationWrite) (*core.Automation, error)
	ReplaceAutomation(ctx context.Context, id core.UUID, c core.AutomationWrite) error
	UpdateAutomation(ctx context.Context, id core.UUID, u core.AutomationUpdate) error
	DeleteAutomation(ctx context.Context, id core.UUID) error

	CreateVariable(ctx context.Context, c core.VariableCreate) (*core.Variable, error)
	UpdateVariable(ctx context.Context, id core.UUID, u core.VariableUpdate) error
	DeleteVariable(ctx context.Context, id core.UUID) error
	CreateSecret(ctx context.Context, name string, value core.JSON) (*core.BlockDocument, error)
	SetSecret(ctx context.Context, name string, value core.JSON) error
	BlockDocument(ctx context.Context, id core.UUID, secrets bool) (*core.BlockDocument, error)
	CreateBlockDocument(ctx context.Context, c core.BlockDocumentCreate) (*core.BlockDocument, error)
	UpdateBlockDocument(ctx context.Context, id core.UUID, u core.BlockDocumentUpdate) error
	DeleteBlockDocument(ctx context.Context, id core.UUID) error
	DeleteArtifact(ctx context.Context, id core.UUID) error
	ActiveSlots(ctx context.Context, l *core.GlobalConcurrencyLimit) (int64, error)
	Holders(ctx context.Context, limitID core.UUID, limit int) ([]core.SlotHolder, error)
	ReleaseSlots(ctx context.Context, leaseID core.UUID) error
	CreateGlobalLimit(ctx context.Context, c core.GlobalConcurrencyLimitCreate) (*core.GlobalConcurrencyLimit, error)
	UpdateGlobalLimit(ctx context.Context, id core.UUID, u core.GlobalConcurrencyLimitUpdate) error
	DeleteGlobalLimit(ctx context.Context, id core.UUID) error
	SetTagLimit(ctx context.Context, c core.TagLimitCreate) (*core.TagLimit, error)
	ResetTagLimit(ctx context.Context, tag string, holders []core.UUID) error
}

// Config is what the UI stands on. Service, Store and Bus are required.
type Config struct {
	Service  Service
	Store    core.Store
	Bus      core.Bus
	Version  string
	BasePath string // "" or "/flowlite": where a proxy puts the UI
	// PublicURL is where people find the pages; empty: where they ask for them.
	PublicURL string
	Log       *slog.Logger
	Now       func() core.Time        // nil: core.Now
	Facts     func() core.ServerFacts // nil: the settings page shows the database alone
}

// UI serves everything outside /api.
type UI struct {
	Config
	handler   http.Handler
	patterns  []string // of all pages, as "GET /flows/{id}"
	names     names
	streams   streams
	bars      bars
	timelines timelines
	histories histories
	stopping  chan struct{}
	stop      sync.Once
}

// New makes the handler. Stop ends its open streams.
func New(c Config) *UI {
	u := &UI{Config: c, stopping: make(chan struct{})}
	u.BasePath = strings.TrimSuffix(c.BasePath, "/")
	if u.Log == nil {
		u.Log = slog.Default()
	}
	if u.Now == nil {
		u.Now = core.Now
	}
	mux := http.NewServeMux()
	u.routes(mux)
	u.handler = ownForms(mux)
	return u
}

func (u *UI) routes(mux *http.ServeMux) {
	route := func(pattern string, h handler) {
		u.patterns = append(u.patterns, pattern)
		mux.HandleFunc(pattern, u.serve(h))
	}
	get := func(path string, h handler) { route("GET "+path, h) }
	post := func(path string, h handler) { route("POST "+path, h) }

	get("/{$}", func(w http.ResponseWriter, r *http.Request) error { return u.redirect(w, r, "/dashboard") })
	get("/dashboard", u.dashboard)
	get("/stream/changes", u.changes)

	get("/runs", u.flowRuns)
	get("/runs/bulk", u.bulkPage)
	post("/runs/bulk", u.bulk)
	post("/runs/searches", u.saveSearch)
	post("/runs/searches/{id}/delete", u.deleteSearch)
	get("/flow-runs/{id}", u.flowRun)
	get("/flow-runs/{id}/timeline", u.flowRunTimeline)
	get("/flow-runs/{id}/artifacts", u.flowRunArtifacts)
	get("/flow-runs/{id}/banner", u.flowRunBanner)
	get("/flow-runs/{id}/result", u.flowRunResult)
	get("/flow-runs/{id}/logs", u.flowRunLogs)
	get("/flow-runs/{id}/logs.txt", u.logsText)
	get("/flow-runs/{id}/stream", u.flowRunStream)
	get("/flow-runs/{id}/state", u.changeStatePage)
	post("/flow-runs/{id}/state", u.changeState)
	post("/flow-runs/{id}/{verb}", u.flowRunVerb)
	get("/task-runs/{id}", u.taskRun)
	get("/task-runs/{id}/logs", u.taskRunLogs)
	get("/task-runs/{id}/logs.txt", u.taskRunLogsText)

	get("/flows", u.flows)
	get("/flows/{id}", u.flow)
	get("/deployments", u.deployments)
	get("/deployments/{id}", u.deployment)
	get("/deployments/{id}/{what}", u.customRunOrAddress)
	post("/deployments/{id}/run", u.startCustomRun)
	post("/deployments/{id}/edit", u.saveDeployment)
	post("/deployments/{id}/duplicate", u.duplicateDeployment)
	post("/deployments/{id}/delete", u.deleteDeployment)
	post("/deployments/{id}/quick-run", u.quickRun)
	post("/deployments/{id}/toggle", u.toggleDeployment)
	get("/deployments/{id}/schedules/{schedule}", u.schedulePage)
	post("/deployments/{id}/schedules/{schedule}", u.saveSchedule)
	post("/deployments/{id}/schedules/{schedule}/delete", u.deleteSchedule)
	post("/deployments/{id}/schedules/{schedule}/toggle", u.toggleSchedule)
	get("/work-pools", u.workPools)
	post("/work-pools", u.createPool)
	get("/work-pools/{name}", u.workPool)
	post("/work-pools/{name}/toggle", u.togglePool)
	get("/work-pools/{name}/{what}", u.editPool)
	post("/work-pools/{name}/edit", u.savePool)
	post("/work-pools/{name}/delete", u.deletePool)
	post("/work-pools/{name}/workers/{worker}/delete", u.deleteWorker)
	get("/work-pools/{name}/queues/{queue}", u.queuePage)
	post("/work-pools/{name}/queues/{queue}", u.saveQueue)
	post("/work-pools/{name}/queues/{queue}/delete", u.deleteQueue)
	post("/work-pools/{name}/queues/{queue}/toggle", u.toggleQueue)

	get("/automations", u.automations)
	get("/automations/new", u.automationForm)
	post("/automations/new", u.saveAutomation)
	post("/automations/preview", u.previewAutomation)
	get("/automations/{id}", u.automation)
	get("/automations/{id}/{what}", u.editAutomation)
	post("/automations/{id}/edit", u.saveAutomation)
	post("/automations/{id}/toggle", u.toggleAutomation)
	post("/automations/{id}/delete", u.deleteAutomation)
	get("/events", u.events)
	get("/events/stream", u.eventStream)
	get("/events/{id}", u.event)
	get("/artifacts", u.artifacts)
	get("/artifacts/{id}", u.artifact)
	post("/artifacts/{id}/delete", u.deleteArtifact)
	get("/variables", u.variables)
	get("/variables/{id}", u.variable)
	post("/variables/{id}", u.saveVariable)
	post("/variables/{id}/delete", u.deleteVariable)
	get("/secrets", func(w http.ResponseWriter, r *http.Request) error { return u.redirect(w, r, "/variables") })
	get("/secrets/{id}", u.secret)
	post("/secrets/{id}", u.saveSecret)
	post("/secrets/{id}/delete", u.deleteSecret)
	get("/blocks", u.blocks)
	get("/blocks/new", u.newBlock)
	post("/blocks/new", u.createBlock)
	get("/blocks/{id}", u.block)
	post("/blocks/{id}", u.saveBlock)
	post("/blocks/{id}/delete", u.deleteBlock)
	get("/concurrency", u.limits)
	get("/concurrency/{id}", u.limit)
	post("/concurrency/{id}", u.saveLimit)
	post("/concurrency/{id}/toggle", u.toggleLimit)
	post("/concurrency/{id}/reset", u.resetLimit)
	post("/concurrency/{id}/delete", u.deleteLimit)
	post("/concurrency/{id}/holders/{lease}/free", u.freeSlots)
	get("/settings", u.settings)

	get("/palette", u.palette)
	post("/ui/theme", u.theme)
	mux.HandleFunc("GET /static/", static.Serve)
	u.prefectAddresses(get)
	mux.HandleFunc("/", u.serve(func(http.ResponseWriter, *http.Request) error {
		return core.Errorf(core.ENotFound, "There is no page at this address.")
	}))
}

// Patterns are the method and path of every page and form, as "GET /flows/{id}".
func (u *UI) Patterns() []string { return u.patterns }

// ownForms refuses posts of other sites. A proxy may have given the request
// another Host; it then says which one the browser asked, in a header that no
// site can make a browser send.
func ownForms(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ",")
		origin, err := url.Parse(r.Header.Get("Origin"))
		if err == nil && origin.Host != "" && r.Header.Get("Sec-Fetch-Site") == "" && origin.Host == strings.TrimSpace(asked) {
			next.ServeHTTP(w, r)
			return
		}
		guard.ServeHTTP(w, r)
	})
}

// Stop ends the open streams, which a server's shutdown would wait for. It may
// be repeated.
func (u *UI) Stop() { u.stop.Do(func() { close(u.stopping) }) }

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// server is the address that commands on the pages are to name; "" where the
// command line finds it by itself, or somebody made a strange host up.
func (u *UI) server(r *http.Request) string {
	scheme, host := "http://", r.Host
	if proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ","); r.TLS != nil || strings.TrimSpace(proto) == "https" {
		scheme = "https://"
	}
	if h, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ","); h != "" {
		host = strings.TrimSpace(h)
	}
	at := scheme + host + u.BasePath
	if u.PublicURL != "" {
		at = u.PublicURL
	} else if !plainHost.MatchString(host) {
		return ""
	}
	if at == "http://127.0.0.1:4200" || at == "http://localhost:4200" {
		return ""
	}
	return at
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.\-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Vary", "HX-Request, Accept-Encoding, Cookie")
	r = r.WithContext(views.WithServer(r.Context(), u.BasePath, u.server(r)))
	if u.BasePath != "" {
		// a proxy may or may not cut its prefix off
		if p, ok := strings.CutPrefix(r.URL.Path, u.BasePath); ok && (p == "" || p[0] == '/') {
			c := *r.URL
			c.Path, c.RawPath = p, ""
			if p == "" {
				c.Path = "/"
			}
			r.URL = &c
		}
	}
	u.handler.ServeHTTP(w, r)
}
