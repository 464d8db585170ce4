package services

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Runs are the periodic use cases of runs, deployments, and workers.
type Runs interface {
	ScheduleRuns(ctx context.Context) (int, error)
	ScheduleRecent(ctx context.Context) (int, error)
	MarkLate(ctx context.Context) (int, error)
	ExpirePauses(ctx context.Context) (int, error)
	CleanCancelled(ctx context.Context) (int, error)
	MarkStaleOffline(ctx context.Context) (int, error)
	ExpireLeases(ctx context.Context) (int, error)
}

// Retention deletes old history.
type Retention interface {
	TrimEvents(ctx context.Context) (int, error)
	TrimRuns(ctx context.Context) (int, error)
	TrimLogs(ctx context.Context) (int, error)
}

// Limits are the periodic use cases of concurrency limits.
type Limits interface {
	ExpireSlotLeases(ctx context.Context) (int, error)
}

// Automations are the periodic use cases of automations.
type Automations interface {
	EvaluateAutomations(ctx context.Context) (int, error)
	DoActions(ctx context.Context) (int, error)
}

// Config is what the services need. Bus may be nil: then deployments that change
// are scheduled at the next tick.
type Config struct {
	Runs        Runs
	Limits      Limits
	Automations Automations
	Retention   Retention
	Liveness    core.Liveness
	Bus         core.Bus
	Log         *slog.Logger
}

// Services is every background service of a server.
type Services struct {
	bus   core.Bus
	loops []*loop

	mu     sync.Mutex
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	subs   []core.Subscription
}

// ErrStopped is the cause of a sweep's context when the loops stop.
var ErrStopped = errors.New("background services are stopping")

func New(c Config) *Services {
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	holder := core.NewID()
	l := &Services{bus: c.Bus}
	for _, e := range []struct {
		name  string
		every time.Duration
		sweep Sweep
	}{
		{"schedule", 60 * time.Second, c.Runs.ScheduleRuns},
		{recent, 5 * time.Second, c.Runs.ScheduleRecent},
		{"late", 5 * time.Second, c.Runs.MarkLate},
		{"pauses", 5 * time.Second, c.Runs.ExpirePauses},
		{"cancelled", 20 * time.Second, c.Runs.CleanCancelled},
		{"foreman", 15 * time.Second, c.Runs.MarkStaleOffline}, // the name is a lease key
		{"leases", 2 * time.Second, c.Runs.ExpireLeases},
		{"slots", 15 * time.Second, c.Limits.ExpireSlotLeases},
		{"events", 15 * time.Minute, c.Retention.TrimEvents},
		{"old runs", 15 * time.Minute, c.Retention.TrimRuns},
		{"old logs", 15 * time.Minute, c.Retention.TrimLogs},
		{automations, 2 * time.Second, c.Automations.EvaluateAutomations},
		{actions, 5 * time.Second, c.Automations.DoActions},
	} {
		l.loops = append(l.loops, &loop{
			name: e.name, every: e.every, sweep: e.sweep, liveness: c.Liveness, holder: holder, log: log, bus: c.Bus,
			progress: core.LoopProgress{Name: e.name, Every: e.every.Seconds()},
		})
	}
	return l
}

// recent is woken by work messages, which every change of a deployment sends;
// the others by what they are for.
const (
	recent      = "schedule recent"
	automations = "automations"
	actions     = "automation actions"
)

var wakes = map[string]core.Topic{recent: core.TopicWork, automations: core.TopicAutomation, actions: core.TopicAction}

// Start lets the loops run, each at once for the first time. It may be repeated.
func (l *Services) Start(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return nil
	}
	// The loops outlive the call that starts them; Stop ends them.
	ctx, cancel := context.WithCancelCause(context.Background())
	l.cancel = cancel
	for _, one := range l.loops {
		if topic, woken := wakes[one.name]; woken && l.bus != nil {
			sub := l.bus.Subscribe(topic, "", 1)
			l.subs = append(l.subs, sub)
			one.wake = sub.C()
		}
		if l.bus != nil {
			sub := l.bus.Subscribe(core.TopicLoop, one.name, 1)
			l.subs = append(l.subs, sub)
			one.handover = sub.C()
		}
		l.wg.Go(func() { one.run(ctx) })
	}
	return nil
}

// Stop ends the loops and waits for their sweeps, as long as ctx allows. It
// may be repeated.
func (l *Services) Stop(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel == nil {
		return nil
	}
	l.cancel(ErrStopped)
	for _, s := range l.subs {
		s.Close()
	}
	done := make(chan struct{})
	go func() { l.wg.Wait(); close(done) }()
	select {
	case <-done:
		l.cancel, l.subs = nil, nil
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Health is how each loop stands.
func (l *Services) Health() []core.LoopProgress {
	out := make([]core.LoopProgress, len(l.loops))
	for i, one := range l.loops {
		out[i] = one.state()
	}
	return out
}
