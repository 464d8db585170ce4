package orchestrate

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/block"
	"github.com/flowlite/flowlite/runtime/limit"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// Config is what a Service needs. Store, Bus, Commit, Limits, Blocks, Log, and Now
// are required.
type Config struct {
	Store   Store
	Bus     core.Bus
	Commit  *commit.Writer
	Limits  *limit.Limits
	Blocks  *block.Blocks
	Log     *slog.Logger
	Now     func() core.Time
	Results core.ResultStore // nil: results cannot be put
	// LeaseGrace is how long after New no run is taken from its holder unless
	// that gave it up: while the server was down, nobody could renew.
	LeaseGrace time.Duration
	// Deaf says that clients do not talk to this process, so that their silence
	// means nothing to it.
	Deaf bool
	// RunAuth returns the credentials of the process that executes a run under a
	// lease; nil or "": none are needed.
	RunAuth func(flowRun, lease core.UUID) string
	URL     string // where other programs reach this server; empty: nowhere
	Sealer  core.Sealer
}

// Service has the use cases of runs, and of what they need to be scheduled and
// executed: flows, deployments, work pools, workers, and leases. It is usable as
// soon as it is made; Start only lets task-run events be persisted in the
// background.
type Service struct {
	store   *Store
	bus     core.Bus
	commit  *commit.Writer
	limits  *limit.Limits
	blocks  *block.Blocks
	results core.ResultStore
	log     *slog.Logger
	now     func() core.Time
	runAuth func(flowRun, lease core.UUID) string
	url     string
	sealer  core.Sealer
	outage  outage

	names  nameCache
	events persister
	marks  pollDebounce
	deaf   bool
	feeds  taskFeeds

	listening listening

	recordings *commit.Group[*recording]
	proposals  *commit.Group[*proposal]
	creations  *commit.Group[*creation]
}

// New returns a Service on c.
func New(c Config) *Service {
	s := &Service{store: &c.Store, bus: c.Bus, commit: c.Commit, limits: c.Limits, blocks: c.Blocks, results: c.Results,
		log: c.Log, now: c.Now, runAuth: c.RunAuth, deaf: c.Deaf, url: strings.TrimSuffix(c.URL, "/"), sealer: c.Sealer}
	if s.runAuth == nil {
		s.runAuth = func(core.UUID, core.UUID) string { return "" }
	}
	s.outage.graceUntil = s.now().Add(c.LeaseGrace)
	s.marks.at = map[core.UUID]core.Time{}
	s.events.write = s.persistReports
	s.recordings = commit.NewGroup(s.writeRecordings, inOrder)
	s.proposals = commit.NewGroup(s.writeProposals, byRun)
	s.creations = commit.NewGroup(s.writeCreations, nil)
	return s
}

// Start begins to persist events in the background. It may be repeated.
func (s *Service) Start() { s.events.start() }

// Stop writes what is still to be written and waits for it. It may be repeated.
func (s *Service) Stop(ctx context.Context) error { return s.events.stop(ctx) }

// ObserveDatabase notes whether the database answered a moment ago.
func (s *Service) ObserveDatabase(err error) { s.outage.observe(s.now(), err) }

// pollDebounce remembers when queues and deployments were last marked polled, so
// that a poll does not write each time.
type pollDebounce struct {
	sync.Mutex
	at map[core.UUID]core.Time
}
