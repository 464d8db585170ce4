// Package uitest opens a server's pages for tests: with data, over HTTP, and in a browser.
package uitest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/template/jinja"
	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/data"
)

// Fixture is a whole server without its loops, on a database in memory.
type Fixture struct {
	T       testing.TB
	Store   core.Store
	Service *local.Service
	UI      *ui.UI
	Server  *httptest.Server
	clock   atomic.Int64 // the service's time; 0 is now
	Ahead   atomic.Int64 // how far the pages' time is ahead

	Folder atomic.Pointer[core.FlowsFacts] // as the server tells of its flows

	Adder, Approval, ETL, Heartbeat *core.Deployment
	holder                          core.UUID
}

const decision = `{"title":"RefundDecision","description":"Order 88213 came nine days late.","type":"object","properties":{
 "approved":{"type":"boolean","title":"Decision","position":0,"x-true-label":"Approve","x-false-label":"Reject"},
 "amount":{"type":"number","title":"Amount (EUR)","position":1,"minimum":0,"maximum":1240.5,"default":1240.5},
 "method":{"type":"string","title":"Pay back to","enum":["card","store credit","bank transfer"],"default":"card","position":2},
 "note":{"type":"string","title":"Note for the audit log","minLength":10,"maxLength":400,"position":3}},
 "required":["approved","note"]}`

const addition = `{"title":"Parameters","type":"object","properties":{
 "a":{"type":"integer","title":"a","position":0,"description":"The first number."},
 "b":{"type":"integer","title":"b","position":1,"default":2,"minimum":0,"maximum":100},
 "label":{"type":"string","title":"label","position":2,"default":"sum"},
 "verbose":{"type":"boolean","title":"verbose","position":3,"default":false},
 "since":{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}],"title":"since","default":null,"position":4},
 "regions":{"type":"array","items":{"type":"string"},"title":"regions","default":["eu","us"],"position":5}},
 "required":["a"]}`

func Open(t testing.TB) *Fixture {
	t.Helper()
	ctx := t.Context()
	store, err := db.Open(ctx, "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewMemory()
	h := &Fixture{T: t, Store: store, holder: core.NewID()}
	quiet := slog.New(slog.DiscardHandler)
	h.Service = local.New(local.Config{Templates: jinja.New(), Store: store, Bus: b, Results: orchestrate.DirResults(t.TempDir()), Log: quiet, Now: h.Now})
	h.UI = ui.New(ui.Config{Services: Services(h.Service), Store: ui.StoreOf(store), Bus: b, Version: "0.1.0", PublicURL: "http://127.0.0.1:4200", Log: quiet, Facts: h.Facts, Now: func() core.Time { return core.Now().Add(time.Duration(h.Ahead.Load())) }})
	h.Server = httptest.NewServer(h.UI)
	t.Cleanup(func() {
		h.UI.Stop()
		h.Server.CloseClientConnections()
		h.Server.Close()
		_ = b.Close()
		_ = store.Close()
	})
	h.Must(h.Service.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "default", Type: "process", Description: core.Ptr("This machine"), ConcurrencyLimit: core.Ptr(int64(8))}))
	h.Adder = h.Deploy("adder", "dev", "flows/adder.go:Adder", addition, `{}`, nil, "quick-start")
	h.Approval = h.Deploy("refund-approval", "support", "flows/approval.go:Approval", `{"type":"object","properties":{"ticket":{"type":"string","default":"HD-20417"}}}`, `{"ticket":"HD-20417"}`, nil, "support")
	h.ETL = h.Deploy("etl", "nightly", "flows/etl.go:ETL", `{"type":"object","properties":{"source":{"type":"string","default":"orders"},"parallel":{"type":"integer","default":8}}}`, `{"source":"orders"}`,
		[]core.ScheduleCreate{{Rule: core.JSON(`{"cron":"30 3 * * *","timezone":"Europe/Berlin"}`)}}, "prod", "warehouse")
	h.Heartbeat = h.Deploy("heartbeat", "every-15m", "flows/heartbeat.go:Heartbeat", `{}`, `{}`, []core.ScheduleCreate{{Rule: core.JSON(`{"interval":900}`)}})
	return h
}

func (h *Fixture) Now() core.Time {
	if t := h.clock.Load(); t != 0 {
		return core.Time(t)
	}
	return core.Now()
}

// At makes it another time for the service; 0 is now.
func (h *Fixture) At(t core.Time) { h.clock.Store(int64(t)) }

func (h *Fixture) Must(_ any, err error) { h.Check(err) }

func (h *Fixture) Check(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

func (h *Fixture) Deploy(flow, name, entrypoint, schema, params string, schedules []core.ScheduleCreate, tags ...string) *core.Deployment {
	h.T.Helper()
	ctx := h.T.Context()
	f, err := h.Service.CreateFlow(ctx, core.FlowCreate{Name: flow})
	h.Check(err)
	d, err := h.Service.CreateDeployment(ctx, core.DeploymentCreate{
		Name: name, FlowID: f.ID, Schedules: core.Some(schedules), Tags: core.Some(core.Tags(tags)), WorkPoolName: core.Some("default"), Entrypoint: core.Some(entrypoint),
		ParameterOpenAPISchema: core.Some(core.JSON(schema)), Parameters: core.Some(core.JSON(params)), EnforceParameterSchema: core.Some(true), Version: core.Some("v1.2.0"),
	})
	h.Check(err)
	d, err = h.Store.Deployment(ctx, d.ID)
	h.Check(err)
	return d
}

func (h *Fixture) Create(d *core.Deployment, params string) *core.FlowRun {
	h.T.Helper()
	run, err := h.Service.CreateDeploymentFlowRun(h.T.Context(), d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(params), Tags: d.Tags})
	h.Check(err)
	return run
}

func (h *Fixture) Run(id core.UUID) *core.FlowRun {
	h.T.Helper()
	r, err := h.Store.FlowRun(h.T.Context(), id)
	h.Check(err)
	return r
}

// Act plays the worker: it claims one run, so that it is RUNNING.
func (h *Fixture) Act(id core.UUID) context.Context {
	h.T.Helper()
	l, err := h.Service.LeaseRun(h.T.Context(), id, h.holder)
	h.Check(err)
	ctx := core.WithRunToken(h.T.Context(), l.Token)
	if h.Run(id).StateType == core.Scheduled {
		h.Set(ctx, id, core.StateCreate{Type: core.Pending})
	}
	h.Set(ctx, id, core.StateCreate{Type: core.Running})
	return ctx
}

func (h *Fixture) Set(ctx context.Context, id core.UUID, s core.StateCreate) {
	h.T.Helper()
	res, err := h.Service.SetFlowRunState(ctx, id, s, false)
	h.Check(err)
	if res.Status != core.Accept {
		h.T.Fatalf("%s: %s %s", s.Type, res.Status, core.Deref(res.Details.Reason))
	}
}

func (h *Fixture) Log(run core.UUID, level int64, name, format string, args ...any) {
	h.T.Helper()
	h.Check(h.Service.WriteLogs(h.T.Context(), []core.LogCreate{{Name: name, Level: level, Message: fmt.Sprintf(format, args...), Timestamp: h.Now(), FlowRunID: run}}))
}

// Task records a task run; took 0 leaves it running.
func (h *Fixture) Task(ctx context.Context, run core.UUID, name string, n int, began core.Time, took time.Duration, end core.StateType, deps ...core.UUID) core.UUID {
	h.T.Helper()
	id := core.NewID()
	r := &core.TaskRun{
		ID: id, Created: began, Updated: began, Name: fmt.Sprintf("%s-%d", name, n), FlowRunID: run, TaskKey: name, DynamicKey: strconv.Itoa(n),
		RunCount: 1, StartTime: began, ExpectedStartTime: began,
	}
	ins := []map[string]any{}
	for _, d := range deps {
		ins = append(ins, map[string]any{"input_type": "task_run", "id": d})
	}
	r.TaskInputs = core.ToJSON(map[string]any{"in": ins})
	states := []*core.State{core.StateCreate{Type: core.Running}.State(began)}
	if took > 0 {
		r.EndTime, r.TotalRunTime = began.Add(took), took.Seconds()
		s := core.StateCreate{Type: end, Data: core.JSON(`{"type":"flowlite","value":{"rows":640}}`)}
		if end == core.Failed {
			s.Message, s.Data = core.Ptr("dial tcp 10.4.9.3:5432: connection refused"), nil
		}
		states = append(states, s.State(r.EndTime))
	}
	last := states[len(states)-1]
	r.State, r.StateID, r.StateType, r.StateName, r.StateTimestamp = last, last.ID, last.Type, last.Name, last.Timestamp
	h.Check(h.Service.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: r, States: states}}))
	return id
}

// Pause stops a running run with the refund question.
func (h *Fixture) Pause(ctx context.Context, id core.UUID) {
	h.T.Helper()
	keys := map[string]string{"schema": "paused-1-schema", "description": "paused-1-description", "response": "paused-1-response"}
	h.Check(h.Service.CreateFlowRunInput(ctx, id, keys["schema"], decision, ""))
	h.Check(h.Service.CreateFlowRunInput(ctx, id, keys["description"], `"Approve the refund of **1,240.50 EUR** to Northwind Traders?\n\nOrder 88213 came nine days late. Risk score 0.12, no earlier refunds."`, ""))
	h.Set(ctx, id, core.StateCreate{Type: core.Paused, Details: core.StateDetails{
		PauseKey: core.Ptr("1"), PauseTimeout: h.Now().Add(24 * time.Hour), RunInputKeyset: keys,
	}})
}

func (h *Fixture) Complete(ctx context.Context, id core.UUID, value string) {
	h.T.Helper()
	h.Set(ctx, id, core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":` + value + `}`)})
}

// Facts are those of a server with one loop that fails and one that hangs.
func (h *Fixture) Facts() core.ServerFacts {
	now := core.Now()
	return core.ServerFacts{
		URL: "http://127.0.0.1:4200", Home: "/var/lib/flowlite", Results: "/var/lib/flowlite/results", KeyFrom: "FLOWLITE_ENCRYPTION_KEY",
		Auth: true, KeepRuns: 90 * 24 * time.Hour, KeepEvents: 7 * 24 * time.Hour, KeepLogs: -1,
		Flows: h.Folder.Load(),
		Loops: []core.LoopProgress{
			{Name: "schedule", Every: 60, LastSuccess: now.Add(-12 * time.Second)},
			{Name: "late", Every: 5, LastSuccess: now.Add(-2 * time.Minute), LastError: "dial tcp 10.4.9.3:5432: connection refused"},
			{Name: "leases", Every: 2, LastSuccess: now.Add(-4 * time.Minute)},
			{Name: "foreman", Every: 15, LastSuccess: now.Add(-3 * time.Second), Elsewhere: true},
		},
	}
}

// Services gives each room of the UI the use cases that its forms call.
func Services(s *local.Service) ui.Services {
	return ui.Services{
		Runs: s.Service, Searches: s.SavedSearches, Deployments: s.Service,
		Automations: s.Automations, Pools: s.Service,
		Data: data.Services{Artifacts: s.Artifacts, Blocks: s.Blocks, Limits: s.Limits, Variables: s.Variables},
	}
}
