package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// TestReadOnlyDatabase: a failover leaves the server with a database that only
// reads, and with sessions that stay so when it accepts writes again. What was
// acknowledged is stored then, events that are on their way arrive, and nobody
// has to end a session.
func TestReadOnlyDatabase(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		dsn := e.URL(t)
		w := newWorld(t, dsn)
		run := core.UUID{}
		_ = run.UnmarshalText([]byte(w.run(w.flow("f"), nil)["id"].(string)))
		socket, err := dial(t, "ws"+w.srv.URL[len("http"):]+"/api/events/in")
		if err != nil {
			t.Fatal(err)
		}
		acknowledged := core.NewID()
		report := &core.TaskRunReport{
			TaskRun: &core.TaskRun{ID: acknowledged, Name: "t", FlowRunID: run, TaskKey: "t", DynamicKey: "0"},
			States:  []*core.State{core.StateCreate{Type: core.Completed}.State(core.Now())},
		}
		if err := w.service.RecordTaskRuns(t.Context(), []*core.TaskRunReport{report}); err != nil {
			t.Fatal(err)
		}
		// Its event waits for company, and meets a database that only reads.
		dbtest.SetReadOnly(t, dsn, "on")
		dbtest.EndSessions(t, dsn)
		log := []object{{"name": "n", "level": 20, "message": "m", "timestamp": "2026-11-23T08:06:40Z"}}
		for _, r := range []struct {
			path string
			body any
		}{{"/logs/", log}, {"/flows/", object{"name": "g"}}, {"/events", []object{{"id": core.NewID(), "occurred": "2026-11-23T08:06:40Z", "event": "e", "resource": object{"prefect.resource.id": "x"}, "payload": object{}}}}} {
			status, header, body := w.send("POST", r.path, r.body)
			if status != 503 || header.Get("Retry-After") == "" {
				t.Errorf("%s: %d %s, want 503 with Retry-After", r.path, status, body)
			}
		}
		say(t, socket, string(core.ToJSON(event("sent"))))
		if status, _, body := w.send("POST", "/flows/filter", object{}); status != 200 {
			t.Errorf("reads: %d %s", status, body)
		}
		dbtest.SetReadOnly(t, dsn, "off")
		w.do(201, "POST", "/logs/", log)
		equal(t, "logs", len(w.list("/logs/filter", object{})), 1)
		// Nobody hears of a retry: the list is asked until it has both.
		seen := map[string]bool{}
		for end := time.Now().Add(30 * time.Second); len(seen) < 2; {
			if time.Now().After(end) {
				t.Fatalf("events that arrived: %v", seen)
			}
			for _, e := range w.post(200, "/events/filter", object{"filter": object{"occurred": object{"since": "2020-01-01T00:00:00Z"}}})["events"].([]any) {
				switch name := fmt.Sprint(e.(object)["event"]); name {
				case "sent", "prefect.task-run.Completed":
					seen[name] = true
				}
			}
		}
	}
}
