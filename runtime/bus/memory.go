package bus

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

var (
	_ core.Bus          = (*Memory)(nil)
	_ core.Subscription = (*subscription)(nil)
)

// Memory fans messages out within one process.
type Memory struct {
	mu     sync.RWMutex
	subs   map[address]map[*subscription]struct{}
	closed bool
}

type address struct {
	topic core.Topic
	key   string
}

func NewMemory() *Memory {
	return &Memory{subs: map[address]map[*subscription]struct{}{}}
}

// Publish hands each message to the subscribers of its key and to those of all
// keys. A full subscriber loses the message; nobody is waited for.
func (b *Memory) Publish(messages ...core.Message) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, m := range messages {
		for s := range b.subs[address{m.Topic, m.Key}] {
			s.offer(m)
		}
		if m.Key != "" {
			for s := range b.subs[address{m.Topic, ""}] {
				s.offer(m)
			}
		}
	}
}

// missed tells every subscriber that messages may have been lost.
func (b *Memory) missed(topics ...core.Topic) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for at, subs := range b.subs {
		if len(topics) > 0 && !slices.Contains(topics, at.topic) {
			continue
		}
		for s := range subs {
			s.lost.Add(1) // before the message, whose reader asks for it
			select {
			case s.c <- core.Message{Topic: at.topic, Missed: true}:
			default: // it has something to read, and Lost tells the rest
			}
		}
	}
}

// Subscribe on a closed bus gives a closed channel.
func (b *Memory) Subscribe(topic core.Topic, key string, buffer int) core.Subscription {
	s := &subscription{bus: b, at: address{topic, key}, c: make(chan core.Message, max(buffer, 1))}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(s.c)
		return s
	}
	if b.subs[s.at] == nil {
		b.subs[s.at] = map[*subscription]struct{}{}
	}
	b.subs[s.at][s] = struct{}{}
	return s
}

func (b *Memory) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	for _, subs := range b.subs {
		for s := range subs {
			close(s.c)
		}
	}
	clear(b.subs)
	return nil
}

type subscription struct {
	bus  *Memory
	at   address
	c    chan core.Message
	lost atomic.Int64
}

func (s *subscription) offer(m core.Message) {
	select {
	case s.c <- m:
	default:
		s.lost.Add(1)
	}
}

func (s *subscription) C() <-chan core.Message { return s.c }
func (s *subscription) Lost() int64            { return s.lost.Swap(0) }

// Close ends the subscription. Its channel stays open, so that a reader that
// closes late does not mistake it for the bus's end.
func (s *subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	subs := s.bus.subs[s.at]
	delete(subs, s)
	if len(subs) == 0 {
		delete(s.bus.subs, s.at)
	}
}

// Drain ends all subscriptions: there is nobody else to tell.
func (b *Memory) Drain() { _ = b.Close() }
