package limit_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/runtime/core"
)

// However many ask at once, and in whatever way, no limit is exceeded.
func TestSlotsAreExact(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		const limit, clients = 3, 24
		h.Limit("db", limit)
		h.Limit("other", clients)
		localtest.Must(h.SetTagLimit(h.Ctx, core.TagLimitCreate{Tag: "slow", Limit: limit}))(t)
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
					_, err := h.AcquireSlots(h.Ctx, localtest.OneSlot("other", "db"))
					count(0, err)
				} else {
					_, err := h.IncrementSlots(h.Ctx, localtest.OneSlot("db", "other"))
					count(0, err)
				}
				_, err := h.TakeTagSlots(h.Ctx, []string{"slow", "none"}, core.NewID())
				count(1, err)
			})
		}
		d := h.Deployed(func(c *core.DeploymentCreate) { c.ConcurrencyLimit = core.Some(int64(limit)) })
		for range clients {
			run := h.Run(d).ID
			wg.Go(func() {
				r, err := h.SetFlowRunState(h.Ctx, run, core.StateCreate{Type: core.Pending}, false)
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
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		l := h.Limit("db", 10)
		for _, slots := range []int64{1, 3, 1} {
			localtest.Must(h.IncrementSlots(h.Ctx, core.SlotRequest{Slots: slots, Names: []string{"db"}}))(t)
			h.Later(time.Minute)
		}
		h.Occupied(l, 5)
		localtest.Must(h.DecrementSlots(h.Ctx, core.SlotRelease{Slots: 1, Names: []string{"db"}, OccupancySeconds: core.Ptr(60.0)}))(t)
		left := localtest.Must(h.Store.SlotLeases(h.Ctx, l.ID, core.Now()))(t)
		if len(left) != 2 || left[0].Slots != 1 || left[1].Slots != 3 {
			t.Errorf("the youngest was held for a minute, left are %+v", left)
		}
		localtest.Must(h.DecrementSlots(h.Ctx, core.SlotRelease{Slots: 2, Names: []string{"db"}}))(t)
		h.Occupied(l, 2)
		localtest.Must(h.DecrementSlots(h.Ctx, core.SlotRelease{Slots: 100, Names: []string{"db"}}))(t)
		h.Occupied(l, 0)
	})
}

func TestActiveSlotsAreOverridden(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	l := h.Limit("db", 5)
	localtest.Must(h.IncrementSlots(h.Ctx, localtest.OneSlot("db")))(t)
	lease := localtest.Must(h.AcquireSlots(h.Ctx, localtest.OneSlot("db")))(t)
	update := func(n int64) error {
		return h.UpdateGlobalLimit(h.Ctx, l.ID, core.GlobalConcurrencyLimitUpdate{ActiveSlots: core.Some(n)})
	}
	if err := update(4); err != nil {
		t.Fatal(err)
	}
	h.Occupied(l, 4)
	if err := update(0); err != nil {
		t.Fatal(err)
	}
	h.Occupied(l, 1) // the live lease is in use
	if err := h.ReleaseSlots(h.Ctx, lease.LeaseID); err != nil {
		t.Fatal(err)
	}
	h.Occupied(l, 0)
	if core.CodeOf(update(-1)) != core.EInvalid {
		t.Error("a negative count was taken")
	}
}

func TestSlotsOfLostClientsReturn(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		l := h.Limit("db", 2)
		run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
		hear := func(client core.UUID, e *core.Event) bool {
			return localtest.Must(h.HearOfSlots(h.Ctx, client, []*core.Event{e}))(t)
		}
		a, b := core.NewID(), core.NewID()
		localtest.Must(h.IncrementSlots(h.Ctx, localtest.OneSlot("db")))(t)
		if !hear(a, localtest.Acquired(l, run.ID)) {
			t.Error("the client holds slots")
		}
		localtest.Must(h.IncrementSlots(h.Ctx, localtest.OneSlot("db")))(t)
		hear(b, localtest.Acquired(l, core.UUID{}))
		gone := func(client core.UUID, after time.Duration, want int64) {
			t.Helper()
			if err := h.LoseClient(h.Ctx, client); err != nil {
				t.Fatal(err)
			}
			h.Later(after)
			h.Occupied(l, want)
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
		h.Later(time.Hour) // and it keeps what it holds
		h.Occupied(l, 1)
		gone(again, time.Minute, 0)
		if n := localtest.Must(h.ExpireSlotLeases(h.Ctx))(t); n != 2 {
			t.Errorf("%d expired", n)
		}
	})
}

// A client outlives a restart of the server, and is known by its new connection.
func TestHoldersAreKnownAfterARestart(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	l, run := h.Limit("db", 2), core.NewID()
	localtest.Must(h.IncrementSlots(h.Ctx, localtest.OneSlot("db")))(t)
	localtest.Must(h.HearOfSlots(h.Ctx, core.NewID(), []*core.Event{localtest.Acquired(l, run)}))(t)
	again := local.New(local.Config{Store: h.Store, Bus: h.Bus, Now: h.Now})
	if err := again.Start(h.Ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Stop(context.Background()) })
	client := core.NewID()
	if !localtest.Must(again.HearOfSlots(h.Ctx, client, []*core.Event{{Event: "x", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + run.String()}}}))(t) {
		t.Fatal("the holder is not known")
	}
	if err := again.LoseClient(h.Ctx, client); err != nil {
		t.Fatal(err)
	}
	h.Later(time.Minute)
	h.Occupied(l, 0)
}

func TestSlotsOfEndedRunsReturn(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		localtest.Must(h.SetTagLimit(h.Ctx, core.TagLimitCreate{Tag: "slow", Limit: 1}))(t)
		l, gone := h.Limit("db", 1), h.Limit("gone", 1)
		slow := localtest.Must(h.Store.GlobalLimitByName(h.Ctx, "tag:slow"))(t)
		run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
		task := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: "t", DynamicKey: "0"}))(t)
		localtest.Must(h.TakeTagSlots(h.Ctx, []string{"slow"}, task.ID))(t)
		localtest.Must(h.IncrementSlots(h.Ctx, localtest.OneSlot("db")))(t)
		localtest.Must(h.HearOfSlots(h.Ctx, core.NewID(), []*core.Event{localtest.Acquired(l, run.ID)}))(t)
		localtest.Must(h.IncrementSlots(h.Ctx, localtest.OneSlot("gone")))(t)
		if err := h.DeleteGlobalLimit(h.Ctx, gone.ID); err != nil {
			t.Fatal(err)
		}
		h.Set(run.ID, core.Running, core.Accept)
		h.Later(time.Hour)
		if n := localtest.Must(h.ExpireSlotLeases(h.Ctx))(t); n != 1 {
			t.Errorf("%d returned, want those of the limit that is gone", n)
		}
		h.Set(run.ID, core.Crashed, core.Accept)
		localtest.Must(h.ExpireSlotLeases(h.Ctx))(t)
		h.Occupied(l, 1) // the run may be about to give them back
		h.Later(2 * time.Minute)
		if n := localtest.Must(h.ExpireSlotLeases(h.Ctx))(t); n != 2 {
			t.Errorf("%d returned, want 2", n)
		}
		h.Occupied(l, 0)
		h.Occupied(slow, 0)
		localtest.Must(h.TakeTagSlots(h.Ctx, []string{"slow"}, task.ID))(t)
		if err := h.DeleteFlowRun(h.Ctx, run.ID); err != nil {
			t.Fatal(err)
		}
		h.Occupied(slow, 0)
	})
}

// The rules of server-orchestrated task runs take and free the slots of tags.
func TestTagSlotsOfTaskRules(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	localtest.Must(h.SetTagLimit(h.Ctx, core.TagLimitCreate{Tag: "slow", Limit: 1}))(t)
	localtest.Must(h.SetTagLimit(h.Ctx, core.TagLimitCreate{Tag: "never", Limit: 0}))(t)
	slow := localtest.Must(h.Store.GlobalLimitByName(h.Ctx, "tag:slow"))(t)
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	h.Set(run.ID, core.Running, core.Accept)
	task := func(key string, tags ...string) core.UUID {
		return localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: run.ID, TaskKey: key, DynamicKey: "0", Tags: tags}))(t).ID
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
		r := localtest.Must(h.SetTaskRunState(h.Ctx, x.task, x.to, x.force))(t)
		if r.Status != x.status || core.Deref(r.Details.Reason) != x.reason {
			t.Errorf("%d: %s %q", i, r.Status, core.Deref(r.Details.Reason))
		}
		if x.status == core.Wait && x.reason[0] == 'C' && core.Deref(r.Details.DelaySeconds) != 30 {
			t.Errorf("%d: wait %v", i, r.Details.DelaySeconds)
		}
		h.Occupied(slow, x.held)
	}
}

// Deployments may share a limit with each other and with code.
func TestSharedLimit(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		l := h.Limit("shared", 2)
		share := func(name, strategy string) *core.Deployment {
			return h.Deployed(func(c *core.DeploymentCreate) {
				c.Name, c.GlobalConcurrencyLimitID = name, core.Some(l.ID)
				if strategy != "" {
					c.ConcurrencyOptions = core.Some(core.ConcurrencyOptions{CollisionStrategy: strategy})
				}
			})
		}
		a, b := share("a", ""), share("b", "CANCEL_NEW")
		one, two, three := h.Run(a), h.Run(b), h.Run(b)
		h.Set(one.ID, core.Pending, core.Accept)
		h.Occupied(l, 1)
		lease := localtest.Must(h.AcquireSlots(h.Ctx, localtest.OneSlot("shared")))(t)
		if r := h.Set(two.ID, core.Pending, core.Reject); r.State.Type != core.Cancelled {
			t.Errorf("full: %+v", r.State)
		}
		if _, err := h.IncrementSlots(h.Ctx, localtest.OneSlot("shared")); core.CodeOf(err) != core.ELocked {
			t.Error(err)
		}
		if err := h.ReleaseSlots(h.Ctx, lease.LeaseID); err != nil {
			t.Fatal(err)
		}
		h.Set(three.ID, core.Pending, core.Accept)
		h.Occupied(l, 2)
		if held := localtest.Must(h.Holders(h.Ctx, l.ID, 10))(t); len(held) != 2 || held[0].ID != one.ID || held[1].ID != three.ID || held[0].Since == 0 {
			t.Errorf("held by %+v", held)
		}
		if held := localtest.Must(h.Holders(h.Ctx, l.ID, 1))(t); len(held) != 1 || held[0].ID != one.ID {
			t.Errorf("the first holder is %+v", held)
		}
	})
}

// A client that renews leases keeps its deployment's slot as long as it does.
func TestDeploymentLease(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed(func(c *core.DeploymentCreate) { c.ConcurrencyLimit = core.Some(int64(1)) })
		l := localtest.Must(h.Store.GlobalLimitByName(h.Ctx, "deployment:"+d.ID.String()))(t)
		claim := func(renews bool, want core.ResponseStatus) (run, lease core.UUID) {
			t.Helper()
			run = h.Run(d).ID
			r := localtest.Must(h.SetFlowRunState(h.Ctx, run, core.StateCreate{Type: core.Pending, RenewsSlot: renews}, false))(t)
			if r.Status != want {
				t.Fatalf("%s %s", r.Status, core.Deref(r.Details.Reason))
			}
			return run, localtest.Must(h.DeploymentLease(h.Ctx, r.State))(t)
		}
		const renewing = true
		renew := func(lease core.UUID, want core.Code) {
			t.Helper()
			if err := h.RenewSlots(h.Ctx, lease, 300); core.CodeOf(err) != want {
				t.Fatalf("renew: %v, want %q", err, want)
			}
		}
		if _, lease := claim(!renewing, core.Accept); !lease.IsZero() {
			t.Error("an older client was given a lease")
		}
		h.Later(time.Hour)
		h.Occupied(l, 1) // the run is live, as far as anybody knows
		localtest.Must(h.SetFlowRunState(h.Ctx, localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{}, core.Page{Limit: 9}))(t)[0].ID, core.StateCreate{Type: core.Cancelled}, true))(t)

		_, pending := claim(renewing, core.Accept)
		claim(renewing, core.Reject)
		h.Later(6 * time.Minute)
		h.Occupied(l, 0) // its worker died before it ran

		run, lease := claim(renewing, core.Accept)
		renew(pending, core.ENotFound) // its slot is another's
		h.Set(run, core.Running, core.Accept)
		h.Later(6 * time.Minute)
		h.Occupied(l, 1) // run by a client that does not renew
		renew(lease, "")
		h.Later(4 * time.Minute)
		h.Occupied(l, 1)
		h.Later(2 * time.Minute)
		h.Occupied(l, 0) // it renewed, and does no more
		renew(lease, "") // nobody took the slot meanwhile
		h.Occupied(l, 1)
		localtest.Must(h.ExpireSlotLeases(h.Ctx))(t)
		renew(lease, "")
		h.Set(run, core.Completed, core.Accept)
		h.Occupied(l, 0)
		renew(lease, "") // a last renewal may cross with the end
		localtest.Must(h.ExpireSlotLeases(h.Ctx))(t)
		renew(lease, core.ENotFound)
	})
}
