package orchestrate_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// peers are two servers on one Postgres database that cannot hear each other.
func peers(t *testing.T) (a, b *house, ok bool) {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			url := e.URL(t)
			return open(t, url), open(t, url), true
		}
	}
	t.Log("no Postgres to test with")
	return nil, nil, false
}

// joined is a server on the store of the other house that hears this one.
func (h *house) joined(other *house) *local.Service {
	h.t.Helper()
	s := local.New(local.Config{Store: other.store, Bus: h.bus, Sealer: h.sealer, Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(h.ctx); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// TestTaskFeedsOfPeers: a background task run goes to one worker of one server.
func TestTaskFeedsOfPeers(t *testing.T) {
	a, b, ok := peers(t)
	if !ok {
		return
	}
	const runs = 30
	for range runs {
		a.background("k", core.Now())
	}
	one, two := a.FeedTasks("one", []string{"k"}), b.FeedTasks("two", []string{"k"})
	defer two.Close()
	held := must(one.Next(t.Context()))(t)
	seen := map[core.UUID]bool{}
	for range runs - 1 {
		r := must(two.Next(t.Context()))(t)
		if r.ID == held.ID || seen[r.ID] {
			t.Fatalf("%s is delivered twice", r.ID)
		}
		seen[r.ID] = true
		if err := two.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	one.Close() // without having acknowledged it
	if r := must(two.Next(t.Context()))(t); r.ID != held.ID {
		t.Errorf("%s, want %s", r.ID, held.ID)
	}
	if err := two.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}

	// A server that vanishes keeps it for as long as its delivery lasts.
	lost := b.background("k", core.Now())
	three := a.FeedTasks("three", []string{"k"})
	if r := must(three.Next(t.Context()))(t); r.ID != lost.ID {
		t.Fatalf("%s, want %s", r.ID, lost.ID)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if r, err := two.Next(ctx); err == nil {
		t.Fatalf("%s is delivered twice", r.ID)
	}
	b.later(time.Minute)
	if r := must(two.Next(t.Context()))(t); r.ID != lost.ID {
		t.Errorf("%s, want %s", r.ID, lost.ID)
	}
}

// TestHoldersAreKnownToPeers: a client that one server has lost comes back to
// another, and keeps its slots.
func TestHoldersAreKnownToPeers(t *testing.T) {
	a, b, ok := peers(t)
	if !ok {
		return
	}
	l, run, client := a.limit("db", 2), core.NewID(), core.NewID()
	must(a.IncrementSlots(a.ctx, take("db")))(t)
	must(a.HearOfSlots(a.ctx, client, []*core.Event{acquired(l, run)}))(t)
	if err := a.LoseClient(a.ctx, client); err != nil {
		t.Fatal(err)
	}
	e := &core.Event{Event: "x", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + run.String()}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; !must(b.HearOfSlots(b.ctx, core.NewID(), []*core.Event{e}))(t); n++ {
		if n > 1000 {
			t.Fatal("the peer does not know the holder")
		}
		<-tick.C
	}
	a.later(time.Hour)
	a.occupied(l, 1)
}

// TestPeersKnowWhoWaits: why a run does not go on is the same from every server.
func TestPeersKnowWhoWaits(t *testing.T) {
	a, b, ok := peers(t)
	if !ok {
		return
	}
	second := a.joined(b)
	a.limit("warehouse", 1)
	d := a.deployed()
	holds, waits := a.started(d), a.started(d)
	take := func(run *core.FlowRun) (*core.SlotGrant, error) {
		return a.AcquireSlots(a.ctx, core.SlotRequest{Slots: 1, Names: []string{"warehouse"}, Holder: holder("flow_run", run.ID)})
	}
	grant := must(take(holds))(t)
	if _, err := take(waits); core.CodeOf(err) != core.ELocked {
		t.Fatal(err)
	}
	says := func(code string) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := 0; must(second.Why(t.Context(), waits.ID))(t).Code != code; n++ {
			if n > 500 {
				t.Fatalf("the peer does not say %s", code)
			}
			<-tick.C
		}
	}
	says("global_limit")
	if err := a.ReleaseSlots(a.ctx, grant.LeaseID); err != nil {
		t.Fatal(err)
	}
	must(take(waits))(t)
	says("running") // it holds the slot, and the limit is full
}

// TestPeersHearOfAutomations: an event that another server is sent as soon as
// an automation is made is for that automation, too.
func TestPeersHearOfAutomations(t *testing.T) {
	a, b, ok := peers(t)
	if !ok {
		return
	}
	second := a.joined(b)
	told := a.bus.Subscribe(core.TopicTrigger, "", 1)
	defer told.Close()
	made := must(a.CreateAutomation(a.ctx, automation(`{"posture":"Reactive","expect":["x"]}`, `{"type":"do-nothing"}`)))(t)
	<-told.C() // second is told at the same time, and looks
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		e := &core.Event{ID: core.NewID(), Occurred: core.Now(), Event: "x", Resource: map[string]string{"prefect.resource.id": "thing.1"}}
		if err := second.EmitEvents(t.Context(), []*core.Event{e}); err != nil {
			t.Fatal(err)
		}
		a.round()
		if fired := a.told("prefect.automation.triggered"); len(fired) > 0 {
			if fired[0].ResourceID() != "prefect.automation."+made.ID.String() {
				t.Errorf("%s has fired", fired[0].ResourceID())
			}
			return
		}
		if n > 1000 {
			t.Fatal("the peer does not know the automation")
		}
		<-tick.C
	}
}

// TestSecretsOfPeersAreMasked: a server that has looked at the secrets hears of
// those that are saved on another one.
func TestSecretsOfPeersAreMasked(t *testing.T) {
	a, b, ok := peers(t)
	if !ok {
		return
	}
	second := a.joined(b)
	run := must(a.CreateFlowRun(a.ctx, core.FlowRunCreate{FlowID: a.flow().ID}))(t)
	says := func() string {
		text := "the word is hush-hush"
		must(second.SetFlowRunState(t.Context(), run.ID, core.StateCreate{Type: core.Running, Message: &text}, true))(t)
		return core.Deref(must(a.store.FlowRun(t.Context(), run.ID))(t).State.Message)
	}
	says() // has looked
	if err := a.SetSecret(a.ctx, "s", core.JSON(`"hush-hush"`)); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); says() != "the word is ********"; {
		if time.Since(begun) > 8*time.Second {
			t.Fatal("the secret is not masked")
		}
	}
}
