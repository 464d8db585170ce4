package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/api"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// fixture is a client of a real server.
type fixture struct {
	*client.Client
	store   core.Store
	service *local.Service
	// before may answer a request itself, or look at it.
	before atomic.Pointer[func(w http.ResponseWriter, r *http.Request, next http.Handler)]
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	store, err := db.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewMemory()
	service := local.New(local.Config{Templates: jinja.New(), Store: store, Bus: b, Results: orchestrate.DirResults(t.TempDir())})
	if err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &fixture{store: store, service: service}
	h := api.New(api.Config{
		Runs: service.Service, Limits: service.Limits, Blocks: service.Blocks, Automations: service.Automations, Variables: service.Variables,
		Artifacts: service.Artifacts, SavedSearches: service.SavedSearches, Logs: service.Logs, Events: service.Events, Retention: service.Trimmer, Store: api.StoreOf(store), Bus: b, Access: access.New(access.Config{AuthString: "a:b"})})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f := r.before.Load(); f != nil {
			(*f)(w, req, h)
			return
		}
		h.ServeHTTP(w, req)
	}))
	r.Client = client.New(client.Config{URL: srv.URL + "/api/", AuthString: "a:b"})
	t.Cleanup(func() {
		_ = b.Close()
		srv.Close()
		_ = service.Stop(context.Background())
		_ = store.Close()
	})
	return r
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same compares two records as their JSON, but for what depends on when one
// asks. Numbers keep all their digits.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	tree := func(v any) (out any) {
		d := json.NewDecoder(bytes.NewReader(core.ToJSON(v)))
		d.UseNumber()
		if err := d.Decode(&out); err != nil {
			t.Fatal(err)
		}
		if m, ok := out.(map[string]any); ok {
			delete(m, "estimated_run_time")
			delete(m, "estimated_start_time_delta")
		}
		return out
	}
	if !reflect.DeepEqual(tree(got), tree(want)) {
		t.Errorf("%s:\n%s\nwant\n%s", what, core.ToJSON(got), core.ToJSON(want))
	}
}

func refused(t *testing.T, what string, err error, code core.Code) {
	t.Helper()
	if core.CodeOf(err) != code {
		t.Errorf("%s: %v (%s), want %s", what, err, core.CodeOf(err), code)
	}
}

// running is a run of a new flow in RUNNING.
func (r *fixture) running(t *testing.T) *core.FlowRun {
	t.Helper()
	f := must[*core.Flow](t)(r.CreateFlow(t.Context(), core.FlowCreate{Name: "f"}))
	run := must[*core.FlowRun](t)(r.CreateFlowRun(t.Context(), core.FlowRunCreate{FlowID: f.ID, Parameters: core.JSON(`{"n":1}`)}))
	out := must[*core.OrchestrationResult](t)(r.SetFlowRunState(t.Context(), run.ID, core.StateCreate{Type: core.Running}, false))
	if out.Status != core.Accept {
		t.Fatalf("%+v", out)
	}
	return run
}

func TestRuns(t *testing.T) {
	r, ctx := newFixture(t), t.Context()
	run := r.running(t)
	same(t, "run", must[*core.FlowRun](t)(r.FlowRun(ctx, run.ID)), must[*core.FlowRun](t)(r.store.FlowRun(ctx, run.ID)))
	same(t, "flow", must[*core.Flow](t)(r.Flow(ctx, run.FlowID)), must[*core.Flow](t)(r.store.Flow(ctx, run.FlowID)))
	ok(t, r.UpdateFlowRun(ctx, run.ID, core.FlowRunUpdate{InfrastructurePID: core.Some("h:1"), Tags: core.Some(core.Tags{"x"})}))
	now := must[*core.FlowRun](t)(r.FlowRun(ctx, run.ID))
	if core.Deref(now.InfrastructurePID) != "h:1" || len(now.Tags) != 1 || string(now.Parameters) != `{"n":1}` {
		t.Errorf("%s", core.ToJSON(now))
	}
	same(t, "no wait", must[*core.FlowRun](t)(r.WaitFlowRun(ctx, run.ID, now.StateID, 0)), now)
	done := must[*core.OrchestrationResult](t)(r.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":[1,"ü"]}`)}, false))
	after := must[*core.FlowRun](t)(r.WaitFlowRun(ctx, run.ID, now.StateID, 30))
	same(t, "waited", after.State, done.State)
	same(t, "data", after.State.Data, core.JSON(`{"type":"flowlite","value":[1,"ü"]}`))

	ok(t, r.PutResult(ctx, "a b/c.json", []byte("{}")))
	if b := must[[]byte](t)(r.Result(ctx, "a b/c.json")); string(b) != "{}" {
		t.Errorf("%s", b)
	}
	ok(t, r.CreateFlowRunInput(ctx, run.ID, "k-1", `{"x": "text"}`, "me"))
	if s := must[string](t)(r.FlowRunInput(ctx, run.ID, "k-1")); s != `{"x": "text"}` {
		t.Error(s)
	}
	a := must[*core.Artifact](t)(r.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("k"), Type: core.Ptr("markdown"), Data: core.JSON(`"# x"`)}))
	ok(t, r.UpdateArtifact(ctx, a.ID, core.ArtifactUpdate{Data: core.Some(core.JSON(`"# y"`))}))
	if a = must[*core.Artifact](t)(r.store.Artifact(ctx, a.ID)); string(a.Data) != `"# y"` {
		t.Errorf("%s", a.Data)
	}
	v := must[*core.Variable](t)(r.service.CreateVariable(ctx, core.VariableCreate{Name: "v", Value: core.Some(core.JSON(`{"a":[1]}`))}))
	same(t, "variable", must[*core.Variable](t)(r.VariableByName(ctx, "v")), v)
	ok(t, r.EmitEvents(ctx, []*core.Event{{Event: "my.event", Resource: map[string]string{"prefect.resource.id": "x"}}}))
	if n := must[int64](t)(r.store.CountEvents(ctx, &core.EventFilter{Event: &core.EventName{Name: []string{"my.event"}}})); n != 1 {
		t.Errorf("%d events", n)
	}
	crashed := r.running(t)
	out := must[*core.OrchestrationResult](t)(r.ReportCrash(ctx, crashed.ID, "process exited with code 3", false))
	if out.State.Type != core.Crashed || core.Deref(out.State.Message) != "process exited with code 3" {
		t.Errorf("%s", core.ToJSON(out))
	}
}

func TestWork(t *testing.T) {
	r, ctx := newFixture(t), t.Context()
	pool := must[*core.WorkPool](t)(r.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "my pool", Type: "process"}))
	same(t, "pool", must[*core.WorkPool](t)(r.WorkPoolByName(ctx, "my pool")), pool)
	f := must[*core.Flow](t)(r.CreateFlow(ctx, core.FlowCreate{Name: "a flow"}))
	d := must[*core.Deployment](t)(r.CreateDeployment(ctx, core.DeploymentCreate{Name: "d", FlowID: f.ID, WorkPoolName: core.Some("my pool"), ParameterOpenAPISchema: core.Some(core.JSON(`{}`)),
		Schedules: core.Some([]core.ScheduleCreate{{Rule: core.JSON(`{"interval":3600}`), Active: core.Some(false)}})}))
	same(t, "deployment", must[*core.Deployment](t)(r.DeploymentByName(ctx, "a flow", "d")), must[*core.Deployment](t)(r.store.Deployment(ctx, d.ID)))
	run := must[*core.FlowRun](t)(r.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{Tags: core.Tags{"t"}}))
	holder := core.NewID()
	ok(t, r.Heartbeat(ctx, "my pool", core.WorkerHeartbeat{Name: "w", HeartbeatIntervalSeconds: core.Ptr(int64(5))}))
	got := must[*core.PollResponse](t)(r.Poll(ctx, core.PollRequest{Pool: "my pool", Holder: holder, Worker: "w", Free: 5, Wait: 20}))
	if len(got.Claims) != 1 || got.Claims[0].FlowRun.ID != run.ID || got.Claims[0].Flow.Name != "a flow" || got.Claims[0].Deployment.ID != d.ID || got.Claims[0].WorkPool.Name != "my pool" {
		t.Fatalf("%s", core.ToJSON(got))
	}
	if held := must[[]core.UUID](t)(r.RenewLeases(ctx, holder)); len(held) != 1 || held[0] != run.ID {
		t.Errorf("held %v", held)
	}
	_, err := r.SetFlowRunState(core.WithRunToken(ctx, core.NewID()), run.ID, core.StateCreate{Type: core.Running}, false)
	refused(t, "another's token", err, core.ELeaseLost)
	ours := core.WithRunToken(ctx, got.Claims[0].Token)
	must[*core.OrchestrationResult](t)(r.SetFlowRunState(ours, run.ID, core.StateCreate{Type: core.Running}, false))
	_, err = r.LeaseRun(ctx, run.ID, core.NewID())
	refused(t, "leased", err, core.ELeaseLost)
	free := r.running(t)
	lease := must[*core.Lease](t)(r.LeaseRun(ctx, free.ID, holder))
	if lease.Token.IsZero() || lease.FlowRunID != free.ID {
		t.Errorf("%+v", lease)
	}
	limit := must[*core.GlobalConcurrencyLimit](t)(r.service.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: "l", Limit: 1}))
	grant := must[*core.SlotGrant](t)(r.AcquireSlots(ctx, core.SlotRequest{Slots: 1, Names: []string{"l"}, LeaseDuration: 60, Holder: core.JSON(`{"id":"x"}`)}))
	if len(grant.Limits) != 1 || grant.Limits[0].ID != limit.ID {
		t.Errorf("%+v", grant)
	}
	ok(t, r.RenewSlots(ctx, grant.LeaseID, 90))
	_, err = r.AcquireSlots(ctx, core.SlotRequest{Slots: 1, Names: []string{"l"}})
	refused(t, "full", err, core.ELocked)
	if e := (*core.Error)(nil); !errors.As(err, &e) || e.RetryAfter <= 0 {
		t.Errorf("no Retry-After: %v", err)
	}
	ok(t, r.ReleaseSlots(ctx, grant.LeaseID))
	refused(t, "released", r.RenewSlots(ctx, grant.LeaseID, 90), core.ENotFound)
}

// TestRecord: what the engine reports is what the store has, nothing lost.
func TestRecord(t *testing.T) {
	r, ctx := newFixture(t), t.Context()
	run := r.running(t)
	base := core.Now()
	state := func(kind core.StateType, name string, ms int, data string) *core.State {
		s := &core.State{ID: core.NewID(), Type: kind, Name: name, Timestamp: base.Add(time.Duration(ms) * time.Millisecond), Message: core.Ptr(name + " — said"),
			Details: core.StateDetails{CacheKey: core.Ptr("ck"), CacheExpiration: base.Add(time.Hour), Retriable: core.Ptr(true), TransitionID: core.NewID(), RunInputKeyset: map[string]string{"a": "b"}}}
		if data != "" {
			s.Data = core.JSON(data)
		}
		return s
	}
	done := state(core.Completed, "Completed", 3, `{"type":"flowlite","value":{"big":9007199254740993,"text":"<&>"}}`)
	task := &core.TaskRun{ID: core.NewID(), Created: base, Updated: base, Name: "add-0", FlowRunID: run.ID, TaskKey: "add", DynamicKey: "abc-0", CacheKey: core.Ptr("ck"), CacheExpiration: base.Add(time.Hour),
		TaskVersion: core.Ptr("v1"), EmpiricalPolicy: core.TaskRunPolicy{Retries: core.Ptr(int64(2)), RetryDelay: core.JSON(`[1,2.5]`), RetryJitterFactor: core.Ptr(0.5)},
		Tags: core.Tags{"t1", "t2"}, Labels: core.JSON(`{"team":"red"}`), TaskInputs: core.JSON(`{"x":[{"input_type":"parameter","name":"n"}]}`),
		StateID: done.ID, StateType: done.Type, StateName: done.Name, State: done, RunCount: 2, FlowRunRunCount: 1, ExpectedStartTime: base, StartTime: base.Add(time.Millisecond), EndTime: done.Timestamp, TotalRunTime: 0.002, StateTimestamp: done.Timestamp}
	states := []*core.State{state(core.Pending, "Pending", 0, ""), state(core.Running, "Running", 1, ""), state(core.Scheduled, "AwaitingRetry", 2, `{"type":"unpersisted"}`), done}
	reports := []*core.TaskRunReport{{TaskRun: task, States: states}}
	ok(t, r.RecordTaskRuns(ctx, reports))
	ok(t, r.RecordTaskRuns(ctx, reports))

	// The same report straight into another store is what it must look like.
	want := newFixture(t)
	other := want.running(t)
	copied := *task
	copied.FlowRunID = other.ID
	ok(t, want.service.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: &copied, States: states}}))
	blank := func(v any, run core.UUID) map[string]any {
		var m map[string]any
		_ = json.Unmarshal([]byte(strings.ReplaceAll(string(core.ToJSON(v)), run.String(), "RUN")), &m)
		for _, k := range []string{"created", "updated"} {
			delete(m, k)
		}
		return m
	}
	same(t, "task run", blank(must[*core.TaskRun](t)(r.store.TaskRun(ctx, task.ID)), run.ID), blank(must[*core.TaskRun](t)(want.store.TaskRun(ctx, task.ID)), other.ID))
	stored := must[[]*core.State](t)(r.store.TaskRunStates(ctx, task.ID))
	direct := must[[]*core.State](t)(want.store.TaskRunStates(ctx, task.ID))
	if len(stored) != len(states) {
		t.Fatalf("%d states, want %d", len(stored), len(states))
	}
	for i, s := range stored {
		same(t, s.Name, blank(s, run.ID), blank(direct[i], other.ID))
		same(t, s.Name+" data", s.Data, states[i].Data)
		if s.ID != states[i].ID || s.Timestamp != states[i].Timestamp || core.Deref(s.Message) != *states[i].Message {
			t.Errorf("%s: %s, want %s", s.Name, core.ToJSON(s), core.ToJSON(states[i]))
		}
	}
	page := must[[]*core.TaskRun](t)(r.TaskRunsOf(ctx, run.ID, core.UUID{}, 10))
	if len(page) != 1 || page[0].State == nil || page[0].State.ID != done.ID || string(page[0].TaskInputs) != string(task.TaskInputs) {
		t.Errorf("%s", core.ToJSON(page))
	}
	if rest := must[[]*core.TaskRun](t)(r.TaskRunsOf(ctx, run.ID, task.ID, 10)); len(rest) != 0 {
		t.Errorf("%s", core.ToJSON(rest))
	}
	cached := must[*core.State](t)(r.CachedState(ctx, "ck"))
	same(t, "cached data", cached.Data, done.Data)
	sub := must[*core.TaskRun](t)(r.CreateTaskRun(ctx, core.TaskRunCreate{ID: core.NewID(), FlowRunID: run.ID, TaskKey: "sub", DynamicKey: "0", Tags: core.Tags{"s"}, TaskInputs: core.JSON(`{"a":[]}`)}))
	same(t, "placeholder", sub, must[*core.TaskRun](t)(r.store.TaskRun(ctx, sub.ID)))
}

func TestErrors(t *testing.T) {
	r, ctx := newFixture(t), t.Context()
	_, err := r.FlowRun(ctx, core.NewID())
	refused(t, "unknown run", err, core.ENotFound)
	_, err = r.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: core.NewID()})
	refused(t, "unknown flow", err, core.EConflict)
	_, err = r.Flows(ctx, core.Filters{}, core.Page{Limit: 999})
	refused(t, "limit", err, core.EInvalid)
	_, err = r.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "prefect-x"})
	refused(t, "reserved", err, core.EForbidden)
	_, err = r.CachedState(ctx, "none")
	refused(t, "cache", err, core.ENotFound)
	_, err = client.New(client.Config{URL: r.URL(), AuthString: "wrong"}).Version(ctx)
	refused(t, "password", err, core.EUnauth)
	if v := must[string](t)(r.Version(ctx)); v != api.PeerVersion {
		t.Error(v)
	}
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	url := "http://" + l.Addr().String() + "/api"
	_ = l.Close()
	_, err = client.New(client.Config{URL: url, Patience: -1}).Flow(ctx, core.NewID())
	refused(t, "no server", err, core.EUnavailable)
	if !strings.Contains(err.Error(), "No server answers at "+url) {
		t.Error(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = r.Flow(gone, core.NewID()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestBreak: the answer is lost, the request was done. What may be repeated is,
// and is done once; what may not is not sent again.
func TestBreak(t *testing.T) {
	r, ctx := newFixture(t), t.Context()
	run := r.running(t)
	var sent atomic.Int32
	lose := func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		if sent.Add(1) == 1 {
			next.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, req)
	}
	r.before.Store(&lose)
	out := must[*core.OrchestrationResult](t)(r.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Completed}, false))
	if out.Status != core.Accept || out.State.Type != core.Completed || sent.Load() != 2 {
		t.Errorf("%s after %d", core.ToJSON(out), sent.Load())
	}
	if states := must[[]*core.State](t)(r.store.FlowRunStates(ctx, run.ID)); len(states) != 3 {
		t.Errorf("%d states", len(states))
	}
	sent.Store(0)
	_, err := r.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: run.FlowID, Name: "once"})
	refused(t, "no key", err, core.EUnavailable)
	sent.Store(0)
	must[*core.FlowRun](t)(r.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: run.FlowID, Name: "once", IdempotencyKey: core.Ptr("k")}))
	once := core.Filters{FlowRuns: &core.FlowRunFilter{Name: &core.TextFilter{Any: []string{"once"}}}}
	if n := must[int64](t)(r.store.CountFlowRuns(ctx, once)); n != 2 {
		t.Errorf("%d runs, want one of each call", n)
	}
	sent.Store(0)
	if _, err := r.Raw(ctx, "POST", "/flow_runs/", map[string]any{"flow_id": run.FlowID, "idempotency_key": "raw"}); err != nil || sent.Load() != 2 {
		t.Errorf("a raw body with a key was sent %d times: %v", sent.Load(), err)
	}
	sent.Store(0)
	refused(t, "logs", r.WriteLogs(ctx, []core.LogCreate{{Name: "l", Level: 20, Message: "m", Timestamp: core.Now(), FlowRunID: run.ID}}), core.EUnavailable)
	if sent.Load() != 1 {
		t.Errorf("logs sent %d times", sent.Load())
	}
}

// TestStreamLogs: every line once and in order, over a broken connection too.
func TestStreamLogs(t *testing.T) {
	r, ctx := newFixture(t), t.Context()
	run := r.running(t)
	say := func(s string) {
		t.Helper()
		ok(t, r.WriteLogs(ctx, []core.LogCreate{{Name: "l", Level: 20, Message: s, Timestamp: core.Now(), FlowRunID: run.ID}}))
	}
	var streams atomic.Int32
	cut := make(chan struct{})
	breaking := func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		if strings.HasSuffix(req.URL.Path, "/logs/stream") && streams.Add(1) == 1 {
			ctx, stop := context.WithCancel(req.Context())
			defer stop()
			go func() { <-cut; stop() }()
			next.ServeHTTP(w, req.WithContext(ctx))
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, req)
	}
	r.before.Store(&breaking)
	say("1")
	var got []string
	for l, err := range r.StreamLogs(ctx, run.ID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		switch got = append(got, l.Message); len(got) {
		case 1:
			say("2")
		case 2:
			close(cut)
			say("3")
		case 3:
			must[*core.OrchestrationResult](t)(r.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Completed}, false))
		}
	}
	if strings.Join(got, " ") != "1 2 3" || streams.Load() != 2 {
		t.Errorf("%v over %d streams", got, streams.Load())
	}
	for _, err := range r.StreamLogs(ctx, core.NewID(), 0) {
		refused(t, "unknown run", err, core.ENotFound)
	}
}

// TestCSRF: a client gets through a server that wants tokens, also after that
// server has forgotten its key.
func TestCSRF(t *testing.T) {
	r := newFixture(t)
	var h atomic.Pointer[api.API]
	start := func() {
		h.Store(api.New(api.Config{
			Runs: r.service.Service, Limits: r.service.Limits, Blocks: r.service.Blocks, Automations: r.service.Automations, Variables: r.service.Variables,
			Artifacts: r.service.Artifacts, SavedSearches: r.service.SavedSearches, Logs: r.service.Logs, Events: r.service.Events, Retention: r.service.Trimmer, Store: api.StoreOf(r.store), Bus: bus.NewMemory(), CSRF: true}))
	}
	start()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { h.Load().ServeHTTP(w, req) }))
	t.Cleanup(srv.Close)
	for _, patience := range []time.Duration{-1, time.Second} {
		c := client.New(client.Config{URL: srv.URL + "/api", Patience: patience})
		for range 2 {
			if _, err := c.CountFlowRuns(t.Context(), core.Filters{}); err != nil {
				t.Fatal(err)
			}
			start()
		}
	}
}
