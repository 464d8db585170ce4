package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func (w *fixture) socket(path string) *websocket.Conn {
	w.Helper()
	c, resp, err := websocket.Dial(w.Context(), "ws"+strings.TrimPrefix(w.srv.URL, "http")+"/api"+path, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		w.Fatal(err, resp)
	}
	c.SetReadLimit(maxFrame)
	w.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func (w *fixture) delay(key string) object {
	w.Helper()
	return w.post(201, "/task_runs/", object{"task_key": key, "dynamic_key": key + "-1", "name": key,
		"state": object{"type": "SCHEDULED", "state_details": object{"deferred": true, "task_parameters_id": "ed630df5-2d3f-446d-aedd-1f1baf40ee6f"}}})
}

const tasksPath = "/task_runs/subscriptions/scheduled"

// TestScheduledTasks is a task worker's connection as Prefect's makes it.
func TestScheduledTasks(t *testing.T) {
	w := memory(t)
	run := w.delay("bg")
	shaped(t, "task_run", run)
	subscribe := func() *websocket.Conn {
		c := w.socket(tasksPath)
		say(t, c, `{"type":"auth","token":null}`)
		equal(t, "greeting", hear(t, c)["type"], "auth_success")
		say(t, c, `{"type":"subscribe","keys":["bg","other"],"client_id":"host-1"}`)
		return c
	}
	c := subscribe()
	got := hear(t, c)
	shaped(t, "task_run", got)
	equal(t, "run", got["id"], run["id"])
	equal(t, "parameters", at(got, "state", "state_details", "task_parameters_id"), "ed630df5-2d3f-446d-aedd-1f1baf40ee6f")
	workers := w.list("/task_workers/filter", object{})
	equal(t, "workers", workers[0]["identifier"], "host-1")
	equal(t, "keys", workers[0]["task_keys"], "[bg other]")
	equal(t, "others", len(w.list("/task_workers/filter", object{"task_worker_filter": object{"task_keys": []string{"x"}}})), 0)

	// A connection lost before the acknowledgement: the next one gets the run.
	_ = c.CloseNow()
	c = subscribe()
	equal(t, "run again", hear(t, c)["id"], run["id"])
	say(t, c, `{"type":"ack"}`)
	next := w.delay("other")
	equal(t, "next run", hear(t, c)["id"], next["id"])

	// So does one that leaves instead.
	say(t, c, `{"type":"quit"}`)
	ends(t, c, websocket.StatusNormalClosure, "")
	c = subscribe()
	equal(t, "left run", hear(t, c)["id"], next["id"])
	say(t, c, `{"type":"nonsense"}`)
	ends(t, c, closeTask, "Protocol violation: expected 'ack' message")
}

func ends(t *testing.T, c *websocket.Conn, code websocket.StatusCode, reason string) {
	t.Helper()
	_, b, err := within(t, c)
	if err == nil {
		t.Fatalf("heard %s, want the end", b)
	}
	if got := websocket.CloseStatus(err); got != code || !strings.Contains(err.Error(), reason) {
		t.Errorf("%v, want %d %s", err, code, reason)
	}
}

func TestScheduledTasksProtocol(t *testing.T) {
	w := memory(t)
	for said, reason := range map[string]string{
		`{"type":"hello"}`:                     "expected 'subscribe' message",
		`not json`:                             "expected 'subscribe' message",
		`{"type":"subscribe","client_id":"x"}`: "expected 'keys' in subscribe message",
		`{"type":"subscribe","keys":[],"client_id":"x"}`:   "expected 'keys' in subscribe message",
		`{"type":"subscribe","keys":[1],"client_id":"x"}`:  "expected 'keys' in subscribe message",
		`{"type":"subscribe","keys":["k"]}`:                "expected 'client_id' in subscribe message",
		`{"type":"subscribe","keys":["k"],"client_id":""}`: "expected 'client_id' in subscribe message",
	} {
		c := w.socket(tasksPath)
		say(t, c, `{"type":"auth","token":null}`)
		hear(t, c)
		say(t, c, said)
		ends(t, c, closeTask, reason)
	}
}

func TestSavedSearches(t *testing.T) {
	w := memory(t)
	filters := []object{{"object": "flow_run", "property": "state", "type": "string", "operation": "equals", "value": object{"any": 1}}}
	made, _ := w.do(201, "PUT", "/saved_searches/", object{"name": "mine", "filters": filters}).(object)
	equal(t, "filters", at(made, "filters", 0, "value", "any"), 1)
	again, _ := w.do(200, "PUT", "/saved_searches/", object{"name": "mine"}).(object)
	equal(t, "id", again["id"], made["id"])
	equal(t, "filters that are not given", len(again["filters"].([]any)), 1)
	again, _ = w.do(200, "PUT", "/saved_searches/", object{"name": "mine", "filters": []object{}}).(object)
	equal(t, "filters", again["filters"], "[]")
	equal(t, "read", w.get("/saved_searches/" + made["id"].(string))["name"], "mine")
	equal(t, "list", names(w.list("/saved_searches/filter", object{}), "name"), "[mine]")
	w.do(422, "PUT", "/saved_searches/", object{"filters": filters})
	w.do(422, "POST", "/saved_searches/filter", object{"limit": 201})
	w.do(204, "DELETE", "/saved_searches/"+made["id"].(string), nil)
	w.do(404, "DELETE", "/saved_searches/"+made["id"].(string), nil)
	if b, err := json.Marshal(w.do(404, "GET", "/saved_searches/"+made["id"].(string), nil)); err != nil || string(b) != `{"detail":"Saved search not found"}` {
		t.Errorf("%s", b)
	}
}
