package loops

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// Config is what the loops stand on. Bus may be nil: then deployments that
// change are scheduled at the next tick.
type Config struct {
	Service  *orchestrate.Service
	Liveness core.Liveness
	Bus      core.Bus
	Log      *slog.Logger
}

// Loops is every loop of a server.
type Loops struct {
	bus   core.Bus
	loops []*loop

	mu     sync.Mutex
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	subs   []core.Subscription
}

// ErrStopped is the cause of a sweep's context when the loops stop.
var ErrStopped = errors.New("loops are stopping")

func New(c Config) *Loops {
	s := c.Service
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	holder := core.NewID()
	l := &Loops{bus: c.Bus}
	for _, e := range []struct {
		name  string
		every time.Duration
		sweep Sweep
	}{
		{"schedule", 60 * time.Second, s.ScheduleRuns},
		{recent, 5 * time.Second, s.ScheduleRecent},
		{"late", 5 * time.Second, s.MarkLate},
		{"pauses", 5 * time.Second, s.ExpirePauses},
		{"cancelled", 20 * time.Second, s.CleanCancelled},
		{"foreman", 15 * time.Second, s.Foreman},
		{"leases", 2 * time.Second, s.ExpireLeases},
		{"slots", 15 * time.Second, s.ExpireSlotLeases},
		{"events", 15 * time.Minute, s.TrimEvents},
		{"old runs", 15 * time.Minute, s.TrimRuns},
		{"old logs", 15 * time.Minute, s.TrimLogs},
		{automations, 2 * time.Second, s.EvaluateAutomations},
		{actions, 5 * time.Second, s.DoActions},
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
func (l *Loops) Start(context.Context) error {
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
func (l *Loops) Stop(ctx context.Context) error {
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
func (l *Loops) Health() []core.LoopProgress {
	out := make([]core.LoopProgress, len(l.loops))
	for i, one := range l.loops {
		out[i] = one.state()
	}
	return out
}
