package retention_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"
	"github.com/flowlite/flowlite/runtime/retention"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

const day = 24 * time.Hour

func TestRetention(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			h := localtest.Open(t, e.URL(t))
			f := h.Flow()
			run := func(parent core.UUID) *core.FlowRun {
				r, err := h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: f.ID, ParentTaskRunID: parent})
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			old := run(core.UUID{})
			task, err := h.CreateTaskRun(h.Ctx, core.TaskRunCreate{FlowRunID: old.ID, TaskKey: "t", DynamicKey: "0"})
			if err != nil {
				t.Fatal(err)
			}
			part, live := run(task.ID), run(core.UUID{})
			key := old.ID.String() + "/t-1.json"
			if err := errors.Join(h.PutResult(h.Ctx, key, []byte("1")), h.PutResult(h.Ctx, live.ID.String()+"/t-1.json", []byte("1"))); err != nil {
				t.Fatal(err)
			}
			for _, r := range []*core.FlowRun{part, old} {
				h.Set(r.ID, core.Running, core.Accept)
				h.Set(r.ID, core.Completed, core.Accept)
			}
			h.Set(live.ID, core.Running, core.Accept)
			h.Set(run(core.UUID{}).ID, core.Cancelled, core.Accept) // before it began: it has no end
			if err := h.WriteLogs(h.Ctx, []core.LogCreate{{Name: "n", Level: 20, Message: "m", Timestamp: core.Now(), FlowRunID: live.ID}}); err != nil {
				t.Fatal(err)
			}

			trimmed := func(runs, logs int) {
				t.Helper()
				if n, err := h.TrimRuns(h.Ctx); err != nil || n != runs {
					t.Errorf("%d runs, not %d: %v", n, runs, err)
				}
				if n, err := h.TrimLogs(h.Ctx); err != nil || n != logs {
					t.Errorf("%d logs, not %d: %v", n, logs, err)
				}
			}
			h.Later(89 * day)
			trimmed(0, 0)
			if events, err := h.TrimEvents(h.Ctx); err != nil || events == 0 {
				t.Errorf("%d events: %v", events, err)
			}
			young := run(core.UUID{})
			h.Set(young.ID, core.Running, core.Accept)
			h.Set(young.ID, core.Completed, core.Accept)
			h.Later(2 * day)
			trimmed(3, 1) // the log is of a run that runs
			if _, err := h.Result(h.Ctx, key); !core.IsNotFound(err) {
				t.Error("a result outlives its run:", err)
			}
			if _, err := h.Result(h.Ctx, live.ID.String()+"/t-1.json"); err != nil {
				t.Error("a result of a run that is kept:", err)
			}
			n, err := h.Store.CountFlowRuns(h.Ctx, core.Filters{})
			if err != nil || n != 2 {
				t.Errorf("%d runs are left: %v", n, err)
			}
			trimmed(0, 0)
		})
	}
}

func TestRetentionForEver(t *testing.T) {
	store, err := db.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := local.New(local.Config{Store: store, Bus: bus.NewMemory(), Retain: retention.Periods{Runs: -1, Logs: time.Hour, Events: -1}, Now: func() core.Time { return core.Now().Add(1000 * day) }})
	if err := store.Write(t.Context(), func(tx core.Tx) error {
		f, _, err := tx.UpsertFlow(t.Context(), &core.Flow{ID: core.NewID(), Created: 1, Updated: 1, Name: "f"})
		if err != nil {
			return err
		}
		run := &core.FlowRun{ID: core.NewID(), Created: 1, Updated: 1, Name: "r", FlowID: f.ID, ExpectedStartTime: 1, EndTime: 1, State: core.StateCreate{Type: core.Completed}.State(1)}
		_, err = tx.InsertFlowRun(t.Context(), run)
		_, err2 := tx.InsertEvents(t.Context(), []*core.Event{{ID: core.NewID(), Occurred: 1, Event: "e", Resource: map[string]string{"prefect.resource.id": "x"}}})
		return errors.Join(err, err2, tx.InsertLogs(t.Context(), []*core.Log{{Name: "n", Message: "m", Timestamp: 1}}))
	}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		trim func(context.Context) (int, error)
		want int
	}{"runs": {s.TrimRuns, 0}, "events": {s.TrimEvents, 0}, "logs": {s.TrimLogs, 1}} {
		if n, err := c.trim(t.Context()); err != nil || n != c.want {
			t.Errorf("%s: %d trimmed, not %d: %v", name, n, c.want, err)
		}
	}
	if r := s.Retention(); r.Runs >= 0 || r.Logs != time.Hour || r.Events >= 0 {
		t.Errorf("%+v", r)
	}
}
