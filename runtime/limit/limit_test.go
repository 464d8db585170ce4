package orchestrate_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// bothEngines runs fn on SQLite and, where the tests are given one, PostgreSQL.
func bothEngines(t *testing.T, fn func(t *testing.T, h *house)) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) { fn(t, open(t, e.URL(t))) })
	}
}

func (h *house) limit(name string, n int64) *core.GlobalConcurrencyLimit {
	h.t.Helper()
	return must(h.CreateGlobalLimit(h.ctx, core.GlobalConcurrencyLimitCreate{Name: name, Limit: n}))(h.t)
}

// occupied wants so many slots of the limit taken.
func (h *house) occupied(l *core.GlobalConcurrencyLimit, want int64) {
	h.t.Helper()
	l = must(h.store.GlobalLimit(h.ctx, l.ID))(h.t)
	if n := must(h.ActiveSlots(h.ctx, l))(h.t); n != want {
		h.t.Fatalf("%d slots of %s are occupied, want %d", n, l.Name, want)
	}
}

func take(names ...string) core.SlotRequest { return core.SlotRequest{Slots: 1, Names: names} }

// However many ask at once, and in whatever way, no limit is exceeded.
func TestSlotsAreExact(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		const limit, clients = 3, 24
		h.limit("db", limit)
		h.limit("other", clients)
		must(h.SetTagLimit(h.ctx, core.TagLimitCreate{Tag: "slow", Limit: limit}))(t)
		var got [3]atomic.Int64
		count := func(i int, err error) {
			switch {
			case err == nil:
				got[i].Add(1)
			case core.CodeOf(err) != core.ELocked:
				t.Error(err)
			}
		}
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				if i%2 == 0 {
					_, err := h.AcquireSlots(h.ctx, take("other", "db"))
					count(0, err)
				} else {
					_, err := h.IncrementSlots(h.ctx, take("db", "other"))
					count(0, err)
				}
				_, err := h.TakeTagSlots(h.ctx, []string{"slow", "none"}, core.NewID())
				count(1, err)
			})
		}
		d := h.deployed(func(c *core.DeploymentCreate) { c.ConcurrencyLimit = core.Some(int64(limit)) })
		for range clients {
			run := h.run(d).ID
			wg.Go(func() {
				r, err := h.SetFlowRunState(h.ctx, run, core.StateCreate{Type: core.Pending}, false)
				if err != nil {
					t.Error(err)
				} else if r.Status == core.Accept {
					got[2].Add(1)
				}
			})
		}
		wg.Wait()
		for i, n := range []int64{got[0].Load(), got[1].Load(), got[2].Load()} {
			if n != limit {
				t.Errorf("%d: %d were granted, want %d", i, n, limit)
			}
		}
	})
}

func TestSlotsReturnByTheirAge(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		l := h.limit("db", 10)
		for _, slots := range []int64{1, 3, 1} {
			must(h.IncrementSlots(h.ctx, core.SlotRequest{Slots: slots, Names: []string{"db"}}))(t)
			h.later(time.Minute)
		}
		h.occupied(l, 5)
		must(h.DecrementSlots(h.ctx, core.SlotRelease{Slots: 1, Names: []string{"db"}, OccupancySeconds: core.Ptr(60.0)}))(t)
		left := must(h.store.SlotLeases(h.ctx, l.ID, core.Now()))(t)
		if len(left) != 2 || left[0].Slots != 1 || left[1].Slots != 3 {
			t.Errorf("the youngest was held for a minute, left are %+v", left)
		}
		must(h.DecrementSlots(h.ctx, core.SlotRelease{Slots: 2, Names: []string{"db"}}))(t)
		h.occupied(l, 2)
		must(h.DecrementSlots(h.ctx, core.SlotRelease{Slots: 100, Names: []string{"db"}}))(t)
		h.occupied(l, 0)
	})
}

func TestActiveSlotsAreOverridden(t *testing.T) {
	h := open(t, "sqlite::memory:")
	l := h.limit("db", 5)
	must(h.IncrementSlots(h.ctx, take("db")))(t)
	lease := must(h.AcquireSlots(h.ctx, take("db")))(t)
	update := func(n int64) error {
		return h.UpdateGlobalLimit(h.ctx, l.ID, core.GlobalConcurrencyLimitUpdate{ActiveSlots: core.Some(n)})
	}
	if err := update(4); err != nil {
		t.Fatal(err)
	}
	h.occupied(l, 4)
	if err := update(0); err != nil {
		t.Fatal(err)
	}
	h.occupied(l, 1) // the live lease is in use
	if err := h.ReleaseSlots(h.ctx, lease.LeaseID); err != nil {
		t.Fatal(err)
	}
	h.occupied(l, 0)
	if core.CodeOf(update(-1)) != core.EInvalid {
		t.Error("a negative count was taken")
	}
}

// acquired is the event of a client that took slots of l within a flow run.
func acquired(l *core.GlobalConcurrencyLimit, run core.UUID) *core.Event {
	return &core.Event{Event: "prefect.concurrency-limit.acquired",
		Resource: map[string]string{"prefect.resource.id": "prefect.concurrency-limit." + l.ID.String()},
		Related:  []map[string]string{{"prefect.resource.id": "prefect.flow-run." + run.String(), "prefect.resource.role": "flow-run"}},
	}
}

func TestSlotsOfLostClientsReturn(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		l := h.limit("db", 2)
		run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
		hear := func(client core.UUID, e *core.Event) bool {
			return must(h.HearOfSlots(h.ctx, client, []*core.Event{e}))(t)
		}
		a, b := core.NewID(), core.NewID()
		must(h.IncrementSlots(h.ctx, take("db")))(t)
		if !hear(a, acquired(l, run.ID)) {
			t.Error("the client holds slots")
		}
		must(h.IncrementSlots(h.ctx, take("db")))(t)
		hear(b, acquired(l, core.UUID{}))
		gone := func(client core.UUID, after time.Duration, want int64) {
			t.Helper()
			if err := h.LoseClient(h.ctx, client); err != nil {
				t.Fatal(err)
			}
			h.later(after)
			h.occupied(l, want)
		}
		gone(core.NewID(), time.Hour, 2)       // one that holds none
		gone(b, 10*time.Second, 2)             // it may come back
		gone(b, 21*time.Second, 1)             // it did not
		gone(a, 10*time.Second, 1)             // its flow run is heard of again,
		if hear(core.NewID(), &core.Event{}) { // not by this,
			t.Error("heard of whom?")
		}
		again := core.NewID()
		if !hear(again, &core.Event{Event: "x", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + run.ID.String()}}) {
			t.Error("the run is back")
		}
		h.later(time.Hour) // and it keeps what it holds
		h.occupied(l, 1)
		gone(again, time.Minute, 0)
		if n := must(h.ExpireSlotLeases(h.ctx))(t); n != 2 {
			t.Errorf("%d expired", n)
		}
	})
}

// A client outlives a restart of the server, and is known by its new connection.
func TestHoldersAreKnownAfterARestart(t *testing.T) {
	h := open(t, "sqlite::memory:")
	l, run := h.limit("db", 2), core.NewID()
	must(h.IncrementSlots(h.ctx, take("db")))(t)
	must(h.HearOfSlots(h.ctx, core.NewID(), []*core.Event{acquired(l, run)}))(t)
	again := local.New(local.Config{Store: h.store, Bus: h.bus, Now: func() core.Time { return core.Now() + core.Time(h.ahead.Load()) }})
	if err := again.Start(h.ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Stop(context.Background()) })
	client := core.NewID()
	if !must(again.HearOfSlots(h.ctx, client, []*core.Event{{Event: "x", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + run.String()}}}))(t) {
		t.Fatal("the holder is not known")
	}
	if err := again.LoseClient(h.ctx, client); err != nil {
		t.Fatal(err)
	}
	h.later(time.Minute)
	h.occupied(l, 0)
}

func TestSlotsOfEndedRunsReturn(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		must(h.SetTagLimit(h.ctx, core.TagLimitCreate{Tag: "slow", Limit: 1}))(t)
		l, gone := h.limit("db", 1), h.limit("gone", 1)
		slow := must(h.store.GlobalLimitByName(h.ctx, "tag:slow"))(t)
		run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
		task := must(h.CreateTaskRun(h.ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: "t", DynamicKey: "0"}))(t)
		must(h.TakeTagSlots(h.ctx, []string{"slow"}, task.ID))(t)
		must(h.IncrementSlots(h.ctx, take("db")))(t)
		must(h.HearOfSlots(h.ctx, core.NewID(), []*core.Event{acquired(l, run.ID)}))(t)
		must(h.IncrementSlots(h.ctx, take("gone")))(t)
		if err := h.DeleteGlobalLimit(h.ctx, gone.ID); err != nil {
			t.Fatal(err)
		}
		h.set(run.ID, core.Running, core.Accept)
		h.later(time.Hour)
		if n := must(h.ExpireSlotLeases(h.ctx))(t); n != 1 {
			t.Errorf("%d returned, want those of the limit that is gone", n)
		}
		h.set(run.ID, core.Crashed, core.Accept)
		must(h.ExpireSlotLeases(h.ctx))(t)
		h.occupied(l, 1) // the run may be about to give them back
		h.later(2 * time.Minute)
		if n := must(h.ExpireSlotLeases(h.ctx))(t); n != 2 {
			t.Errorf("%d returned, want 2", n)
		}
		h.occupied(l, 0)
		h.occupied(slow, 0)
		must(h.TakeTagSlots(h.ctx, []string{"slow"}, task.ID))(t)
		if err := h.DeleteFlowRun(h.ctx, run.ID); err != nil {
			t.Fatal(err)
		}
		h.occupied(slow, 0)
	})
}

// The rules of server-orchestrated task runs take and free the slots of tags.
func TestTagSlotsOfTaskRules(t *testing.T) {
	h := open(t, "sqlite::memory:")
	must(h.SetTagLimit(h.ctx, core.TagLimitCreate{Tag: "slow", Limit: 1}))(t)
	must(h.SetTagLimit(h.ctx, core.TagLimitCreate{Tag: "never", Limit: 0}))(t)
	slow := must(h.store.GlobalLimitByName(h.ctx, "tag:slow"))(t)
	run := must(h.CreateFlowRun(h.ctx, core.FlowRunCreate{FlowID: h.flow().ID}))(t)
	h.set(run.ID, core.Running, core.Accept)
	task := func(key string, tags ...string) core.UUID {
		return must(h.CreateTaskRun(h.ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: key, DynamicKey: "0", Tags: tags}))(t).ID
	}
	a, b, c := task("a", "slow"), task("b", "slow", "free"), task("c", "slow", "never")
	for i, x := range []struct {
		task   core.UUID
		to     core.StateCreate
		force  bool
		status core.ResponseStatus
		held   int64
		reason string
	}{
		{task: a, to: core.StateCreate{Type: core.Running}, status: core.Accept, held: 1},
		{task: a, to: core.StateCreate{Type: core.Running}, status: core.Accept, held: 1},
		{task: b, to: core.StateCreate{Type: core.Running}, status: core.Wait, held: 1, reason: "Concurrency limit for the slow tag has been reached"},
		{task: c, to: core.StateCreate{Type: core.Running}, status: core.Abort, held: 1, reason: `The concurrency limit on tag "never" is 0 and will deadlock if the task tries to run again.`},
		{task: a, to: core.StateCreate{Type: core.Cancelling}, status: core.Accept, held: 1},
		{task: a, to: core.StateCreate{Type: core.Completed}, status: core.Accept, held: 0},
		{task: b, to: core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.Now().Add(time.Hour)}}, status: core.Accept, held: 0},
		{task: b, to: core.StateCreate{Type: core.Running}, status: core.Wait, held: 0, reason: "Scheduled time is in the future"},
		{task: b, to: core.StateCreate{Type: core.Running}, force: true, status: core.Accept, held: 0},
	} {
		r := must(h.SetTaskRunState(h.ctx, x.task, x.to, x.force))(t)
		if r.Status != x.status || core.Deref(r.Details.Reason) != x.reason {
			t.Errorf("%d: %s %q", i, r.Status, core.Deref(r.Details.Reason))
		}
		if x.status == core.Wait && x.reason[0] == 'C' && core.Deref(r.Details.DelaySeconds) != 30 {
			t.Errorf("%d: wait %v", i, r.Details.DelaySeconds)
		}
		h.occupied(slow, x.held)
	}
}

// Deployments may share a limit with each other and with code.
func TestSharedLimit(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		l := h.limit("shared", 2)
		share := func(name, strategy string) *core.Deployment {
			return h.deployed(func(c *core.DeploymentCreate) {
				c.Name, c.GlobalConcurrencyLimitID = name, core.Some(l.ID)
				if strategy != "" {
					c.ConcurrencyOptions = core.Some(core.ConcurrencyOptions{CollisionStrategy: strategy})
				}
			})
		}
		a, b := share("a", ""), share("b", "CANCEL_NEW")
		one, two, three := h.run(a), h.run(b), h.run(b)
		h.set(one.ID, core.Pending, core.Accept)
		h.occupied(l, 1)
		lease := must(h.AcquireSlots(h.ctx, take("shared")))(t)
		if r := h.set(two.ID, core.Pending, core.Reject); r.State.Type != core.Cancelled {
			t.Errorf("full: %+v", r.State)
		}
		if _, err := h.IncrementSlots(h.ctx, take("shared")); core.CodeOf(err) != core.ELocked {
			t.Error(err)
		}
		if err := h.ReleaseSlots(h.ctx, lease.LeaseID); err != nil {
			t.Fatal(err)
		}
		h.set(three.ID, core.Pending, core.Accept)
		h.occupied(l, 2)
		if held := must(h.Holders(h.ctx, l.ID, 10))(t); len(held) != 2 || held[0].ID != one.ID || held[1].ID != three.ID || held[0].Since == 0 {
			t.Errorf("held by %+v", held)
		}
		if held := must(h.Holders(h.ctx, l.ID, 1))(t); len(held) != 1 || held[0].ID != one.ID {
			t.Errorf("the first holder is %+v", held)
		}
	})
}

// A client that renews leases keeps its deployment's slot as long as it does.
func TestDeploymentLease(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		d := h.deployed(func(c *core.DeploymentCreate) { c.ConcurrencyLimit = core.Some(int64(1)) })
		l := must(h.store.GlobalLimitByName(h.ctx, "deployment:"+d.ID.String()))(t)
		claim := func(renews bool, want core.ResponseStatus) (run, lease core.UUID) {
			t.Helper()
			run = h.run(d).ID
			r := must(h.SetFlowRunState(h.ctx, run, core.StateCreate{Type: core.Pending, RenewsSlot: renews}, false))(t)
			if r.Status != want {
				t.Fatalf("%s %s", r.Status, core.Deref(r.Details.Reason))
			}
			return run, must(h.DeploymentLease(h.ctx, r.State))(t)
		}
		const renewing = true
		renew := func(lease core.UUID, want core.Code) {
			t.Helper()
			if err := h.RenewSlots(h.ctx, lease, 300); core.CodeOf(err) != want {
				t.Fatalf("renew: %v, want %q", err, want)
			}
		}
		if _, lease := claim(!renewing, core.Accept); !lease.IsZero() {
			t.Error("an older client was given a lease")
		}
		h.later(time.Hour)
		h.occupied(l, 1) // the run is live, as far as anybody knows
		must(h.SetFlowRunState(h.ctx, must(h.store.FlowRuns(h.ctx, core.Filters{}, core.Page{Limit: 9}))(t)[0].ID, core.StateCreate{Type: core.Cancelled}, true))(t)

		_, pending := claim(renewing, core.Accept)
		claim(renewing, core.Reject)
		h.later(6 * time.Minute)
		h.occupied(l, 0) // its worker died before it ran

		run, lease := claim(renewing, core.Accept)
		renew(pending, core.ENotFound) // its slot is another's
		h.set(run, core.Running, core.Accept)
		h.later(6 * time.Minute)
		h.occupied(l, 1) // run by a client that does not renew
		renew(lease, "")
		h.later(4 * time.Minute)
		h.occupied(l, 1)
		h.later(2 * time.Minute)
		h.occupied(l, 0) // it renewed, and does no more
		renew(lease, "") // nobody took the slot meanwhile
		h.occupied(l, 1)
		must(h.ExpireSlotLeases(h.ctx))(t)
		renew(lease, "")
		h.set(run, core.Completed, core.Accept)
		h.occupied(l, 0)
		renew(lease, "") // a last renewal may cross with the end
		must(h.ExpireSlotLeases(h.ctx))(t)
		renew(lease, core.ENotFound)
	})
}
