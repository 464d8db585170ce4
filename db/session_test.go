package db

import (
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
)

// Every session is bounded, unless the address says otherwise.
func TestSessionsAreBounded(t *testing.T) {
	engines := dbtest.Engines(t)
	if len(engines) < 2 {
		t.Skip("FLOWLITE_TEST_POSTGRES is not set")
	}
	url := engines[1].URL(t)
	dbtest.Exec(t, url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_connection_check_interval = 0', current_database()); END $$")
	for query, want := range map[string][2]string{
		"":                                     {"5min", "10s"},
		"?statement_timeout=7min":              {"7min", "10s"},
		"?application_name=another":            {"5min", "10s"},
		"?client_connection_check_interval=3s": {"5min", "3s"},
	} {
		store, err := Open(t.Context(), url+query)
		if err != nil {
			t.Fatal(err)
		}
		var got [2]string
		const text = "SELECT current_setting('statement_timeout'), current_setting('client_connection_check_interval')"
		row := store.(*postgresStore).pool.QueryRow(t.Context(), text)
		if err := row.Scan(&got[0], &got[1]); err != nil || got != want {
			t.Errorf("%s: %v, want %v (%v)", query, got, want, err)
		}
		_ = store.Close()
	}
}
