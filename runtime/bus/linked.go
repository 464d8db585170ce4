package bus

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

var _ core.Bus = (*Linked)(nil)

// Link carries texts between servers.
type Link interface {
	// Listen calls up once it hears, then heard for each text, until ctx ends
	// or the backend is gone.
	Listen(ctx context.Context, up func(), heard func(text []byte)) error
	Send(ctx context.Context, texts []string) error
	Limit() int // bytes of a text
	Close()
}

// Times of each Link.
const (
	ProbeEvery  = 3 * time.Second // a silent connection is asked whether it lives
	DialTimeout = 3 * time.Second
)

// Options of a bus between servers.
type Options struct {
	Log *slog.Logger // nil: slog.Default
	// Events reads events that are too large to travel. nil: their hearers are
	// told that they missed something.
	Events func(ctx context.Context, ids []core.UUID) ([]*core.Event, error)
	Queue  int           // messages that wait to be sent; default 10,000
	Poll   time.Duration // between two Missed while the link is down; default 2 s
}

// Linked is a bus of many servers. Messages reach subscribers of this process
// directly, whatever becomes of the link.
type Linked struct {
	local *Memory
	link  Link
	kind  string
	node  string
	opts  Options
	log   *slog.Logger

	queue   queue
	health  Health
	heard   atomic.Int64
	sent    atomic.Int64
	dropped atomic.Int64

	stop context.CancelFunc
	wg   sync.WaitGroup
	once sync.Once
}

const (
	sendTimeout  = 5 * time.Second
	closeTimeout = time.Second
	firstWait    = 3 * time.Second
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
	steadyAfter  = 10 * time.Second // a connection that lived so long was a good one
)

// NewLinked begins to listen and waits a moment for it to succeed; a backend
// that does not answer is a warning, not an error.
func NewLinked(ctx context.Context, kind string, l Link, o Options) *Linked {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Queue <= 0 {
		o.Queue = 10_000
	}
	if o.Poll <= 0 {
		o.Poll = 2 * time.Second
	}
	b := &Linked{local: NewMemory(), link: l, kind: kind, node: core.NewID().String(), opts: o, log: o.Log}
	b.queue.wake = make(chan struct{}, 1)
	b.queue.most = o.Queue
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.stop = stop
	first := make(chan struct{})
	b.wg.Go(func() { b.listenLoop(run, sync.OnceFunc(func() { close(first) })) })
	b.wg.Go(func() { b.sendLoop(run) })
	b.wg.Go(func() { b.pollLoop(run) })
	wait := time.NewTimer(firstWait)
	defer wait.Stop()
	select {
	case <-first:
	case <-wait.C:
		b.report("listen", errors.New("no answer yet"))
	case <-ctx.Done():
	}
	return b
}

func (b *Linked) Publish(messages ...core.Message) {
	b.local.Publish(messages...)
	b.dropped.Add(b.queue.add(messages))
}

func (b *Linked) Subscribe(topic core.Topic, key string, buffer int) core.Subscription {
	return b.local.Subscribe(topic, key, buffer)
}

// Close sends what still waits, within a second.
func (b *Linked) Close() error {
	b.once.Do(func() {
		b.stop()
		b.wg.Wait()
		b.link.Close()
		_ = b.local.Close()
	})
	return nil
}

// listenLoop connects again for as long as it must, and tells subscribers what
// they may have missed meanwhile.
func (b *Linked) listenLoop(ctx context.Context, first func()) {
	again := backoff.Pauses{First: firstPause, Limit: longestPause}
	interrupted := false
	for ctx.Err() == nil {
		began := time.Now()
		err := b.link.Listen(ctx, func() {
			back := interrupted || !b.health.good()
			b.report("listen", nil)
			if back {
				b.local.missed()
			}
			first()
		}, b.hear)
		if ctx.Err() != nil {
			return
		}
		interrupted = true
		b.report("listen", err)
		first()
		if time.Since(began) > steadyAfter {
			again.Reset()
		}
		_ = again.Wait(ctx)
	}
}

// sendLoop sends what waits, all that is there at once. What fails stays in the
// queue; what the queue had no room for, the others are told of.
func (b *Linked) sendLoop(ctx context.Context) {
	again := backoff.Pauses{First: firstPause, Limit: longestPause}
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
			_ = b.flush(last)
			cancel()
			return
		case <-b.queue.wake:
		}
		once, cancel := context.WithTimeout(ctx, sendTimeout)
		err := b.flush(once)
		cancel()
		if ctx.Err() != nil {
			continue
		}
		b.report("send", err)
		if err != nil {
			_ = again.Wait(ctx)
			b.queue.poke()
			continue
		}
		again.Reset()
	}
}

func (b *Linked) flush(ctx context.Context) error {
	messages, gap := b.queue.take()
	if len(messages) == 0 && !gap {
		return nil
	}
	texts := pack(b.node, messages, gap, b.link.Limit())
	if err := b.link.Send(ctx, texts); err != nil {
		b.dropped.Add(b.queue.putBack(messages, gap))
		return err
	}
	b.sent.Add(int64(len(messages)))
	return nil
}

// pollLoop lets subscribers look for themselves while the link is down.
func (b *Linked) pollLoop(ctx context.Context) {
	tick := time.NewTicker(b.opts.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !b.health.good() {
				b.local.missed()
			}
		}
	}
}

// hear gives subscribers what another server has sent.
func (b *Linked) hear(text []byte) {
	p, ok := unpack(text)
	if !ok || p.Node == b.node {
		return
	}
	if p.Gap {
		b.local.missed()
	}
	messages := make([]core.Message, 0, len(p.Messages))
	var large []core.UUID
	for _, m := range p.Messages {
		if m.Topic == core.TopicEvent && m.Event == nil {
			large = append(large, m.ID)
			continue
		}
		messages = append(messages, core.Message{Topic: m.Topic, Key: m.Key, Event: m.Event, Tasks: m.Tasks})
	}
	b.heard.Add(int64(len(p.Messages)))
	b.local.Publish(messages...)
	if len(large) > 0 {
		b.readEvents(large)
	}
}

// readEvents has events that did not fit into a text from the database.
func (b *Linked) readEvents(ids []core.UUID) {
	var events []*core.Event
	if b.opts.Events != nil {
		ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
		defer cancel()
		events, _ = b.opts.Events(ctx, ids)
	}
	for _, e := range events {
		b.local.Publish(core.Message{Topic: core.TopicEvent, Event: e})
	}
	if len(events) < len(ids) {
		b.local.missed(core.TopicEvent)
	}
}

// Drain ends all subscriptions; what is published still reaches other servers.
func (b *Linked) Drain() { _ = b.local.Close() }
