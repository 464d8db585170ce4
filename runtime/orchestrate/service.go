package orchestrate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/automation"

	"github.com/flowlite/flowlite/runtime/block"
	"github.com/flowlite/flowlite/runtime/limit"

	"github.com/flowlite/flowlite/runtime/trigger"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/seal"
)

// Config is what a Service stands on. Store and Bus are required.
type Config struct {
	Store   core.Store
	Bus     core.Bus
	Results core.ResultStore // nil: results cannot be put
	Sealer  core.Sealer      // nil: what is sealed cannot be read after the process has ended
	Log     *slog.Logger     // nil: slog.Default
	Now     func() core.Time // nil: core.Now
	URL     string           // of the UI, for links in notifications
	// LeaseGrace is how long after New no run is taken from its holder unless
	// that gave it up: while the server was down, nobody could renew.
	LeaseGrace time.Duration
	// Deaf says that clients do not talk to this process, so that their silence
	// means nothing to it.
	Deaf   bool
	Retain Retention
	// RunAuth returns the credentials of the process that executes a run under a
	// lease; nil or "": none are needed.
	RunAuth func(flowRun, lease core.UUID) string
	// Private are the private addresses that notifications and webhooks may reach.
	Private notify.Private
}

// Service has every use-case. It is usable as soon as it is made; Start only
// lets task-run events be persisted in the background.
type Service struct {
	*limit.Limits
	*block.Blocks
	*automation.Automations

	store   core.Store
	bus     core.Bus
	results core.ResultStore
	sealer  core.Sealer
	log     *slog.Logger
	now     func() core.Time
	retain  Retention
	runAuth func(flowRun, lease core.UUID) string
	outage  outage

	names  nameCache
	events persister
	marks  pollMarks
	deaf   bool
	feeds  taskFeeds

	listening listening

	commit     *commit.Writer
	recordings *commit.Group[*recording]
	creations  *commit.Group[commit.Operation]
}

func New(c Config) *Service {
	s := &Service{store: c.Store, bus: c.Bus, results: c.Results, sealer: c.Sealer, log: c.Log, now: c.Now, retain: c.Retain.complete(),
		deaf: c.Deaf}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.sealer == nil {
		s.sealer = seal.Ephemeral()
	}
	if s.now == nil {
		s.now = core.Now
	}
	if s.runAuth = c.RunAuth; s.runAuth == nil {
		s.runAuth = func(core.UUID, core.UUID) string { return "" }
	}
	s.outage.until = s.now().Add(c.LeaseGrace)
	s.marks.at = map[core.UUID]core.Time{}
	s.events.write = s.persistReports
	triggers := &trigger.Set{}
	s.commit = commit.New(commit.Config{Store: s.store, Bus: s.bus, Now: s.now, Triggers: triggers})
	s.Limits = limit.New(limit.Config{Store: s.store, Bus: s.bus, Commit: s.commit, Now: s.now})
	s.Blocks = block.New(block.Config{Store: s.store, Bus: s.bus, Commit: s.commit, Sealer: s.sealer, Log: s.log, Now: s.now})
	s.Automations = automation.New(automation.Config{Store: s.store, Bus: s.bus, Commit: s.commit, Triggers: triggers, Actor: s,
		Blocks: s.Blocks, Log: s.log, Now: s.now, URL: c.URL, Private: c.Private})
	s.recordings = commit.NewGroup(s.writeRecordings, inOrder)
	s.creations = commit.NewGroup(s.commit.WriteAll, nil)
	return s
}

// Start begins to persist events in the background, and to follow what other
// servers on the database do to automations. It may be repeated.
func (s *Service) Start(ctx context.Context) error {
	if s.events.start() && s.store.Shared() {
		s.events.background(s.followPeers)
	}
	return s.Limits.RememberHolders(ctx)
}

// peersSeen is how soon a server knows of an automation made on another, of a
// client that another has lost and, if it did not hear of them, of its secrets.
const peersSeen = time.Second

func (s *Service) followPeers(quit <-chan struct{}) {
	tick := time.NewTicker(peersSeen)
	defer tick.Stop()
	secrets := s.bus.Subscribe(core.TopicSecret, "", 1)
	defer secrets.Close()
	changed := secrets.C()
	waits := s.bus.Subscribe(core.TopicSlot, "", 64)
	defer waits.Close()
	waiting := waits.C()
	automations := s.bus.Subscribe(core.TopicTrigger, "", 1)
	defer automations.Close()
	triggers := automations.C()
	for {
		select {
		case <-quit:
			return
		case _, open := <-changed:
			s.Blocks.ForgetSecrets()
			if !open {
				changed = nil // the server is stopping
			}
		case _, open := <-triggers:
			s.seePeers()
			if !open {
				triggers = nil
			}
		case m, open := <-waiting:
			if !open {
				waiting = nil
			} else if m.Wait != nil {
				s.Limits.NoteWait(*m.Wait)
			}
		case <-tick.C:
			s.Blocks.ForgetSecrets() // word of a change may be lost
			s.seePeers()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if err := s.Limits.FollowLost(ctx); err != nil {
				s.log.Debug("lost slot holders not read; trying again", "error", err)
			}
			cancel()
		}
	}
}

// seePeers loads the automations that other servers have changed, and notes
// whether the database answers.
func (s *Service) seePeers() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := s.FollowPeers(ctx)
	s.outage.ask(s.now(), err)
	if err != nil {
		s.log.Debug("automations not read; tried again", "error", err)
	}
}

// Stop writes what is still to be written and waits for it. It may be repeated.
func (s *Service) Stop(ctx context.Context) error { return s.events.stop(ctx) }

// pollMarks remembers when queues and deployments were last marked polled, so
// that a poll does not write each time.
type pollMarks struct {
	sync.Mutex
	at map[core.UUID]core.Time
}
