package db_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/core"
)

// waiting counts the statements that wait for a lock in c's database.
func waiting(t *testing.T, c *pgx.Conn) (n int) {
	t.Helper()
	const text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	if err := c.QueryRow(t.Context(), text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A statement ends when its request does, and when its process died without a
// word: PostgreSQL would run it to its end.
func TestStatementsEndWithTheirClient(t *testing.T) {
	engines := dbtest.Engines(t)
	if len(engines) < 2 {
		t.Skip("FLOWLITE_TEST_POSTGRES is not set")
	}
	t.Parallel()
	url := engines[1].URL(t)
	dbtest.Exec(t, url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_connection_check_interval = 0', current_database()); END $$")
	watch, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Close(context.Background()) }()
	locker, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locker.Close(context.Background()) }()
	for name, end := range map[string]func(cancel func(), p *bustest.Proxy){
		"request": func(cancel func(), _ *bustest.Proxy) { cancel() },
		"process": func(_ func(), p *bustest.Proxy) { p.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			at, proxy := bustest.Through(t, url)
			store, err := db.Open(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			tx, err := locker.Begin(t.Context())
			if err == nil {
				_, err = tx.Exec(t.Context(), "LOCK TABLE flow IN ACCESS EXCLUSIVE MODE")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.Background()) }()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, err := store.CountFlows(ctx, core.Filters{})
				done <- err
			}()
			bustest.Soon(t, "the statement runs", func() bool { return waiting(t, watch) == 1 })
			end(cancel, proxy)
			if err := <-done; err == nil {
				t.Error("the statement ended by itself")
			}
			bustest.Soon(t, "the statement ends", func() bool { return waiting(t, watch) == 0 })
		})
	}
}
