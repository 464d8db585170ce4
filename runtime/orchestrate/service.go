package orchestrate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/notify"
	"github.com/flowlite/flowlite/runtime/seal"
)

var _ core.Orchestrator = (*Service)(nil)

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
	store   core.Store
	bus     core.Bus
	results core.ResultStore
	sealer  core.Sealer
	waiting waiting
	log     *slog.Logger
	now     func() core.Time
	retain  Retention
	private notify.Private
	runAuth func(flowRun, lease core.UUID) string
	outage  outage

	names  nameCache
	events persister
	marks  pollMarks
	lost   lostHolders
	deaf   bool
	feeds  taskFeeds

	listening listening

	recordings together[*recording]
	creations  together[operation]

	secrets  secretWords
	claims   unreturned
	triggers triggers
	url      string
}

func New(c Config) *Service {
	s := &Service{store: c.Store, bus: c.Bus, results: c.Results, sealer: c.Sealer, log: c.Log, now: c.Now, url: c.URL, retain: c.Retain.complete(),
		private: c.Private, deaf: c.Deaf}
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
	s.recordings = together[*recording]{write: s.writeRecordings, order: inOrder}
	s.creations.write = s.writeEach
	return s
}

// Start begins to persist events in the background, and to follow what other
// servers on the database do to automations. It may be repeated.
func (s *Service) Start(ctx context.Context) error {
	if s.events.start() && s.store.Shared() {
		s.events.background(s.followPeers)
	}
	return s.rememberHolders(ctx)
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
			s.secrets.forget()
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
				s.waiting.note(*m.Wait, s.now())
			}
		case <-tick.C:
			s.secrets.forget() // word of a change may be lost
			s.seePeers()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if lost, err := s.store.LostSlotHolders(ctx, s.now()); err == nil {
				s.lost.add(lost, s.now().Add(lostGrace))
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
	err := s.triggers.refresh(ctx, s.store)
	s.outage.ask(s.now(), err)
	if err != nil {
		s.log.Debug("automations not read; tried again", "error", err)
	}
}

// Stop writes what is still to be written and waits for it. It may be repeated.
func (s *Service) Stop(ctx context.Context) error { return s.events.stop(ctx) }

// outbox is what a transaction tells the world: events are written with it,
// and everything is published once it has committed.
type outbox struct {
	events []*core.Event // that may be known: clients send them again
	own    []*core.Event // that are new
	runs   []core.UUID   // flow runs that changed
	tasks  []core.UUID   // flow runs whose task runs did
	work   []core.UUID   // pools that may have something to do
	queued []string      // task keys of background task runs to be had
	logs   []*core.Log
	plans  []planChange

	triggers, actions bool // automations have events to look at, actions to do
}

func (o *outbox) event(e ...*core.Event)    { o.events = append(o.events, e...) }
func (o *outbox) ownEvent(e ...*core.Event) { o.own = append(o.own, e...) }
func (o *outbox) run(id ...core.UUID)       { o.runs = append(o.runs, id...) }
func (o *outbox) pool(poolID ...core.UUID)  { o.work = append(o.work, poolID...) }

// write runs fn in a transaction together with the events that it puts into
// its outbox, and publishes the outbox after the commit. fn may run more than
// once: each time it gets an empty outbox.
func (s *Service) write(ctx context.Context, fn func(tx core.Tx, out *outbox) error) error {
	var out outbox
	err := s.store.Write(ctx, func(tx core.Tx) error {
		out = outbox{}
		if err := fn(tx, &out); err != nil {
			return err
		}
		if err := out.writeEvents(ctx, tx); err != nil || len(out.events) == 0 {
			return err
		}
		concerned, err := s.triggers.concerned(ctx, tx, out.events)
		if err != nil || len(concerned) == 0 {
			return err
		}
		out.triggers = true
		return tx.QueueAutomationEvents(ctx, concerned, s.now())
	})
	if err == nil {
		s.publish(&out)
		for _, p := range out.plans {
			s.log.Info("plan of a deployment changed", "deployment", p.deployment, "flow_runs_deleted", p.deleted, "flow_runs_created", p.created)
		}
	}
	return err
}

// operation is what one caller does in a transaction.
type operation func(tx core.Tx, out *outbox) error

// writeEach is write for several at once, all or none.
func (s *Service) writeEach(ctx context.Context, all []operation) error {
	return s.write(ctx, func(tx core.Tx, out *outbox) error {
		for _, fn := range all {
			if err := fn(tx, out); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeEvents leaves in events what is to be published.
func (o *outbox) writeEvents(ctx context.Context, tx core.Tx) (err error) {
	if len(o.events) > 0 {
		if o.events, err = tx.InsertEvents(ctx, o.events); err != nil {
			return err
		}
	}
	if len(o.own) > 0 {
		if err = tx.AddEvents(ctx, o.own); err != nil {
			return err
		}
		o.events = append(o.events, o.own...)
	}
	return nil
}

func (s *Service) publish(out *outbox) {
	messages := make([]core.Message, 0, len(out.events)+len(out.runs)+len(out.tasks)+len(out.work)+1)
	// Work goes first: a waiting worker should not queue behind onlookers.
	for i, id := range out.work {
		if !id.IsZero() && !contains(out.work[:i], id) {
			messages = append(messages, core.Message{Topic: core.TopicWork, Key: id.String()})
		}
	}
	for i, id := range out.runs {
		if !id.IsZero() && !contains(out.runs[:i], id) {
			messages = append(messages, core.Message{Topic: core.TopicRun, Key: id.String()})
		}
	}
	for _, key := range out.queued {
		messages = append(messages, core.Message{Topic: core.TopicTask, Key: key})
	}
	for _, id := range out.tasks {
		if !id.IsZero() {
			messages = append(messages, core.Message{Topic: core.TopicRun, Key: id.String(), Tasks: true})
		}
	}
	if out.triggers {
		messages = append(messages, core.Message{Topic: core.TopicAutomation})
	}
	if out.actions {
		messages = append(messages, core.Message{Topic: core.TopicAction})
	}
	for _, e := range out.events {
		messages = append(messages, core.Message{Topic: core.TopicEvent, Event: e})
	}
	for _, group := range byRun(out.logs) {
		messages = append(messages, core.Message{Topic: core.TopicLog, Key: group[0].FlowRunID.String(), Logs: group})
	}
	if len(messages) > 0 {
		s.bus.Publish(messages...)
	}
}

func contains(ids []core.UUID, id core.UUID) bool {
	for _, i := range ids {
		if i == id {
			return true
		}
	}
	return false
}

// pollMarks remembers when queues and deployments were last marked polled, so
// that a poll does not write each time.
type pollMarks struct {
	sync.Mutex
	at map[core.UUID]core.Time
}
