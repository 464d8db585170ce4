package local_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/runtime/core"
)

// joined is a server on the store of the other fixture that receives what h publishes.
func joined(h, other *localtest.Fixture) *local.Service {
	h.T.Helper()
	s := local.New(local.Config{Store: other.Store, Bus: h.Bus, Sealer: h.Sealer, Log: slog.New(slog.DiscardHandler)})
	if err := s.Start(h.Ctx); err != nil {
		h.T.Fatal(err)
	}
	h.T.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

// TestTaskFeedsOfPeers: a background task run goes to one worker of one server.
func TestTaskFeedsOfPeers(t *testing.T) {
	a, b, ok := localtest.Peers(t)
	if !ok {
		return
	}
	const runs = 30
	for range runs {
		a.Background("k", core.Now())
	}
	one, two := a.FeedTasks("one", []string{"k"}), b.FeedTasks("two", []string{"k"})
	defer two.Close()
	held := localtest.Must(one.Next(t.Context()))(t)
	seen := map[core.UUID]bool{}
	for range runs - 1 {
		r := localtest.Must(two.Next(t.Context()))(t)
		if r.ID == held.ID || seen[r.ID] {
			t.Fatalf("%s is delivered twice", r.ID)
		}
		seen[r.ID] = true
		if err := two.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	one.Close() // without having acknowledged it
	if r := localtest.Must(two.Next(t.Context()))(t); r.ID != held.ID {
		t.Errorf("%s, want %s", r.ID, held.ID)
	}
	if err := two.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}

	// A server that vanishes keeps it for as long as its delivery lasts.
	lost := b.Background("k", core.Now())
	three := a.FeedTasks("three", []string{"k"})
	if r := localtest.Must(three.Next(t.Context()))(t); r.ID != lost.ID {
		t.Fatalf("%s, want %s", r.ID, lost.ID)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if r, err := two.Next(ctx); err == nil {
		t.Fatalf("%s is delivered twice", r.ID)
	}
	b.Later(time.Minute)
	if r := localtest.Must(two.Next(t.Context()))(t); r.ID != lost.ID {
		t.Errorf("%s, want %s", r.ID, lost.ID)
	}
}

// TestHoldersAreKnownToPeers: a client that one server has lost comes back to
// another, and keeps its slots.
func TestHoldersAreKnownToPeers(t *testing.T) {
	a, b, ok := localtest.Peers(t)
	if !ok {
		return
	}
	l, run, client := a.Limit("db", 2), core.NewID(), core.NewID()
	localtest.Must(a.IncrementSlots(a.Ctx, localtest.OneSlot("db")))(t)
	localtest.Must(a.HearOfSlots(a.Ctx, client, []*core.Event{localtest.Acquired(l, run)}))(t)
	if err := a.LoseClient(a.Ctx, client); err != nil {
		t.Fatal(err)
	}
	e := &core.Event{Event: "x", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + run.String()}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; !localtest.Must(b.HearOfSlots(b.Ctx, core.NewID(), []*core.Event{e}))(t); n++ {
		if n > 1000 {
			t.Fatal("the peer does not know the holder")
		}
		<-tick.C
	}
	a.Later(time.Hour)
	a.Occupied(l, 1)
}

// TestPeersKnowWhoWaits: why a run does not go on is the same from every server.
func TestPeersKnowWhoWaits(t *testing.T) {
	a, b, ok := localtest.Peers(t)
	if !ok {
		return
	}
	second := joined(a, b)
	a.Limit("warehouse", 1)
	d := a.Deployed()
	holds, waits := a.Started(d), a.Started(d)
	take := func(run *core.FlowRun) (*core.SlotGrant, error) {
		return a.AcquireSlots(a.Ctx, core.SlotRequest{Slots: 1, Names: []string{"warehouse"}, Holder: localtest.Holder("flow_run", run.ID)})
	}
	grant := localtest.Must(take(holds))(t)
	if _, err := take(waits); core.CodeOf(err) != core.ELocked {
		t.Fatal(err)
	}
	says := func(code string) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := 0; localtest.Must(second.Why(t.Context(), waits.ID))(t).Code != code; n++ {
			if n > 500 {
				t.Fatalf("the peer does not say %s", code)
			}
			<-tick.C
		}
	}
	says("global_limit")
	if err := a.ReleaseSlots(a.Ctx, grant.LeaseID); err != nil {
		t.Fatal(err)
	}
	localtest.Must(take(waits))(t)
	says("running") // it holds the slot, and the limit is full
}

// TestPeersHearOfAutomations: an event that another server is sent as soon as
// an automation is made is for that automation, too.
func TestPeersHearOfAutomations(t *testing.T) {
	a, b, ok := localtest.Peers(t)
	if !ok {
		return
	}
	second := joined(a, b)
	told := a.Bus.Subscribe(core.TopicTrigger, "", 1)
	defer told.Close()
	made := localtest.Must(a.CreateAutomation(a.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x"]}`, `{"type":"do-nothing"}`)))(t)
	<-told.C() // second is told at the same time, and looks
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		e := &core.Event{ID: core.NewID(), Occurred: core.Now(), Event: "x", Resource: map[string]string{"prefect.resource.id": "thing.1"}}
		if err := second.EmitEvents(t.Context(), []*core.Event{e}); err != nil {
			t.Fatal(err)
		}
		a.Round()
		if fired := a.Stored("prefect.automation.triggered"); len(fired) > 0 {
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
	a, b, ok := localtest.Peers(t)
	if !ok {
		return
	}
	second := joined(a, b)
	run := localtest.Must(a.CreateFlowRun(a.Ctx, core.FlowRunCreate{FlowID: a.Flow().ID}))(t)
	says := func() string {
		text := "the word is hush-hush"
		localtest.Must(second.SetFlowRunState(t.Context(), run.ID, core.StateCreate{Type: core.Running, Message: &text}, true))(t)
		return core.Deref(localtest.Must(a.Store.FlowRun(t.Context(), run.ID))(t).State.Message)
	}
	says() // has looked
	if err := a.SetSecret(a.Ctx, "s", core.JSON(`"hush-hush"`)); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); says() != "the word is ********"; {
		if time.Since(begun) > 8*time.Second {
			t.Fatal("the secret is not masked")
		}
	}
}
