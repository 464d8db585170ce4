package bustest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

// Bus runs the suite on every implementation.
func Bus(t *testing.T) {
	for name, open := range Backends(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct {
				name string
				test func(*testing.T, *Backend)
			}{
				{"own messages come at once and once", ownMessages},
				{"messages reach other servers by key", byKey},
				{"events travel whole and in order", eventsTravel},
				{"a slow reader holds nobody up", slowReader},
				{"a closed bus is silent", closes},
				{"an outage", outage},
				{"a full queue", fullQueue},
				{"a network that swallows", stalled},
				{"a backend that is not there at the start", absent},
			} {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.test(t, open(t))
				})
			}
		})
	}
}

func run(key string) core.Message { return core.Message{Topic: core.TopicRun, Key: key} }

// next is the next message that is no Missed.
func next(t *testing.T, s core.Subscription) core.Message {
	t.Helper()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	for {
		select {
		case m, open := <-s.C():
			if !open {
				t.Fatal("the subscription has ended")
			}
			if !m.Missed {
				return m
			}
		case <-end.C:
			t.Fatal("no message within 30 s")
		}
	}
}

func ownMessages(t *testing.T, h *Backend) {
	a, b := h.Bus(t, bus.Options{}), h.Bus(t, bus.Options{})
	s := a.Subscribe(core.TopicRun, "", 200)
	for i := range 100 {
		a.Publish(run(strconv.Itoa(i)))
	}
	if n := len(s.C()); n != 100 {
		t.Fatalf("%d of 100 messages are there when Publish returns", n)
	}
	there := b.Subscribe(core.TopicRun, "", 200)
	a.Publish(run("sent"))
	next(t, there) // what a sent has come round
	b.Publish(run("last"))
	for i := range 100 {
		if m := next(t, s); m.Key != strconv.Itoa(i) {
			t.Fatalf("message %d is %+v", i, m)
		}
	}
	if m := next(t, s); m.Key != "sent" {
		t.Fatalf("an echo: %+v", m)
	}
	if m := next(t, s); m.Key != "last" {
		t.Fatalf("an echo: %+v", m)
	}
	if n := s.Lost(); n != 0 {
		t.Errorf("%d lost", n)
	}
}

func byKey(t *testing.T, h *Backend) {
	a, b := h.Bus(t, bus.Options{}), h.Bus(t, bus.Options{})
	one, all, other := a.Subscribe(core.TopicRun, "1", 8), a.Subscribe(core.TopicRun, "", 8), a.Subscribe(core.TopicWork, "1", 8)
	b.Publish(run("2"), core.Message{Topic: core.TopicRun, Key: "1", Tasks: true}, core.Message{Topic: core.TopicWork, Key: "end"})
	if m := next(t, all); m.Key != "2" || m.Tasks {
		t.Errorf("%+v", m)
	}
	if m := next(t, all); m.Key != "1" || !m.Tasks {
		t.Errorf("%+v", m)
	}
	if m := next(t, one); m.Key != "1" || !m.Tasks {
		t.Errorf("%+v", m)
	}
	if len(one.C())+len(other.C()) > 0 {
		t.Error("another key's message came")
	}
	lines := a.Subscribe(core.TopicLog, "r", 8)
	b.Publish(core.Message{Topic: core.TopicLog, Key: "r", Logs: []*core.Log{{Message: strings.Repeat("x", 100_000)}}})
	if m := next(t, lines); m.Key != "r" {
		t.Errorf("%+v", m)
	}
}

// eventsTravel: what is too large for the link is read by the hearer.
func eventsTravel(t *testing.T, h *Backend) {
	stored := map[core.UUID]*core.Event{}
	var sent []core.Message
	for i := range 300 {
		text := strconv.Itoa(i)
		if i%50 == 7 {
			text = strings.Repeat("ü\u0000", 50_000)
		}
		e := &core.Event{ID: core.NewID(), Occurred: core.Now(), Received: core.Now(), Event: "order." + strconv.Itoa(i),
			Resource: map[string]string{"prefect.resource.id": "order." + strconv.Itoa(i)},
			Related:  []map[string]string{{"prefect.resource.id": "shop", "prefect.resource.role": "shop"}},
			Payload:  core.ToJSON(map[string]any{"text": text}), Follows: core.NewID()}
		stored[e.ID] = e
		sent = append(sent, core.Message{Topic: core.TopicEvent, Event: e})
	}
	read := bus.Options{Events: func(_ context.Context, ids []core.UUID) (out []*core.Event, _ error) {
		for _, id := range ids {
			out = append(out, stored[id])
		}
		return out, nil
	}}
	a, b := h.Bus(t, read), h.Bus(t, read)
	s := a.Subscribe(core.TopicEvent, "", 1000)
	b.Publish(sent...)
	got := map[core.UUID]bool{}
	last := -1
	for range sent {
		m := next(t, s)
		want := stored[m.Event.ID]
		if string(core.ToJSON(m.Event)) != string(core.ToJSON(want)) {
			t.Fatalf("%.300s\n is not\n%.300s", core.ToJSON(m.Event), core.ToJSON(want))
		}
		var n int
		_, _ = fmt.Sscanf(m.Event.Event, "order.%d", &n)
		if n%50 != 7 { // those that were read come after those that came with them
			if n < last {
				t.Fatalf("event %d after %d", n, last)
			}
			last = n
		}
		got[m.Event.ID] = true
	}
	if len(got) != len(sent) {
		t.Errorf("%d different events of %d", len(got), len(sent))
	}
}

func slowReader(t *testing.T, h *Backend) {
	a, b := h.Bus(t, bus.Options{}), h.Bus(t, bus.Options{})
	slow, quick := a.Subscribe(core.TopicEvent, "", 1), a.Subscribe(core.TopicEvent, "", 100)
	for range 50 {
		b.Publish(core.Message{Topic: core.TopicEvent, Event: &core.Event{ID: core.NewID()}})
	}
	for range 50 {
		next(t, quick)
	}
	Soon(t, "49 messages lost", func() bool { return len(slow.C()) == 1 })
	if n := slow.Lost(); n != 49 {
		t.Errorf("lost %d, want 49", n)
	}
	if n := slow.Lost(); n != 0 {
		t.Errorf("lost again %d", n)
	}
}

func closes(t *testing.T, h *Backend) {
	a := h.Bus(t, bus.Options{})
	s, gone := a.Subscribe(core.TopicRun, "", 1), a.Subscribe(core.TopicRun, "", 1)
	gone.Close()
	gone.Close()
	for range 2 {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, open := <-s.C(); open {
		t.Error("a subscription outlived its bus")
	}
	if _, open := <-a.Subscribe(core.TopicRun, "", 1).C(); open {
		t.Error("a closed bus took a subscription")
	}
	a.Publish(run("1"))
	s.Close()
}

// wired joins two servers whose backend can break.
func wired(t *testing.T, h *Backend, o bus.Options) (a, b Server, log *Log) {
	t.Helper()
	log = &Log{}
	o.Log = log.Logger()
	if o.Poll == 0 {
		o.Poll = 20 * time.Millisecond
	}
	return h.Bus(t, o), h.Bus(t, bus.Options{Poll: time.Hour, Log: (&Log{}).Logger(), Queue: o.Queue}), log
}

const broke, mended = "other servers cannot be heard", "other servers can be heard again"

func flows(t *testing.T, to core.Subscription, from core.Bus) {
	t.Helper()
	Soon(t, "messages flow again", func() bool {
		from.Publish(run("flow"))
		for len(to.C()) > 0 {
			if m := <-to.C(); m.Key == "flow" {
				return true
			}
		}
		return false
	})
}

func outage(t *testing.T, h *Backend) {
	if h.Proxy == nil {
		t.Log("nothing that can break")
		return
	}
	a, b, log := wired(t, h, bus.Options{})
	s := a.Subscribe(core.TopicRun, "", 100)
	for round := range 2 {
		h.Proxy.Cut()
		Soon(t, "the outage shows", func() bool { return !a.Status().Ready && a.Status().Reason != "" })
		for range 3 {
			a.Publish(run("own"))
		}
		for range 3 {
			m := next(t, s)
			for m.Key == "flow" { // of the round before
				m = next(t, s)
			}
			if m.Key != "own" {
				t.Fatalf("%+v", m)
			}
		}
		missed := 0
		Soon(t, "subscribers look for themselves", func() bool {
			for len(s.C()) > 0 {
				if m := <-s.C(); m.Missed {
					missed++
				}
			}
			return missed > 2
		})
		if s.Lost() == 0 {
			t.Error("Lost is silent about an outage")
		}
		b.Publish(run("meanwhile")) // is sent when it can be
		h.Proxy.Restore()
		Soon(t, "the outage is over", func() bool { return a.Status().Ready && b.Status().Ready })
		// b may have sent it before a listened again: then a was told to look.
		Soon(t, "what was said meanwhile is told, or that something was", func() bool {
			m := <-s.C()
			return m.Missed || m.Key == "meanwhile"
		})
		flows(t, s, b)
		if n := log.Count(broke); n != round+1 {
			t.Errorf("%d warnings after outage %d", n, round+1)
		}
		if n := log.Count(mended); n != round+1 {
			t.Errorf("%d all-clears after outage %d", n, round+1)
		}
		s.Lost()
	}
}

func fullQueue(t *testing.T, h *Backend) {
	if h.Proxy == nil {
		t.Log("nothing that can break")
		return
	}
	a, b, _ := wired(t, h, bus.Options{Queue: 10, Poll: time.Hour})
	h.Proxy.Cut()
	Soon(t, "the outage shows", func() bool { return !a.Status().Ready && !b.Status().Ready })
	began := time.Now()
	for i := range 1000 {
		b.Publish(run(strconv.Itoa(i)))
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("Publish waited: %s", d)
	}
	Soon(t, "the overflow is counted", func() bool { return b.Status().Dropped >= 980 })
	h.Proxy.Restore()
	Soon(t, "both hear again", func() bool { return a.Status().Ready && b.Status().Ready })
	// A gap that b tells of comes whether or not a was told to look before.
	s := a.Subscribe(core.TopicRun, "", 10_000)
	flows(t, s, b)
}

// stalled: connections stay open, and nothing passes.
func stalled(t *testing.T, h *Backend) {
	if h.Proxy == nil {
		t.Log("nothing that can break")
		return
	}
	a, b, log := wired(t, h, bus.Options{})
	s := a.Subscribe(core.TopicRun, "", 1000)
	h.Proxy.Stall()
	Soon(t, "the outage shows", func() bool { return !a.Status().Ready })
	Soon(t, "subscribers look for themselves", func() bool { return (<-s.C()).Missed })
	h.Proxy.Restore()
	Soon(t, "both hear again", func() bool { return a.Status().Ready && b.Status().Ready })
	flows(t, s, b)
	if log.Count(broke) != 1 || log.Count(mended) != 1 {
		t.Errorf("%d warnings, %d all-clears", log.Count(broke), log.Count(mended))
	}
}

func absent(t *testing.T, h *Backend) {
	if h.Proxy == nil {
		t.Log("nothing that can be absent")
		return
	}
	h.Proxy.Cut()
	a, b, log := wired(t, h, bus.Options{})
	if a.Status().Ready || log.Count(broke) != 1 {
		t.Errorf("%+v, %d warnings", a.Status(), log.Count(broke))
	}
	s := a.Subscribe(core.TopicRun, "", 100)
	h.Proxy.Restore()
	Soon(t, "both hear", func() bool { return a.Status().Ready && b.Status().Ready })
	b.Publish(run("1"))
	if m := next(t, s); m.Key != "1" {
		t.Errorf("%+v", m)
	}
}
