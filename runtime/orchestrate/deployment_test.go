package orchestrate_test

import (
	"context"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

type fixture struct {
	*local.Service
	store core.Store
	now   core.Time
	flow  *core.Flow
}

func newFixture(t *testing.T) (*fixture, context.Context) {
	t.Helper()
	ctx := t.Context()
	store, err := db.Open(ctx, "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewMemory()
	t.Cleanup(func() { _ = b.Close(); _ = store.Close() })
	h := &fixture{store: store, now: core.Now()}
	h.Service = local.New(local.Config{Store: store, Bus: b, Now: func() core.Time { h.now++; return h.now }})
	h.flow = given(h.CreateFlow(ctx, core.FlowCreate{Name: "f"}))(t)
	given(h.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "p", Type: "process", BaseJobTemplate: core.ProcessTemplate}))(t)
	return h, ctx
}

func given[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *fixture) deploy(t *testing.T, schedules ...core.ScheduleCreate) *core.Deployment {
	t.Helper()
	return given(h.CreateDeployment(t.Context(), core.DeploymentCreate{
		Name: "d", FlowID: h.flow.ID, WorkPoolName: core.Some("p"), ParameterOpenAPISchema: core.Some(core.JSON(`{}`)), Schedules: core.Some(schedules),
	}))(t)
}

func wantCode(t *testing.T, err error, code core.Code) {
	t.Helper()
	if core.CodeOf(err) != code {
		t.Errorf("got %v, want %q", err, code)
	}
}

func TestDeploymentUpsert(t *testing.T) {
	h, ctx := newFixture(t)
	d := h.deploy(t, core.ScheduleCreate{Rule: core.JSON(`{"cron":"0 9 * * *"}`)})
	if d.Status != core.NotReady || core.Deref(d.WorkQueueName) != "default" || len(d.Schedules) != 1 {
		t.Errorf("%+v", d)
	}
	again := given(h.CreateDeployment(ctx, core.DeploymentCreate{Name: "d", FlowID: h.flow.ID, Description: core.Some("new"), ConcurrencyLimit: core.Some[int64](2), WorkQueueName: core.Some("fast")}))(t)
	if again.ID != d.ID || core.Deref(again.WorkPoolName) != "p" || core.Deref(again.WorkQueueName) != "fast" || len(again.Schedules) != 1 {
		t.Errorf("absent keys keep: %+v", again)
	}
	if l := again.GlobalConcurrencyLimit; l == nil || l.Limit != 2 || l.Name != "deployment:"+d.ID.String() {
		t.Errorf("%+v", l)
	}
	if err := h.UpdateDeployment(ctx, d.ID, core.DeploymentUpdate{ConcurrencyLimit: core.Null[int64]()}); err != nil {
		t.Error(err)
	}
	_, err := h.store.GlobalLimitByName(ctx, "deployment:"+d.ID.String())
	wantCode(t, err, core.ENotFound)
	_, err = h.CreateDeployment(ctx, core.DeploymentCreate{Name: "e", FlowID: h.flow.ID, WorkPoolName: core.Some("none")})
	wantCode(t, err, core.ENotFound)
	_, err = h.CreateDeployment(ctx, core.DeploymentCreate{Name: "a/b", FlowID: h.flow.ID})
	wantCode(t, err, core.EInvalid)
	_, err = h.CreateDeployment(ctx, core.DeploymentCreate{Name: "e", FlowID: core.NewID()})
	wantCode(t, err, core.EConflict)
	wantCode(t, h.UpdateDeployment(ctx, d.ID, core.DeploymentUpdate{JobVariables: core.Some(core.JSON(`{"stream_output":"x"}`))}), core.EInvalid)
	_, err = h.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{JobVariables: core.JSON(`{"stream_output":"x"}`)})
	wantCode(t, err, core.EInvalid)
	wantCode(t, h.DeleteDeployment(ctx, d.ID), "")
}

func TestScheduleRuns(t *testing.T) {
	for rule, runs := range map[string]int{`{"interval":60}`: 61, `{"interval":10}`: 100, `{"cron":"0 * * * *"}`: 3, `{"interval":5184000}`: 1} {
		h, ctx := newFixture(t)
		d := h.deploy(t, core.ScheduleCreate{Rule: core.JSON(rule)})
		given(h.ScheduleRuns(ctx))(t)
		if n := int(given(h.store.CountFlowRuns(ctx, core.Filters{}))(t)); n < runs-1 || n > runs+2 {
			t.Errorf("%s: %d runs, want %d", rule, n, runs)
		}
		if n := given(h.ScheduleRuns(ctx))(t) + given(h.ScheduleRecent(ctx))(t); n != 0 {
			t.Errorf("%s: %d slots twice", rule, n)
		}
		wantCode(t, h.PauseDeployment(ctx, d.ID), "")
		if n := given(h.store.CountFlowRuns(ctx, core.Filters{}))(t); n != 0 {
			t.Errorf("%d runs left of a paused deployment", n)
		}
	}
}

func TestQueuePriorities(t *testing.T) {
	h, ctx := newFixture(t)
	given(h.CreateWorkQueue(ctx, "p", core.WorkQueueCreate{Name: "a"}))(t)
	q := given(h.CreateWorkQueue(ctx, "p", core.WorkQueueCreate{Name: "b", Priority: core.Ptr[int64](1)}))(t)
	p := given(h.WorkPoolByName(ctx, "p"))(t)
	order := func() (names string) {
		for _, q := range given(h.store.WorkQueues(ctx, p.ID, nil, core.Page{}))(t) {
			names += q.Name + " "
		}
		return names
	}
	if got := order(); got != "b default a " {
		t.Error(got)
	}
	wantCode(t, h.UpdateWorkQueue(ctx, q.ID, core.WorkQueueUpdate{Priority: core.Some[int64](3)}), "")
	if got := order(); got != "default b a " {
		t.Error(got)
	}
	_, err := h.CreateWorkQueue(ctx, "p", core.WorkQueueCreate{Name: "a"})
	wantCode(t, err, core.EConflict)
	_, err = h.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "prefect-x"})
	wantCode(t, err, core.EForbidden)
	_, err = h.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "x", BaseJobTemplate: core.JSON(`{"job_configuration":{"a":"{{ b }}"},"variables":{}}`)})
	wantCode(t, err, core.EInvalid)
}

func TestPollAndStaleWorkers(t *testing.T) {
	h, ctx := newFixture(t)
	d := h.deploy(t)
	given(h.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{}))(t)
	wantCode(t, h.Heartbeat(ctx, "p", core.WorkerHeartbeat{Name: "w"}), "")
	if runs := given(h.PoolRuns(ctx, "p", nil, core.TimeFilter{}, 0))(t); len(runs) != 1 {
		t.Errorf("%d runs", len(runs))
	}
	due := given(h.PoolRuns(ctx, "p", nil, core.TimeFilter{}, 0))(t)[0].FlowRun.NextScheduledStartTime
	for after, want := range map[core.Time]int{due: 1, due.Add(time.Second): 0, due.Add(-time.Second): 1} {
		if runs := given(h.PoolRuns(ctx, "p", nil, core.TimeFilter{After: after}, 0))(t); len(runs) != want {
			t.Errorf("%d runs after %s", len(runs), after)
		}
	}
	if d = given(h.DeploymentByName(ctx, "f", "d"))(t); d.Status != core.Ready {
		t.Error(d.Status)
	}
	if p := given(h.WorkPoolByName(ctx, "p"))(t); core.Deref(p.Status) != core.Ready {
		t.Error(core.Deref(p.Status))
	}
	next := given(h.CreateDeployment(ctx, core.DeploymentCreate{Name: "next", FlowID: h.flow.ID, WorkPoolName: core.Some("p"), ParameterOpenAPISchema: core.Some(core.JSON(`{}`))}))(t)
	if next.Status != core.Ready {
		t.Error("a deployment to a queue that is looked at:", next.Status)
	}
	// The last word of the only worker is seen at once; that of one of two changes nothing for the pool.
	wantCode(t, h.Heartbeat(ctx, "p", core.WorkerHeartbeat{Name: "v"}), "")
	for _, x := range []struct{ name, pool string }{{"v", core.Ready}, {"w", core.NotReady}} {
		wantCode(t, h.Heartbeat(ctx, "p", core.WorkerHeartbeat{Name: x.name, LastAfter: core.Ptr(core.Seconds(0))}), "")
		if p := given(h.WorkPoolByName(ctx, "p"))(t); core.Deref(p.Status) != x.pool {
			t.Errorf("after the end of %s the pool is %s, not %s", x.name, core.Deref(p.Status), x.pool)
		}
	}
	wantCode(t, h.Heartbeat(ctx, "p", core.WorkerHeartbeat{Name: "w"}), "")
	// Another one of the name has been heard of since the heartbeat before.
	wantCode(t, h.Heartbeat(ctx, "p", core.WorkerHeartbeat{Name: "w", LastAfter: core.Ptr(core.Seconds(7))}), "")
	if p := given(h.WorkPoolByName(ctx, "p"))(t); core.Deref(p.Status) != core.Ready {
		t.Error("the end of a namesake made the pool", core.Deref(p.Status))
	}
	h.now = h.now.Add(5 * time.Minute)
	given(h.MarkStaleOffline(ctx))(t)
	d, p := given(h.DeploymentByName(ctx, "f", "d"))(t), given(h.WorkPoolByName(ctx, "p"))(t)
	if d.Status != core.NotReady || core.Deref(p.Status) != core.NotReady {
		t.Error(d.Status, core.Deref(p.Status))
	}
}

func TestSlots(t *testing.T) {
	h, ctx := newFixture(t)
	given(h.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: "l", Limit: 2}))(t)
	ask := core.SlotRequest{Slots: 1, Names: []string{"l", "unknown"}}
	g := given(h.AcquireSlots(ctx, ask))(t)
	given(h.IncrementSlots(ctx, ask))(t)
	_, err := h.IncrementSlots(ctx, ask)
	wantCode(t, err, core.ELocked)
	wantCode(t, h.ReleaseSlots(ctx, g.LeaseID), "")
	g = given(h.AcquireSlots(ctx, ask))(t)
	h.now = h.now.Add(6 * time.Minute)
	wantCode(t, h.RenewSlots(ctx, g.LeaseID, 0), core.ENotFound)
	if n := given(h.ExpireSlotLeases(ctx))(t); n != 1 {
		t.Errorf("%d leases expired", n)
	}
	given(h.DecrementSlots(ctx, core.SlotRelease{Slots: 1, Names: []string{"l"}}))(t)
	given(h.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: "r", Limit: 1, SlotDecayPerSecond: 0.1}))(t)
	rate := core.SlotRequest{Slots: 1, Names: []string{"r"}, Mode: "rate_limit"}
	given(h.IncrementSlots(ctx, rate))(t)
	_, err = h.IncrementSlots(ctx, rate)
	wantCode(t, err, core.ELocked)
	h.now = h.now.Add(11 * time.Second)
	given(h.IncrementSlots(ctx, rate))(t)
}

func TestPatchSchedules(t *testing.T) {
	h, ctx := newFixture(t)
	daily, hourly := core.JSON(`{"cron":"0 9 * * *"}`), core.JSON(`{"cron":"0 * * * *"}`)
	d := h.deploy(t, core.ScheduleCreate{Rule: daily, Slug: core.Ptr("a")})
	patch := func(list ...core.ScheduleUpdate) error {
		return h.UpdateDeployment(ctx, d.ID, core.DeploymentUpdate{Schedules: core.Some(list)})
	}
	count := func() int { return len(given(h.store.Schedules(ctx, d.ID))(t)) }
	wantCode(t, patch(), "")
	wantCode(t, patch(core.ScheduleUpdate{Slug: core.Some("a"), Active: core.Some(false)}, core.ScheduleUpdate{Slug: core.Some("b"), Rule: core.Some(hourly)}), "")
	if n := count(); n != 2 {
		t.Errorf("%d schedules, want a changed and b added", n)
	}
	if n := given(h.ScheduleRuns(ctx))(t); n != 3 {
		t.Errorf("%d runs, want those of the active schedule", n)
	}
	wantCode(t, patch(core.ScheduleUpdate{Rule: core.Some(hourly)}), core.EInvalid)
	_, err := h.CreateSchedules(ctx, d.ID, []core.ScheduleCreate{{Rule: daily, Slug: core.Ptr("a")}})
	wantCode(t, err, core.EConflict)
	e := given(h.CreateSchedules(ctx, d.ID, []core.ScheduleCreate{{Rule: daily}}))(t)[0]
	wantCode(t, patch(core.ScheduleUpdate{Rule: core.Some(hourly)}), "")
	if n := count(); n != 1 {
		t.Errorf("%d schedules, want the one that replaced all", n)
	}
	wantCode(t, h.DeleteSchedule(ctx, d.ID, e.ID), core.ENotFound)
}
