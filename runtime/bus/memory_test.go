package bus_test

import (
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestMemoryFansOutByKey(t *testing.T) {
	b := bus.NewMemory()
	one := b.Subscribe(core.TopicRun, "1", 4)
	all := b.Subscribe(core.TopicRun, "", 4)
	logs := b.Subscribe(core.TopicLog, "1", 4)
	b.Publish(core.Message{Topic: core.TopicRun, Key: "1"}, core.Message{Topic: core.TopicRun, Key: "2"})
	if n := len(one.C()); n != 1 {
		t.Errorf("key 1 got %d messages, want 1", n)
	}
	if n := len(all.C()); n != 2 {
		t.Errorf("all keys got %d messages, want 2", n)
	}
	if n := len(logs.C()); n != 0 {
		t.Errorf("another topic got %d messages, want none", n)
	}
}

func TestMemoryCountsWhatASlowReaderLost(t *testing.T) {
	b := bus.NewMemory()
	s := b.Subscribe(core.TopicEvent, "", 2)
	for range 5 {
		b.Publish(core.Message{Topic: core.TopicEvent})
	}
	if n := s.Lost(); n != 3 {
		t.Errorf("lost %d, want 3", n)
	}
	if n := s.Lost(); n != 0 {
		t.Errorf("lost again %d, want 0", n)
	}
}

func TestMemoryCloses(t *testing.T) {
	b := bus.NewMemory()
	s := b.Subscribe(core.TopicEvent, "", 1)
	gone := b.Subscribe(core.TopicEvent, "", 1)
	gone.Close()
	gone.Close()
	_ = b.Close()
	_ = b.Close()
	if _, open := <-s.C(); open {
		t.Error("a subscription outlived its bus")
	}
	if _, open := <-b.Subscribe(core.TopicEvent, "", 1).C(); open {
		t.Error("a closed bus took a subscription")
	}
	b.Publish(core.Message{Topic: core.TopicEvent})
	s.Close()
}

// While others come and go, a subscriber hears of every message: it gets it, or
// is told that it was lost.
func TestMemoryUnderConcurrency(t *testing.T) {
	const publishers, each = 8, 200
	b := bus.NewMemory()
	all := b.Subscribe(core.TopicRun, "k", publishers*each/2)
	var wg sync.WaitGroup
	for range publishers {
		wg.Go(func() {
			for range each {
				b.Publish(core.Message{Topic: core.TopicRun, Key: "k"})
			}
		})
		wg.Go(func() {
			for range each {
				s := b.Subscribe(core.TopicRun, "k", 1)
				s.Lost()
				s.Close()
			}
		})
	}
	wg.Wait()
	lost := all.Lost()
	_ = b.Close()
	got := int64(0)
	for range all.C() {
		got++
	}
	if got+lost != publishers*each || lost == 0 {
		t.Errorf("%d received and %d lost of %d", got, lost, publishers*each)
	}
}
