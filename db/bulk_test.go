package db_test

import (
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestSeed(t *testing.T) {
	size := db.SeedSize{FlowRuns: 1500, TaskRuns: 3000, Logs: 6000, Events: 200, Days: 30}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			url := e.URL(t)
			if err := db.Seed(t.Context(), url, size, func(string, int, int) {}); err != nil {
				t.Fatal(err)
			}
			if err := db.Seed(t.Context(), url, size, func(string, int, int) {}); core.CodeOf(err) != core.EConflict {
				t.Errorf("a second time: %v", err)
			}
			s := open(t, url)
			defer s.Close()
			ctx := t.Context()
			runs, err := s.FlowRuns(ctx, core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Failed}}}}}, core.Page{Limit: 5, Sort: "EXPECTED_START_TIME_DESC"})
			if err != nil || len(runs) != 5 || runs[0].State == nil || runs[0].State.Message == nil || runs[0].WorkPoolName == nil {
				t.Fatalf("failed runs: %v %+v", err, runs)
			}
			n, err := s.CountFlowRuns(ctx, core.Filters{})
			if err != nil || n != int64(size.FlowRuns) {
				t.Errorf("%d runs, %v", n, err)
			}
			logs, err := s.Logs(ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{runs[0].ID}}}, core.Page{Limit: 10})
			if err != nil || len(logs) != 4 {
				t.Errorf("%d logs of a run, %v", len(logs), err)
			}
			tasks, err := s.TaskRunsOf(ctx, runs[0].ID, core.UUID{}, 10)
			if err != nil || len(tasks) != 2 || tasks[0].State == nil {
				t.Errorf("task runs: %+v, %v", tasks, err)
			}
			// The indexes are there again: the same key twice is refused.
			run := *runs[0]
			run.ID, run.State, run.IdempotencyKey = core.NewID(), nil, core.Ptr("k")
			insert := func() (ok bool) {
				if err := s.Write(ctx, func(tx core.Tx) (err error) { ok, err = tx.InsertFlowRun(ctx, &run); return err }); err != nil {
					t.Fatal(err)
				}
				return ok
			}
			first := insert()
			run.ID = core.NewID()
			if !first || insert() {
				t.Error("an idempotency key is not unique")
			}
		})
	}
}

// What is not committed has not been.
func TestBulkGivenUp(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			url, ctx := e.URL(t), t.Context()
			row := []any{core.NewID(), core.Now(), core.Now(), "f", core.Tags{}, core.JSON("{}")}
			columns := []string{"id", "created", "updated", "name", "tags", "labels"}
			load := func(commit bool, table string, columns []string, row []any) error {
				b, err := db.OpenBulk(ctx, url)
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				if n, err := b.Load(ctx, table, columns, func(yield func([]any) bool) { yield(row) }); err != nil || n != 1 {
					t.Fatal(n, err)
				}
				if commit {
					return b.Commit(ctx)
				}
				return nil
			}
			if err := load(false, "flow", columns, row); err != nil {
				t.Fatal(err)
			}
			orphan := []any{core.NewID(), core.NewID(), "RUNNING", "Running", core.Now(), core.JSON("{}")}
			if err := load(true, "flow_run_state", []string{"id", "flow_run_id", "type", "name", "timestamp", "state_details"}, orphan); core.CodeOf(err) != core.EConflict {
				t.Errorf("a state without its run: %v", err)
			}
			if err := load(true, "flow", columns, row); err != nil {
				t.Fatal(err)
			}
			s := open(t, url)
			defer s.Close()
			if flows, err := s.Flows(ctx, core.Filters{}, core.Page{}); err != nil || len(flows) != 1 {
				t.Errorf("%d flows, %v", len(flows), err)
			}
		})
	}
}

func TestBulkOfMemoryIsRefused(t *testing.T) {
	if _, err := db.OpenBulk(t.Context(), "sqlite::memory:"); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
	url := filepath.Join(t.TempDir(), "x.db")
	s := open(t, url)
	defer s.Close()
	if _, err := db.OpenBulk(t.Context(), url); core.CodeOf(err) != core.EUnavailable {
		t.Error("beside another process:", err)
	}
}
