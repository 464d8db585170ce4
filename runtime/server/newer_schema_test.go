package server

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
)

// nextRelease is what a migration may do while servers that do not know of it
// work: add columns, tables and indexes, and make views anew.
const nextRelease = `
ALTER TABLE flow_run ADD COLUMN next_release TEXT NOT NULL DEFAULT '';
ALTER TABLE task_run ADD COLUMN next_release BIGINT;
ALTER TABLE log ADD COLUMN next_release BIGINT;
CREATE TABLE next_release (id UUID PRIMARY KEY);
CREATE INDEX flow_run_next_release ON flow_run (next_release, id);
DROP VIEW flow_run_full;
CREATE VIEW flow_run_full AS
SELECT r.*, s.message AS state_message, s.data AS state_data, s.state_details AS state_details,
  q.name AS work_queue_name, p.id AS work_pool_id, p.name AS work_pool_name
FROM flow_run r
LEFT JOIN flow_run_state s ON s.id = r.state_id
LEFT JOIN work_queue q ON q.id = r.work_queue_id
LEFT JOIN work_pool p ON p.id = q.work_pool_id;`

// TestNewerServerBeside: a newer server brings the schema up to date while
// older ones work; no request fails, and an older one can be started again.
func TestNewerServerBeside(t *testing.T) {
	f := newFleet(t, bustest.Postgres(t), "")
	post(t, f.toA, "/work_pools/", map[string]any{"name": "shared", "type": "process"})
	both := client.New(client.Config{URL: f.a.APIURL() + "," + f.b.APIURL(), Patience: 20 * time.Second})
	f.worker(f.a.APIURL() + "," + f.b.APIURL())
	deployment := f.deployment("quick", command("echo done"))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := make(chan struct{}, 1000)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, err := both.Raw(ctx, "POST", "/deployments/"+deployment+"/create_flow_run", map[string]any{"name": fmt.Sprint(i, "-", n), "state": map[string]any{"type": "SCHEDULED", "state_details": map[string]any{"scheduled_time": "2099-01-01T00:00:00Z"}}})
				if err == nil {
					_, err = both.Raw(ctx, "POST", "/flow_runs/filter", map[string]any{"limit": 3})
				}
				if ctx.Err() == nil && err != nil {
					t.Errorf("request %d: %v", n, err)
					return
				}
				select {
				case asked <- struct{}{}:
				default:
				}
			}
		})
	}
	requests := func(n int) {
		for range n {
			select {
			case <-asked:
			case <-time.After(20 * time.Second):
				t.Fatal("no answers")
			}
		}
	}
	requests(20)
	conn, err := pgx.Connect(ctx, f.database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	facts, err := f.a.store.Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, nextRelease); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, queries.AddSchemaVersion, facts.Version+1, facts.Version)
		return err
	}); err != nil {
		t.Fatal("the migration:", err)
	}
	for len(asked) > 0 {
		<-asked
	}
	requests(50)
	cancel()
	wg.Wait()
	f.until(f.toA, f.run(f.toA, deployment), core.Completed)
	if err := f.a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	again := f.server()
	f.until(to(again), f.run(to(again), deployment), core.Completed)
}
