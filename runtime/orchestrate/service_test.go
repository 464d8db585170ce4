package orchestrate_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/runtime/core"
)

func poll(h *localtest.Fixture, holder core.UUID, free int, wait core.Seconds) *core.PollResponse {
	h.T.Helper()
	return localtest.Must(h.Poll(h.Ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: free, Wait: wait}))(h.T)
}

func TestRunByHand(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	sub := h.Bus.Subscribe(core.TopicEvent, "", 16)
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID, Tags: core.Tags{"a"}}))(t)
	if run.Name == "" || run.StateType != core.Pending || run.ExpectedStartTime == 0 {
		t.Errorf("made: %+v", run)
	}
	h.Set(run.ID, core.Pending, core.Abort)
	if r := h.Set(run.ID, core.Running, core.Accept); !r.Written || r.State.Details.FlowRunID != run.ID {
		t.Errorf("running: %+v", r)
	}
	h.Set(run.ID, core.Completed, core.Accept)
	done := h.Is(run.ID, "Completed")
	if done.RunCount != 1 || done.StartTime == 0 || done.EndTime == 0 || done.TotalRunTime <= 0 {
		t.Errorf("completed: %+v", done)
	}
	if states := localtest.Must(h.Store.FlowRunStates(h.Ctx, run.ID))(t); len(states) != 3 {
		t.Errorf("%d states, want 3", len(states))
	}
	for _, name := range []string{"Pending", "Running", "Completed"} {
		e := (<-sub.C()).Event
		if e.Event != "prefect.flow-run."+name || e.ResourceID() != "prefect.flow-run."+run.ID.String() {
			t.Errorf("event %s of %s", e.Event, e.ResourceID())
		}
	}
	if _, err := h.SetFlowRunState(h.Ctx, core.NewID(), core.StateCreate{Type: core.Running}, false); !core.IsNotFound(err) {
		t.Errorf("unknown run: %v", err)
	}
	if _, err := h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: core.NewID()}); core.CodeOf(err) != core.EConflict {
		t.Errorf("unknown flow: %v", err)
	}
}

func TestIdempotencyKey(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	c := core.FlowRunCreate{FlowID: h.Flow().ID, IdempotencyKey: core.Ptr("k")}
	a, b := localtest.Must(h.CreateFlowRun(h.Ctx, c))(t), localtest.Must(h.CreateFlowRun(h.Ctx, c))(t)
	if a.ID != b.ID || a.Name != b.Name {
		t.Error("one key made two runs")
	}
}

func TestParameters(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed(func(c *core.DeploymentCreate) { c.Parameters = core.Some(core.JSON(`{"x":1}`)) })
	create := func(p string) (*core.FlowRun, error) {
		return h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(p)})
	}
	if r := localtest.Must(create(`{"x":{"__prefect_kind":"json","value":"7"}}`))(t); string(r.Parameters) != `{"x":7}` {
		t.Errorf("hydrated: %s", r.Parameters)
	}
	jinja := `{"x":{"__prefect_kind":"json","value":{"__prefect_kind":"jinja","template":"{{ 3 + 4 }}"}}}`
	if r := localtest.Must(create(jinja))(t); string(r.Parameters) != `{"x":7}` {
		t.Errorf("a template within JSON: %s", r.Parameters)
	}
	if _, err := create(`{"x":"no"}`); core.CodeOf(err) != core.EConflict {
		t.Errorf("wrong type: %v", err)
	} else {
		if !strings.Contains(err.Error(), "field 'x'") {
			t.Error(err)
		}
	}
	for _, bad := range []string{`{"x":{"__prefect_kind":"json","value":"{"}}`, `{"x":{"__prefect_kind":"workspace_variable","variable_name":"no"}}`, `{"x":{"__prefect_kind":"jinja","template":"{{ 1"}}`, `{"x":{"__prefect_kind":"jinja"}}`} {
		if _, err := create(bad); core.CodeOf(err) != core.EBadRequest {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{WorkQueueName: core.Ptr("no")}); !core.IsNotFound(err) {
		t.Errorf("unknown queue: %v", err)
	}
}

func TestPollIsWoken(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed()
	holder := core.NewID()
	poll(h, holder, 1, 0)
	type answer struct {
		r  *core.PollResponse
		at time.Time
	}
	answers := make(chan answer, 1)
	go func() {
		r, _ := h.Poll(h.Ctx, core.PollRequest{Pool: "p", Holder: holder, Worker: "w", Free: 1, Wait: 20})
		answers <- answer{r, time.Now()}
	}()
	run := h.Run(d)
	began := time.Now()
	got := <-answers
	if len(got.r.Claims) != 1 || got.r.Claims[0].FlowRun.ID != run.ID {
		t.Fatalf("claims: %+v", got.r.Claims)
	}
	c := got.r.Claims[0]
	if c.Token.IsZero() || c.Flow == nil || c.Deployment == nil || c.WorkPool == nil || c.FlowRun.StateType != core.Pending {
		t.Errorf("claim: %+v", c)
	}
	t.Log("woken after", got.at.Sub(began))

	ctx := core.WithRunToken(h.Ctx, core.NewID())
	if _, err := h.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Running}, false); core.CodeOf(err) != core.ELeaseLost {
		t.Errorf("a foreign token: %v", err)
	}
	ctx = core.WithRunToken(h.Ctx, c.Token)
	if _, err := h.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Running}, false); err != nil {
		t.Error(err)
	}
	localtest.Must(h.CancelFlowRun(h.Ctx, run.ID))(t)
	if r := poll(h, holder, 0, 5); len(r.Cancel) != 1 || r.Cancel[0] != run.ID {
		t.Errorf("cancel: %+v", r)
	}
	h.Set(run.ID, core.Cancelled, core.Accept)
	if _, err := h.Store.Lease(h.Ctx, run.ID); !core.IsNotFound(err) {
		t.Error("a finished run keeps its lease")
	}
	if _, err := h.Poll(h.Ctx, core.PollRequest{Pool: "no"}); !core.IsNotFound(err) {
		t.Errorf("unknown pool: %v", err)
	}
}

func TestDeploymentLimitIsDerived(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed(func(c *core.DeploymentCreate) { c.ConcurrencyLimit = core.Some(int64(1)) })
	a, b := h.Run(d), h.Run(d)
	holder := core.NewID()
	if r := poll(h, holder, 5, 0); len(r.Claims) != 1 || r.Claims[0].FlowRun.ID != a.ID {
		t.Fatalf("claims: %+v", r.Claims)
	}
	w := localtest.Must(h.Why(h.Ctx, b.ID))(t)
	if w.Code != "deployment_limit" || len(w.HeldBy) != 1 || w.HeldBy[0] != a.ID {
		t.Errorf("why: %+v", w)
	}
	if r := h.Set(b.ID, core.Pending, core.Reject); r.State.Name != core.NameAwaitingConcurrencySlot {
		t.Errorf("full: %+v", r.State)
	}
	c := h.Run(d)
	h.Set(a.ID, core.Running, core.Accept)
	h.Set(a.ID, core.Completed, core.Accept)
	if r := poll(h, holder, 5, 0); len(r.Claims) != 1 || r.Claims[0].FlowRun.ID != c.ID {
		t.Errorf("a freed slot is taken by the next that is due: %+v", r.Claims)
	}
}

func TestLostRunResumes(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed()
	run := h.Run(d)
	token := poll(h, core.NewID(), 1, 0).Claims[0].Token
	h.Set(run.ID, core.Running, core.Accept)
	if n := localtest.Must(h.ExpireLeases(h.Ctx))(t); n != 0 {
		t.Errorf("%d live leases expired", n)
	}
	h.Later(11 * time.Second)
	if n := localtest.Must(h.ExpireLeases(h.Ctx))(t); n != 1 {
		t.Errorf("%d leases expired, want 1", n)
	}
	r := h.Is(run.ID, core.NameResuming)
	if !r.EmpiricalPolicy.Resuming {
		t.Error("not resuming")
	}
	ctx := core.WithRunToken(h.Ctx, token)
	if _, err := h.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Completed}, false); core.CodeOf(err) != core.ELeaseLost {
		t.Errorf("the late holder wrote: %v", err)
	}
	if got := poll(h, core.NewID(), 1, 0); len(got.Claims) != 1 {
		t.Error("nobody can take the run again")
	}
	h.Set(run.ID, core.Running, core.Accept)
	if r := h.Is(run.ID, "Running"); r.RunCount != 1 {
		t.Errorf("run count %d, want 1", r.RunCount)
	}
	for range core.MaxRecoveries {
		h.Later(11 * time.Second)
		localtest.Must(h.ExpireLeases(h.Ctx))(t)
		if len(poll(h, core.NewID(), 1, 0).Claims) == 1 {
			h.Set(run.ID, core.Running, core.Accept)
		}
	}
	h.Is(run.ID, "Crashed")
	localtest.Must(h.RetryFlowRun(h.Ctx, run.ID, false))(t)
	if len(poll(h, core.NewID(), 1, 0).Claims) != 1 {
		t.Error("a crashed run can be retried")
	}
}

func TestRecorder(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	now := core.Now()
	report := func(flowRun core.UUID, key string) *core.TaskRunReport {
		task := &core.TaskRun{ID: core.NewID(), Name: key, FlowRunID: flowRun, TaskKey: "t", DynamicKey: key, RunCount: 1, StartTime: now}
		return &core.TaskRunReport{TaskRun: task, States: []*core.State{
			core.StateCreate{Type: core.Running}.State(now),
			core.StateCreate{Type: core.Completed, Details: core.StateDetails{CacheKey: core.Ptr("cache-" + key)}, Data: core.JSON(`1`)}.State(now),
		}}
	}
	a, stray := report(run.ID, "a"), report(core.NewID(), "b")
	if err := h.RecordTaskRuns(h.Ctx, []*core.TaskRunReport{stray, a}); err != nil {
		t.Fatal(err)
	}
	got := localtest.Must(h.Store.TaskRun(h.Ctx, a.TaskRun.ID))(t)
	if got.StateType != core.Completed || got.State.Timestamp != now+1 {
		t.Errorf("recorded: %+v", got)
	}
	if s := localtest.Must(h.CachedState(h.Ctx, "cache-a"))(t); s.ID != got.StateID {
		t.Error("cache entry of another state")
	}
	if err := h.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	f := &core.EventFilter{Event: &core.EventName{Prefix: []string{"prefect.task-run."}}}
	if n := localtest.Must(h.Store.CountEvents(h.Ctx, f))(t); n != 1 {
		t.Errorf("%d events persisted, want 1", n)
	}
}

func TestEventsOfAClient(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	id := core.NewID()
	event := func(typ core.StateType, at core.Time) *core.Event {
		return &core.Event{ID: core.NewID(), Occurred: at, Event: "prefect.task-run." + typ.Name(),
			Resource: map[string]string{"prefect.resource.id": "prefect.task-run." + id.String(), "prefect.orchestration": "client"},
			Related:  []map[string]string{{"prefect.resource.id": "prefect.flow-run." + run.ID.String(), "prefect.resource.role": "flow-run"}},
			Payload:  core.JSON(`{"task_run":{"name":"t-0","task_key":"t","dynamic_key":"0","run_count":1,"tags":["x"]},"validated_state":{"type":"` + string(typ) + `","name":"` + typ.Name() + `","state_details":{}}}`)}
	}
	now := core.Now()
	late, early := event(core.Completed, now+10), event(core.Running, now)
	for _, e := range []*core.Event{late, early, late} {
		if err := h.EmitEvents(h.Ctx, []*core.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	got := localtest.Must(h.Store.TaskRun(h.Ctx, id))(t)
	if got.StateType != core.Completed || got.StateID != late.ID || len(got.Tags) != 1 {
		t.Errorf("recorded: %+v", got)
	}
	if states := localtest.Must(h.Store.TaskRunStates(h.Ctx, id))(t); len(states) != 2 {
		t.Errorf("%d states, want 2", len(states))
	}
}

func TestPauseAndResumeWithInput(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	if r := localtest.Must(h.ResumeFlowRun(h.Ctx, run.ID, nil))(t); r.Status != core.Abort || r.State != nil {
		t.Errorf("not paused: %+v", r)
	}
	h.Set(run.ID, core.Running, core.Accept)
	keys := map[string]string{"schema": "paused-1-schema", "response": "paused-1-response"}
	localtest.Must(h.SetFlowRunState(h.Ctx, run.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("1"), RunInputKeyset: keys}}, false))(t)
	if err := h.CreateFlowRunInput(h.Ctx, run.ID, "paused-1-schema", `{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}`, ""); err != nil {
		t.Fatal(err)
	}
	if w := localtest.Must(h.Why(h.Ctx, run.ID))(t); w.Code != "waiting_for_input" {
		t.Errorf("why: %+v", w)
	}
	if r := localtest.Must(h.ResumeFlowRun(h.Ctx, run.ID, core.JSON(`{"x":"no"}`)))(t); r.Status != core.Reject || r.Details.Type != "abort_details" {
		t.Errorf("bad input: %+v", r)
	}
	if r := localtest.Must(h.ResumeFlowRun(h.Ctx, run.ID, core.JSON(`{"x":1}`)))(t); r.Status != core.Accept || r.State.Type != core.Running {
		t.Errorf("resumed: %+v", r)
	}
	if v := localtest.Must(h.FlowRunInput(h.Ctx, run.ID, "paused-1-response"))(t); v != `{"x":1}` {
		t.Errorf("stored: %s", v)
	}
}

func TestSweeps(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed()
	run := h.Run(d)
	h.Later(20 * time.Second)
	if n := localtest.Must(h.MarkLate(h.Ctx))(t); n != 1 {
		t.Errorf("%d late, want 1", n)
	}
	if r := h.Is(run.ID, "Late"); r.NextScheduledStartTime != run.NextScheduledStartTime {
		t.Error("late changed the time it is due")
	}
	paused := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	h.Set(paused.ID, core.Running, core.Accept)
	until := h.Now() + 1e6
	localtest.Must(h.SetFlowRunState(h.Ctx, paused.ID, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseTimeout: until}}, false))(t)
	localtest.Must(h.ExpirePauses(h.Ctx))(t)
	h.Is(paused.ID, "Paused")
	h.Later(2 * time.Second)
	localtest.Must(h.ExpirePauses(h.Ctx))(t)
	h.Is(paused.ID, "Failed")

	parent := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	h.Set(parent.ID, core.Running, core.Accept)
	task := localtest.Must(h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: parent.ID, TaskKey: "sub", DynamicKey: "0"}))(t)
	child := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID, ParentTaskRunID: task.ID}))(t)
	h.Set(child.ID, core.Running, core.Accept)
	if p := localtest.Must(h.Store.TaskRun(h.Ctx, task.ID))(t); p.StateType != core.Running || p.State.Details.ChildFlowRunID != child.ID {
		t.Errorf("placeholder: %+v", p)
	}
	h.Set(parent.ID, core.Cancelling, core.Accept)
	h.Set(parent.ID, core.Cancelled, core.Accept)
	localtest.Must(h.CleanCancelled(h.Ctx))(t)
	h.Is(child.ID, "Cancelled")
	if p := localtest.Must(h.Store.TaskRun(h.Ctx, task.ID))(t); p.StateType != core.Cancelled {
		t.Errorf("placeholder: %+v", p)
	}
	if n := localtest.Must(h.CleanCancelled(h.Ctx))(t); n != 0 {
		t.Errorf("%d cleaned again", n)
	}
}

func TestLogs(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	sub := h.Bus.Subscribe(core.TopicLog, run.ID.String(), 4)
	huge := make([]byte, 2<<20)
	for i := range huge {
		huge[i] = 'x'
	}
	err := h.WriteLogs(h.Ctx, []core.LogCreate{
		{Name: "l", Level: 20, Message: "a\xffb\x00", FlowRunID: run.ID}, {Name: "l", Level: 20, Message: string(huge), FlowRunID: run.ID}})
	if err != nil {
		t.Fatal(err)
	}
	logs := (<-sub.C()).Logs
	if len(logs) != 2 || logs[0].Message != "a\uFFFDb\uFFFD" || len(logs[1].Message) > 1<<20+64 || logs[0].Seq == 0 {
		t.Errorf("%d logs, the first %q", len(logs), logs[0].Message)
	}
}

// A paused run can be cancelled: its process is told where there is one.
func TestCancelOfAPausedRun(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	pause := func(id core.UUID) {
		t.Helper()
		localtest.Must(h.SetFlowRunState(h.Ctx, id, core.StateCreate{Type: core.Paused, Details: core.StateDetails{PauseKey: core.Ptr("k"), PauseTimeout: core.Now().Add(time.Hour)}}, false))(t)
		h.Is(id, "Paused")
	}
	alone := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	h.Set(alone.ID, core.Running, core.Accept)
	pause(alone.ID)
	localtest.Must(h.CancelFlowRun(h.Ctx, alone.ID))(t)
	h.Is(alone.ID, "Cancelled")

	held := h.Run(h.Deployed())
	holder := core.NewID()
	if got := poll(h, holder, 1, 0); len(got.Claims) != 1 {
		t.Fatalf("%+v", got)
	}
	h.Set(held.ID, core.Running, core.Accept)
	pause(held.ID)
	localtest.Must(h.CancelFlowRun(h.Ctx, held.ID))(t)
	h.Is(held.ID, "Cancelling")
}

// blindStore cannot list leases for a while.
type blindStore struct {
	core.Store
	away atomic.Bool
}

func (s *blindStore) ExpiredLeases(ctx context.Context, now core.Time, limit int) ([]*core.Lease, error) {
	if s.away.Load() {
		return nil, core.Errorf(core.EUnavailable, "the database cannot answer: unexpected EOF")
	}
	return s.Store.ExpiredLeases(ctx, now, limit)
}

// Leases that ran out while the database was away are not held against their
// holders; those that had run out before are.
func TestOutageIsNobodysFault(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed()
	hold := func() core.UUID {
		r := localtest.Must(h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{}))(t)
		h.Set(r.ID, core.Pending, core.Accept)
		localtest.Must(h.LeaseRun(h.Ctx, r.ID, core.NewID()))(t)
		return r.ID
	}
	blind := &blindStore{Store: h.Store}
	now := h.Now
	other := local.New(local.Config{Store: blind, Bus: h.Bus, Sealer: h.Sealer, Log: slog.New(slog.DiscardHandler), Now: now, LeaseGrace: core.LeaseSeconds.Duration()})
	expired := func(want int) {
		t.Helper()
		if n := localtest.Must(other.ExpireLeases(h.Ctx))(t); n != want {
			t.Fatalf("%d leases expired, want %d", n, want)
		}
	}
	hold()
	h.Later(core.LeaseSeconds.Duration() - time.Second)
	expired(0)
	h.Later(2 * time.Second) // the grace of the beginning is over, and the lease, too
	hold()
	expired(1)

	blind.away.Store(true)
	if _, err := other.ExpireLeases(h.Ctx); err == nil {
		t.Fatal("the store should be away")
	}
	h.Later(core.LeaseSeconds.Duration() + time.Second)
	blind.away.Store(false)
	expired(0)
	h.Later(core.LeaseSeconds.Duration() - time.Second)
	expired(0)
	h.Later(2 * time.Second)
	expired(1)
}
