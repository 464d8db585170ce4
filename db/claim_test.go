package db

import (
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// A claim reads the runs of priority 0, and the others, by an index each.
func TestClaimUsesIndexes(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			url := e.URL(t)
			if err := Seed(t.Context(), url, SeedSize{FlowRuns: 3000, Days: 1}, func(string, int, int) {}); err != nil {
				t.Fatal(err)
			}
			store, err := Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			queues, err := store.WorkQueues(t.Context(), core.UUID{}, nil, core.Page{})
			if err != nil {
				t.Fatal(err)
			}
			var r *reader
			explain := "EXPLAIN "
			switch s := store.(type) {
			case *sqliteStore:
				r, explain = &s.reader, "EXPLAIN QUERY PLAN "
			case *postgresStore:
				r = &s.reader
			}
			can := core.Capability{Flows: []string{"a"}, Except: []core.UUID{core.NewID()}}
			q := queries.ClaimableFlowRuns(r.d, queues[0].ID, can, core.Forever, 10)
			q.SQL = explain + q.SQL
			var plan strings.Builder
			err = r.dyn.rows(t.Context(), q, func(scan func(...any) error) error {
				var line string
				if r.d == queries.Postgres {
					err := scan(&line)
					plan.WriteString(line + "\n")
					return err
				}
				var id, parent, unused int
				err := scan(&id, &parent, &unused, &line)
				plan.WriteString(line + "\n")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			text := plan.String()
			for _, index := range []string{"flow_run_priority", "flow_run_due"} {
				if !strings.Contains(text, index) {
					t.Errorf("the index %s is not used", index)
				}
			}
			for _, slow := range []string{"SCAN r\n", "Seq Scan on flow_run"} {
				if strings.Contains(text, slow) {
					t.Errorf("the claim reads all flow runs")
				}
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}
