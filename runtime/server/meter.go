package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

// Meter counts what a server does. Package metrics has one for Prometheus; a
// server without a Meter counts nothing, and its program does not link one.
type Meter interface {
	core.CommitObserver
	// Wrap measures the requests that next answers.
	Wrap(next http.Handler) http.Handler
	// Handler answers scrapes.
	Handler() http.Handler
	// Attach adds what is read from s at each scrape, until detach is called.
	Attach(s MeterSource) (detach func())
}

// MeterStore is the part of the database that a Meter reads.
type MeterStore interface {
	CountWorkers(ctx context.Context) ([]core.WorkerCount, error)
	Engine() string
	Facts(ctx context.Context) (*core.StoreFacts, error)
	GlobalLimits(ctx context.Context, ofTags bool, p core.Page) ([]*core.GlobalConcurrencyLimit, error)
	LiveFlowRuns(ctx context.Context) ([]core.LiveFlowRuns, error)
	Stats() core.StoreStats
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
}

// MeterSource is what a Meter reads at each scrape.
type MeterSource struct {
	Store    MeterStore
	Waiting  func() map[string]int64 // slots waited for, by limit
	Slots    func(ctx context.Context, l *core.GlobalConcurrencyLimit) (int64, error)
	Bus      func() bus.Status
	Services func() []core.LoopProgress // nil: other servers run them
	// Worker returns how many runs the server's own worker executes, and what keeps
	// it from executing more. Nil: the server has none.
	Worker func() (runs int, fault error)
	Log    *slog.Logger
}

// observer is nil, not a nil Meter, if nothing is counted.
func (s *Server) observer() core.CommitObserver {
	if s.cfg.Meter == nil {
		return nil
	}
	return s.cfg.Meter
}

// measured counts what next answers and serves /metrics, with the credentials of
// the pages.
func (s *Server) measured(guard *access.Guard, next http.Handler) http.Handler {
	if s.cfg.Meter == nil {
		return next
	}
	mux := http.NewServeMux()
	if s.cfg.MetricsAddr == "" {
		mux.Handle("GET /metrics", askBrowser(guard, s.cfg.setting("AuthString"), s.cfg.Meter.Handler()))
	}
	mux.Handle("/", s.cfg.Meter.Wrap(next))
	return mux
}

// startMeter lets the Meter read this server, and serves it on an address of its own.
func (s *Server) startMeter(ctx context.Context) error {
	if s.cfg.Meter == nil {
		return nil
	}
	source := MeterSource{Store: s.store, Waiting: s.service.Waiting, Slots: s.service.ActiveSlots, Bus: s.bus.Status, Log: s.cfg.Log}
	if !s.cfg.NoLoops {
		source.Services = s.services.Health
	}
	if s.worker != nil {
		source.Worker = func() (int, error) { return s.worker.Running(), s.worker.Fault() }
	}
	detach := s.cfg.Meter.Attach(source)
	s.later(func(context.Context) error { detach(); return nil })
	if s.cfg.MetricsAddr == "" {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.MetricsAddr)
	if err != nil {
		return core.Errorf(core.EInvalid, "cannot serve metrics on %s: %w; pass another address with %s",
			s.cfg.MetricsAddr, err, s.cfg.setting("MetricsAddr"))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.cfg.Meter.Handler())
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("metrics are no longer served", "error", err)
		}
	}()
	s.later(func(ctx context.Context) error {
		err := h.Shutdown(ctx)
		<-ended
		return err
	})
	return nil
}
