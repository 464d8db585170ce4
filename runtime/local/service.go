package local

import (
	"context"
	"log/slog"
	"time"

	"github.com/flowlite/flowlite/runtime/automation"
	"github.com/flowlite/flowlite/runtime/block"
	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/data"
	"github.com/flowlite/flowlite/runtime/limit"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/retention"
	"github.com/flowlite/flowlite/runtime/seal"
	"github.com/flowlite/flowlite/runtime/template"
	"github.com/flowlite/flowlite/runtime/trigger"
)

var (
	_ core.Orchestrator     = (*Service)(nil)
	_ core.PoolOrchestrator = (*Service)(nil)
)

// Config is what the use cases of one process need. Store and Bus are required.
type Config struct {
	Store   core.Store
	Bus     core.Bus
	Results core.ResultStore // nil: results cannot be put
	Sealer  core.Sealer      // nil: what is encrypted cannot be read after the process has ended
	Log     *slog.Logger     // nil: slog.Default
	Now     func() core.Time // nil: core.Now
	URL     string           // of the UI, for links in notifications and for webhooks
	// LeaseGrace is how long after New no run is taken from its holder unless
	// that gave it up: while the server was down, nobody could renew.
	LeaseGrace time.Duration
	// Deaf says that clients do not talk to this process, so that their silence
	// means nothing to it.
	Deaf   bool
	Retain retention.Periods
	// RunAuth returns the credentials of the process that executes a run under a
	// lease; nil or "": none are needed.
	RunAuth func(flowRun, lease core.UUID) string
	// Observer receives what this process has committed; may be nil.
	Observer core.CommitObserver
	// Private are the private addresses that notifications and webhooks may reach.
	Private notify.Private
	// Templates renders texts with {{ }}; nil: they are refused.
	Templates template.Engine
	// Sender sends notifications to services other than webhooks; nil: they fail.
	Sender notify.Sender
}

// Service has every use case, each group of them as a field.
type Service struct {
	*orchestrate.Service
	*limit.Limits
	*block.Blocks
	*automation.Automations
	*data.Variables
	*data.Artifacts
	*data.SavedSearches
	*data.Logs
	*data.Events
	*retention.Trimmer

	peers peers
}

// New wires the use cases of c. They are usable at once.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Sealer == nil {
		c.Sealer = seal.Ephemeral()
	}
	if c.Now == nil {
		c.Now = core.Now
	}
	if c.Templates == nil {
		c.Templates = template.None{}
	}
	if c.Sender == nil {
		c.Sender = notify.NoSender{}
	}
	triggers := &trigger.Set{}
	writer := commit.New(commit.Config{Store: c.Store, Bus: c.Bus, Now: c.Now, Triggers: triggers, Observer: c.Observer})
	s := &Service{
		Limits: limit.New(limit.Config{Store: c.Store, Bus: c.Bus, Commit: writer, Now: c.Now}),
		Blocks: block.New(block.Config{Store: c.Store, Bus: c.Bus, Commit: writer, Sealer: c.Sealer, Log: c.Log, Now: c.Now,
			Templates: c.Templates}),
	}
	s.Service = orchestrate.New(orchestrate.Config{
		Store: orchestrate.StoreOf(c.Store), Bus: c.Bus, Commit: writer, Limits: s.Limits, Blocks: s.Blocks, Log: c.Log, Now: c.Now,
		Results: c.Results, LeaseGrace: c.LeaseGrace, Deaf: c.Deaf, RunAuth: c.RunAuth,
		URL: c.URL, Sealer: c.Sealer,
	})
	s.Automations = automation.New(automation.Config{
		Store: c.Store, Bus: c.Bus, Commit: writer, Triggers: triggers, Actor: s.Service, Blocks: s.Blocks,
		Log: c.Log, Now: c.Now, URL: c.URL, Private: c.Private, Templates: c.Templates, Sender: c.Sender,
	})
	d := data.Config{Store: c.Store, Commit: writer, Now: c.Now, Masker: s.Blocks}
	s.Variables, s.Artifacts = data.NewVariables(d), data.NewArtifacts(d)
	s.SavedSearches, s.Logs = data.NewSavedSearches(d), data.NewLogs(d)
	s.Events = data.NewEvents(data.EventsConfig{Commit: writer, Runs: s.Service, Log: c.Log, Now: c.Now})
	s.Trimmer = retention.New(retention.Config{Store: c.Store, Results: c.Results, Retain: c.Retain, Now: c.Now})
	s.peers = peers{s: s, bus: c.Bus, log: c.Log, shared: c.Store.Shared}
	return s
}

// Start begins to persist events in the background, and to follow what other
// servers on the database do. It may be repeated.
func (s *Service) Start(ctx context.Context) error {
	s.Service.Start()
	s.peers.start()
	return s.Limits.RememberHolders(ctx)
}

// Stop writes what is still to be written and waits for it. It may be repeated.
func (s *Service) Stop(ctx context.Context) error {
	stopped := s.peers.stop()
	err := s.Service.Stop(ctx)
	select {
	case <-stopped:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
