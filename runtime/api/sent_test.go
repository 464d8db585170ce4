package api

import (
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// What a stream remembers is bounded, and each event is still sent once.
func TestSentEventsAreBounded(t *testing.T) {
	now := core.Now()
	s := sentEvents{began: now}
	event := func(received core.Time) *core.Event { return &core.Event{ID: core.NewID(), Received: received} }
	for range 200_000 { // a large backfill
		if !s.add(event(now.Add(-10*time.Minute)), now) {
			t.Fatal("an event of the backfill is left out")
		}
	}
	if n := len(s.recent) + len(s.older); n > 0 {
		t.Errorf("a backfill of old events leaves %d IDs", n)
	}
	overlap := event(now.Add(-time.Second)) // stored before the read, published after it
	if !s.add(overlap, now) || s.add(overlap, now.Add(time.Minute)) {
		t.Error("an event that came by backfill and by the bus is sent once")
	}
	for range 1000 {
		s.add(event(now), now.Add(3*time.Minute))
	}
	if s.add(overlap, now.Add(4*time.Minute)) {
		t.Error("an event is forgotten too early")
	}
	for range 300_000 { // a flood
		s.add(event(now), now)
		if n := len(s.recent) + len(s.older); n > 2*maxSent {
			t.Fatalf("%d IDs are remembered", n)
		}
	}
}

func TestCSVHoldsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "a=1": "a=1", "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", " =1": "' =1", "＝1": "'＝1", "\x1b[31m=3": "'\x1b[31m=3", "\u00a0+1": "'\u00a0+1", "'=1": "'=1", "é=1": "é=1",
	} {
		if got := csvText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
