package ui_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/ui"
)

var _ ui.Service = (*orchestrate.Service)(nil)

// house is a whole server without its loops, on a database in memory.
type house struct {
	t     testing.TB
	store core.Store
	svc   *orchestrate.Service
	ui    *ui.UI
	srv   *httptest.Server
	clock atomic.Int64 // the service's time; 0 is now
	ahead atomic.Int64 // how far the pages' time is ahead

	folder atomic.Pointer[core.FlowsFacts] // as the server tells of its flows

	adder, approval, etl, heartbeat *core.Deployment
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

func open(t testing.TB) *house {
	t.Helper()
	ctx := t.Context()
	store, err := db.Open(ctx, "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewMemory()
	h := &house{t: t, store: store, holder: core.NewID()}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	h.svc = orchestrate.New(orchestrate.Config{Store: store, Bus: b, Results: orchestrate.DirResults(t.TempDir()), Log: quiet, Now: h.now})
	h.ui = ui.New(ui.Config{Service: h.svc, Store: store, Bus: b, Version: "0.1.0", PublicURL: "http://127.0.0.1:4200", Log: quiet, Facts: h.facts, Now: func() core.Time { return core.Now().Add(time.Duration(h.ahead.Load())) }})
	h.srv = httptest.NewServer(h.ui)
	t.Cleanup(func() {
		h.ui.Stop()
		h.srv.CloseClientConnections()
		h.srv.Close()
		_ = b.Close()
		_ = store.Close()
	})
	h.must(h.svc.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "default", Type: "process", Description: core.Ptr("This machine"), ConcurrencyLimit: core.Ptr(int64(8))}))
	h.adder = h.deploy("adder", "dev", "flows/adder.go:Adder", addition, `{}`, nil, "quick-start")
	h.approval = h.deploy("refund-approval", "support", "flows/approval.go:Approval", `{"type":"object","properties":{"ticket":{"type":"string","default":"HD-20417"}}}`, `{"ticket":"HD-20417"}`, nil, "support")
	h.etl = h.deploy("etl", "nightly", "flows/etl.go:ETL", `{"type":"object","properties":{"source":{"type":"string","default":"orders"},"parallel":{"type":"integer","default":8}}}`, `{"source":"orders"}`,
		[]core.ScheduleCreate{{Rule: core.JSON(`{"cron":"30 3 * * *","timezone":"Europe/Berlin"}`)}}, "prod", "warehouse")
	h.heartbeat = h.deploy("heartbeat", "every-15m", "flows/heartbeat.go:Heartbeat", `{}`, `{}`, []core.ScheduleCreate{{Rule: core.JSON(`{"interval":900}`)}})
	return h
}

func (h *house) now() core.Time {
	if t := h.clock.Load(); t != 0 {
		return core.Time(t)
	}
	return core.Now()
}

// at makes it another time for the service; 0 is now.
func (h *house) at(t core.Time) { h.clock.Store(int64(t)) }

func (h *house) must(_ any, err error) { h.check(err) }

func (h *house) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) deploy(flow, name, entrypoint, schema, params string, schedules []core.ScheduleCreate, tags ...string) *core.Deployment {
	h.t.Helper()
	ctx := h.t.Context()
	f, err := h.svc.CreateFlow(ctx, core.FlowCreate{Name: flow})
	h.check(err)
	d, err := h.svc.CreateDeployment(ctx, core.DeploymentCreate{
		Name: name, FlowID: f.ID, Schedules: core.Some(schedules), Tags: core.Some(core.Tags(tags)), WorkPoolName: core.Some("default"), Entrypoint: core.Some(entrypoint),
		ParameterOpenAPISchema: core.Some(core.JSON(schema)), Parameters: core.Some(core.JSON(params)), EnforceParameterSchema: core.Some(true), Version: core.Some("v1.2.0"),
	})
	h.check(err)
	d, err = h.store.Deployment(ctx, d.ID)
	h.check(err)
	return d
}

func (h *house) create(d *core.Deployment, params string) *core.FlowRun {
	h.t.Helper()
	run, err := h.svc.CreateDeploymentFlowRun(h.t.Context(), d.ID, core.DeploymentFlowRunCreate{Parameters: core.JSON(params), Tags: d.Tags})
	h.check(err)
	return run
}

func (h *house) run(id core.UUID) *core.FlowRun {
	h.t.Helper()
	r, err := h.store.FlowRun(h.t.Context(), id)
	h.check(err)
	return r
}

// act plays the worker: it claims one run, so that it is RUNNING.
func (h *house) act(id core.UUID) context.Context {
	h.t.Helper()
	l, err := h.svc.LeaseRun(h.t.Context(), id, h.holder)
	h.check(err)
	ctx := core.WithRunToken(h.t.Context(), l.Token)
	if h.run(id).StateType == core.Scheduled {
		h.set(ctx, id, core.StateCreate{Type: core.Pending})
	}
	h.set(ctx, id, core.StateCreate{Type: core.Running})
	return ctx
}

func (h *house) set(ctx context.Context, id core.UUID, s core.StateCreate) {
	h.t.Helper()
	res, err := h.svc.SetFlowRunState(ctx, id, s, false)
	h.check(err)
	if res.Status != core.Accept {
		h.t.Fatalf("%s: %s %s", s.Type, res.Status, core.Deref(res.Details.Reason))
	}
}

func (h *house) log(run core.UUID, level int64, name, format string, args ...any) {
	h.t.Helper()
	h.check(h.svc.WriteLogs(h.t.Context(), []core.LogCreate{{Name: name, Level: level, Message: fmt.Sprintf(format, args...), Timestamp: h.now(), FlowRunID: run}}))
}

// task records a task run; took 0 leaves it running.
func (h *house) task(ctx context.Context, run core.UUID, name string, n int, began core.Time, took time.Duration, end core.StateType, deps ...core.UUID) core.UUID {
	h.t.Helper()
	id := core.NewID()
	r := &core.TaskRun{
		ID: id, Created: began, Updated: began, Name: fmt.Sprintf("%s-%d", name, n), FlowRunID: run, TaskKey: name, DynamicKey: fmt.Sprint(n),
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
	h.check(h.svc.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: r, States: states}}))
	return id
}

// pause stops a running run with the refund question.
func (h *house) pause(ctx context.Context, id core.UUID) {
	h.t.Helper()
	keys := map[string]string{"schema": "paused-1-schema", "description": "paused-1-description", "response": "paused-1-response"}
	h.check(h.svc.CreateFlowRunInput(ctx, id, keys["schema"], decision, ""))
	h.check(h.svc.CreateFlowRunInput(ctx, id, keys["description"], `"Approve the refund of **1,240.50 EUR** to Northwind Traders?\n\nOrder 88213 came nine days late. Risk score 0.12, no earlier refunds."`, ""))
	h.set(ctx, id, core.StateCreate{Type: core.Paused, Details: core.StateDetails{
		PauseKey: core.Ptr("1"), PauseTimeout: h.now().Add(24 * time.Hour), RunInputKeyset: keys,
	}})
}

func (h *house) complete(ctx context.Context, id core.UUID, value string) {
	h.t.Helper()
	h.set(ctx, id, core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":` + value + `}`)})
}
