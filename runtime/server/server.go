package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/api"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/private"
	"github.com/flowlite/flowlite/runtime/seal"
	"github.com/flowlite/flowlite/runtime/services"
	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/data"
	"github.com/flowlite/flowlite/runtime/worker"
	"github.com/flowlite/flowlite/runtime/worker/account"
	"github.com/flowlite/flowlite/runtime/worker/build"
)

// Server is one flowlite process. Start and Stop may be repeated, also in turns.
type Server struct {
	cfg     Config
	mu      sync.Mutex
	started bool
	undo    []func(ctx context.Context) error // what Stop does, last first
	url     string                            // empty without a listener
	mount   mount
	failed  chan error

	store    core.Store
	source   pgconfig.Source // of store, on PostgreSQL
	bus      messages
	redis    bus.Leases // nil without Redis
	service  *local.Service
	worker   *worker.Worker
	services *services.Services
	keyFrom  string

	runAs      *account.User // whom the processes of flows belong to
	runAsCache string

	tightened chan struct{} // closed when no file below Home is open to other users

	build *build.Builder
	flows atomic.Pointer[core.FlowsFacts] // of the flows folder
}

// New checks the configuration. Nothing is opened before Start.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, failed: make(chan error, 1)}
	var err error
	if s.runAs, err = account.Lookup(cfg.RunAs); err == nil && s.runAs != nil {
		s.runAsCache, err = s.runAs.Cache()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// URL is where people look: http://host:port and the base path. Known after Start.
// Without a listener it is the public URL.
func (s *Server) URL() string {
	if s.url == "" {
		return s.cfg.PublicURL
	}
	return s.url + s.cfg.BasePath
}

// publicURL is where people find the pages.
func (s *Server) publicURL() string { return cmp.Or(s.cfg.PublicURL, s.URL()) }

// APIURL is the API on this machine, without the base path of a proxy; empty
// without a listener.
func (s *Server) APIURL() string {
	if s.url == "" {
		return ""
	}
	return s.url + "/api"
}

// Handler serves API and UI wherever a program mounts it. Before Start and after
// Stop it answers 503.
func (s *Server) Handler() http.Handler { return &s.mount }

// Service and Store are for programs that embed flowlite. Known after Start.
func (s *Server) Service() *local.Service { return s.service }
func (s *Server) Store() core.Store       { return s.store }

// Failed tells of the one thing that ends a server by itself: its listener.
func (s *Server) Failed() <-chan error { return s.failed }

// Start returns once the server answers. When it fails, everything that was
// begun is undone.
func (s *Server) Start(ctx context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return nil
	}
	defer func() {
		if err != nil {
			_ = s.rollback(context.WithoutCancel(ctx))
		}
	}()
	var listener net.Listener
	if !s.cfg.NoListen {
		if listener, err = s.listen(); err != nil {
			return err
		}
		s.later(func(context.Context) error { return ignoreClosed(listener.Close()) })
	}
	if err := s.openData(ctx); err != nil {
		return err
	}
	if err := s.serve(ctx, listener); err != nil {
		return err
	}
	if err := s.startWorker(ctx); err != nil {
		return err
	}
	if err := s.startMeter(ctx); err != nil {
		return err
	}
	if !s.cfg.NoLoops {
		if err := s.services.Start(ctx); err != nil {
			return err
		}
		s.later(func(ctx context.Context) error { return s.services.Stop(ctx) })
	}
	s.startFlows(ctx)
	s.started = true
	return nil
}

// Stop ends in order: flows folder and loops, then the worker with its runs
// (which need the API until their end), then HTTP, and the database last. ctx
// bounds it; a context that is over stops at once.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = false
	return s.rollback(ctx)
}

func (s *Server) later(fn func(ctx context.Context) error) { s.undo = append(s.undo, fn) }

func (s *Server) rollback(ctx context.Context) error {
	var all []error
	for _, v := range slices.Backward(s.undo) {
		if err := v(ctx); err != nil {
			all = append(all, err)
		}
	}
	s.undo = nil
	return errors.Join(all...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) listen() (net.Listener, error) {
	addr := net.JoinHostPort(strings.Trim(s.cfg.Host, "[]"), strconv.Itoa(s.cfg.Port))
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, core.Errorf(
			core.EConflict,
			"port %d on %s is in use, perhaps by another flowlite or by Prefect; choose another with %s %d",
			s.cfg.Port,
			s.cfg.Host,
			s.cfg.setting("Port"),
			s.cfg.Port+1,
		)
	case errors.Is(err, syscall.EACCES):
		return nil, core.Errorf(
			core.EForbidden,
			"port %d needs rights that this process does not have; choose one above 1023 with %s",
			s.cfg.Port, s.cfg.setting("Port"),
		)
	case err != nil:
		return nil, core.Errorf(core.EInvalid, "cannot serve %s: %w; check %s and %s", addr, err,
			s.cfg.setting("Host"), s.cfg.setting("Port"))
	}
	host, port := s.cfg.Host, l.Addr().(*net.TCPAddr).Port
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	s.url = "http://" + net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port))
	return l, nil
}

func (s *Server) openData(ctx context.Context) error {
	if err := private.Home(s.cfg.Home); err != nil {
		return s.homeFault(err)
	}
	s.tightenTrees(ctx)
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	s.store = store
	s.later(func(context.Context) error { return store.Close() })
	return nil
}

// openStore opens the database, and brings its schema up to date.
func (s *Server) openStore(ctx context.Context) (core.Store, error) {
	if s.cfg.Postgres == nil {
		s.source = pgconfig.URL(s.cfg.DatabaseURL)
		return db.Open(ctx, s.cfg.DatabaseURL)
	}
	var err error
	if s.source, err = s.cfg.Postgres(ctx); err != nil {
		return nil, err
	}
	return db.OpenPostgres(ctx, s.source)
}

// Migrate brings the database's schema up to date, also while the server does not
// run.
func (s *Server) Migrate(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return nil
	}
	if err := private.Home(s.cfg.Home); err != nil {
		return s.homeFault(err)
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	return store.Close()
}

func (s *Server) homeFault(err error) error {
	return core.Errorf(core.EUnavailable, "cannot make the data directory private: %w; set %s to one that can be written",
		err, s.cfg.setting("Home"))
}

// tightenTrees takes the rights of other users from what earlier versions stored
// below the data directory. These may be many files, and the directory that contains
// them is closed already, so that nobody waits for them.
func (s *Server) tightenTrees(ctx context.Context) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.tightened = make(chan struct{})
	go func() {
		defer close(s.tightened)
		for _, dir := range []string{s.resultsDir(), filepath.Join(s.cfg.Home, "cache")} {
			if err := private.Tree(ctx, dir); err != nil && ctx.Err() == nil {
				s.cfg.Log.Warn("modes of files not tightened", "directory", dir, "error", err)
			}
		}
	}()
	s.later(func(context.Context) error {
		stop()
		<-s.tightened
		return nil
	})
}

// keys seal what is secret in the database.
func (s *Server) keys() (*seal.Ring, error) {
	if s.cfg.EncryptionKey != "" {
		return seal.Parse(s.cfg.setting("EncryptionKey"), s.cfg.EncryptionKey)
	}
	return seal.File(filepath.Join(s.cfg.Home, "encryption.key"))
}

// serve makes the use-cases and their two faces, and answers from here on.
func (s *Server) serve(ctx context.Context, l net.Listener) error {
	keys, err := s.keys()
	if err != nil {
		return err
	}
	s.keyFrom = keys.From()
	shared, err := s.cluster(ctx, keys)
	if err != nil {
		return err
	}
	leases, err := s.join(ctx, shared)
	if err != nil {
		return err
	}
	secret := s.cfg.AuthString
	if secret == "" && s.cfg.Identity != nil {
		secret = "identity" // runs have credentials wherever callers must be known
	}
	runs := access.NewRunKey(shared.CSRF, secret)
	reach, _ := notify.ParsePrivate(s.cfg.PrivateURLs) // New has checked them
	proxies, _ := access.ParseProxies(s.cfg.TrustedProxies)
	s.service = local.New(local.Config{
		Private: reach, RunAuth: runs.AuthString, Templates: s.cfg.Templates, Sender: s.cfg.Notifications,
		Store: s.store, Bus: s.bus, Log: s.cfg.Log, Sealer: keys, URL: s.publicURL(), Retain: s.cfg.Retain, Observer: s.observer(),
		Results: s.results(), LeaseGrace: core.LeaseSeconds.Duration(), Deaf: s.cfg.NoAPI,
	})
	if err := s.service.Start(ctx); err != nil {
		return err
	}
	s.later(s.service.Stop)
	if err := s.service.RegisterBlocks(ctx); err != nil {
		return err
	}
	s.services = services.New(
		services.Config{
			Runs:        s.service.Service,
			Limits:      s.service.Limits,
			Automations: s.service.Automations,
			Retention:   s.service.Trimmer,
			Liveness:    leases,
			Bus:         s.bus,
			Log:         s.cfg.Log,
		},
	)

	mux := http.NewServeMux()
	asks := access.Config{
		AuthString:  s.cfg.AuthString,
		Identity:    s.cfg.Identity,
		BehindProxy: s.cfg.PublicURL != "" || len(proxies) > 0,
		Proxies:     proxies,
		Runs:        runs,
		HasRun:      s.service.HasRunAuth,
		Log:         s.cfg.Log,
	}
	guard := access.New(asks)
	hosts := access.NewHosts(s.cfg.Host, s.cfg.PublicURL, guard.Asks(), s.cfg.AllowedHosts...)
	hosts.Advice = "Allow the name with " + s.cfg.setting("AllowedHosts") + " or " + s.cfg.setting("PublicURL") + "."
	rest := api.New(api.Config{
		Runs: s.service.Service, Limits: s.service.Limits, Blocks: s.service.Blocks, Automations: s.service.Automations,
		Variables: s.service.Variables, Artifacts: s.service.Artifacts, SavedSearches: s.service.SavedSearches, Logs: s.service.Logs,
		Events: s.service.Events, Retention: s.service.Trimmer,
		Store: api.StoreOf(s.store), Bus: s.bus, Access: guard, Webhooks: access.NewThrottle(asks),
		Origins: s.cfg.AllowedOrigins, CSRF: s.cfg.CSRF, CSRFKey: shared.CSRF,
		Version: s.cfg.Version, Log: s.cfg.Log, Health: s.health,
	})
	s.handleAPI(mux, rest)
	stopPages := func() {}
	if !s.cfg.NoUI {
		pages := ui.New(
			ui.Config{
				Services:  pageServices(s.service),
				Store:     ui.StoreOf(s.store),
				Bus:       s.bus,
				Version:   s.cfg.Version,
				BasePath:  s.cfg.BasePath,
				PublicURL: s.cfg.PublicURL,
				Log:       s.cfg.Log,
				Facts:     s.facts,
			},
		)
		mux.Handle("/", askBrowser(guard, s.cfg.setting("AuthString"), pages))
		stopPages = pages.Stop
	}
	s.serveHTTP(ctx, l, hosts, s.measured(guard, mux), stopPages)
	return nil
}

// serveHTTP answers requests with mux, on l unless it is nil, until the server stops.
func (s *Server) serveHTTP(ctx context.Context, l net.Listener, hosts *access.Hosts, mux http.Handler, stopPages func()) {
	// Long polls and streams end with their subscriptions, and what is left when
	// this context does: Shutdown alone would wait for them for ever.
	base, end := context.WithCancelCause(context.WithoutCancel(ctx))
	handler := cutBase(s.cfg.BasePath, mux)
	checked := hosts.Handler(handler, "/api/health", "/api/ready")
	if s.cfg.Identity == nil {
		handler = checked
	} // else a browser that was misled to another name has nothing to identify its user by
	s.mount.open(base, access.TimelyBodies(handler))
	h := &http.Server{
		Handler:           access.TimelyBodies(checked),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if l == nil {
			return
		}
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.later(func(ctx context.Context) error {
		stopPages()
		s.bus.Drain()
		ctx, cancel := context.WithTimeout(ctx, httpGrace)
		defer cancel()
		defer end(errStopping) // web sockets are not waited for
		defer context.AfterFunc(ctx, func() { end(errStopping) })()
		defer time.AfterFunc(httpGrace/2, func() { end(errStopping) }).Stop()
		s.mount.close(ctx)
		if err := h.Shutdown(ctx); err != nil {
			_ = h.Close()
		}
		<-ended
		return nil
	})
}

// handleAPI serves the API, or where that is the role of other servers, only
// how this one is.
func (s *Server) handleAPI(mux *http.ServeMux, rest http.Handler) {
	if !s.cfg.NoAPI {
		mux.Handle("/api/", rest)
		mux.Handle("/api", rest)
		return
	}
	mux.Handle("GET /api/health", rest)
	mux.Handle("GET /api/ready", rest)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"detail":"This server does not serve the API: its --roles leave it to others."}`))
	})
}

// cutBase takes the base path off where a proxy has not.
func cutBase(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	cut := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == base:
			http.Redirect(w, r, base+"/", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, base+"/"):
			cut.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// errStopping is the cause that ends requests under way: unlike those of a
// client that went away, their answers are still read.
var errStopping = core.Errorf(core.EUnavailable, "the server is stopping; try again in a moment")

// httpGrace is how long requests under way may take at the end.
const httpGrace = 5 * time.Second

func (s *Server) startWorker(ctx context.Context) error {
	if !s.cfg.Worker {
		return nil
	}
	host, _ := os.Hostname()
	name := "flowlite-" + host
	if len(s.cfg.Flows) > 0 {
		// Programs on one machine have different flows, so each is a worker of its own.
		if s.url == "" {
			name += fmt.Sprintf("-%d-%s", os.Getpid(), core.NewID())
		} else {
			name += s.url[strings.LastIndexByte(s.url, ':'):]
		}
	}
	s.worker = worker.New(worker.Config{
		Orchestrator: s.service,
		Pool:         s.cfg.Pool,
		MakePool:     s.cfg.MakePool,
		Queues:       s.cfg.Queues,
		Name:         name,
		Limit:        s.cfg.WorkerLimit,
		APIURL:       s.APIURL(),
		AuthString:   s.cfg.AuthString,
		WorkDir:      s.cfg.WorkDir,
		Builder:      s.builder(),
		CacheDir:     s.cacheDir(),
		RunAs:        s.runAs,
		Python:       s.cfg.Python,
		NoFork:       s.cfg.NoFork,
		Log:          s.cfg.Log,
		DrainGrace:   s.cfg.DrainGrace,
		InProcess:    s.cfg.InProcess,
		Flows:        s.cfg.Flows,
		CancelCause:  s.cfg.CancelCause,
		LostCause:    s.cfg.LostCause,
	})
	if err := s.recoverRuns(ctx, s.worker.Holder()); err != nil {
		return err
	}
	if err := s.worker.Start(ctx); err != nil {
		if core.CodeOf(err) == core.EInvalid {
			if s.cfg.Embedded {
				return err
			}
			err = fmt.Errorf(
				"%w; or delete the pool: start the server without a worker (flowlite server start), then run flowlite work-pool delete %s",
				err,
				core.ShellWord(s.cfg.Pool),
			)
		}
		return err
	}
	s.later(s.worker.Stop)
	return nil
}

// builder is shared by the worker and the flows folder: what one has built the
// other finds at once.
func (s *Server) builder() *build.Builder {
	if s.build == nil {
		s.build = build.New(s.cacheDir())
	}
	return s.build
}

func (s *Server) cacheDir() string {
	if s.runAs != nil { // who cannot enter Home
		return s.runAsCache
	}
	return filepath.Join(s.cfg.Home, "cache")
}

func (s *Server) resultsDir() string { return filepath.Join(s.cfg.Home, "results") }

// health is what GET /api/ready tells beside its status.
func (s *Server) health() any {
	h := map[string]any{"loops": s.services.Health(), "bus": s.bus.Status(), "database": s.store.Engine()}
	if s.cfg.NoLoops {
		delete(h, "loops")
	}
	if s.redis != nil {
		redis := map[string]any{"ready": s.redis.Fault() == ""}
		if why := s.redis.Fault(); why != "" {
			redis["reason"] = why
		}
		h["leases"] = redis
	}
	if s.worker != nil {
		w := map[string]any{"name": s.worker.Name(), "runs": s.worker.Running(), "ready": s.worker.Fault() == nil}
		if err := s.worker.Fault(); err != nil {
			w["reason"] = err.Error()
		}
		h["worker"] = w
	}
	return h
}

// pageServices gives each room of the UI the use cases that its forms call.
func pageServices(s *local.Service) ui.Services {
	return ui.Services{
		Runs: s.Service, Searches: s.SavedSearches, Deployments: s.Service,
		Automations: s.Automations, Pools: s.Service,
		Data: data.Services{Artifacts: s.Artifacts, Blocks: s.Blocks, Limits: s.Limits, Variables: s.Variables},
	}
}

// facts are what the settings page shows.
func (s *Server) facts() core.ServerFacts {
	keep := s.service.Retention()
	f := core.ServerFacts{
		URL: s.publicURL(), Home: s.cfg.Home, Auth: s.cfg.AuthString != "", CSRF: s.cfg.CSRF, KeyFrom: s.keyFrom,
		Results: s.resultsDir(), KeepRuns: keep.Runs, KeepEvents: keep.Events, KeepLogs: keep.Logs,
	}
	if s.store.Shared() {
		f.Results = "the database"
	}
	if !s.cfg.NoLoops {
		f.Loops = s.services.Health()
	}
	f.Flows = s.flows.Load()
	return f
}
