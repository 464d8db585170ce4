package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// TestOneBadOfMany: of a batch of events or logs, bad items are refused by
// name, and the others are stored.
func TestOneBadOfMany(t *testing.T) {
	deep := strings.Repeat("[", 500) + strings.Repeat("]", 500)
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.URL(t))
			one := func(name, more string) string {
				return fmt.Sprintf(`{"id":%q,"occurred":"2026-11-23T08:06:40Z","event":%q,"resource":{"prefect.resource.id":"x"},"related":[],"payload":{}%s}`, core.NewID(), name, more)
			}
			status, _, body := w.send("POST", "/events", "["+strings.Join([]string{
				one("first", ""), one("nul", `,"payload":{"a":"\u0000\ud800"}`), one("deep", `,"payload":{"a":`+deep+`}`), one("when", `,"occurred":"never"`),
				`{"event":"nothing"}`, `7`, `null`, one(strings.Repeat("long", 500), ""), one("last", ""),
			}, ",")+"]")
			equal(t, "status", status, 422)
			equal(t, "refused events", refused(t, body), "[2 3 4 5 6 7]")
			var got []string
			for _, e := range w.post(200, "/events/filter", object{"filter": object{"occurred": object{"since": "2026-11-22T00:00:00Z"}, "order": "ASC"}})["events"].([]any) {
				got = append(got, e.(object)["event"].(string))
			}
			equal(t, "stored events", got, "[first nul last]")

			status, _, body = w.send("POST", "/logs/", `[{"name":"n","level":20,"message":"a","timestamp":"2026-11-23T08:06:40Z"},{"name":"n","level":"x","message":"b","timestamp":"2026-11-23T08:06:41Z"},
				{"name":"n","level":20,"message":"c","timestamp":"10000-01-01T00:00:00Z"},{"name":"n","level":20,"message":"d"},{"name":"n","level":20,"message":"e\u0000","timestamp":"2026-11-23T08:06:42Z"}]`)
			equal(t, "status", status, 422)
			equal(t, "refused logs", refused(t, body), "[1 2 3]")
			equal(t, "stored logs", names(w.list("/logs/filter", object{"sort": "TIMESTAMP_ASC"}), "message"), "[a e\uFFFD]")
		})
	}
}

// refused are the places of a body that a 422 names.
func refused(t *testing.T, body []byte) (places []any) {
	t.Helper()
	var answer validationBody
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, f := range answer.Detail {
		if n := len(places); n == 0 || places[n-1] != f.Loc[1] {
			places = append(places, f.Loc[1])
		}
	}
	return places
}

// TestSocketRefusesAlone: a bad event on a socket does not take those with it
// that follow.
func TestSocketRefusesAlone(t *testing.T) {
	store := &eventStore{kept: make(chan []*core.Event, 10)}
	_, url := serveOn(t, store, "")
	c, err := dial(t, url+"/events/in")
	if err != nil {
		t.Fatal(err)
	}
	for _, frame := range []string{`{"event":"x"}`, `not JSON`, string(core.ToJSON(event("good"))), `{"payload":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, string(core.ToJSON(event("better")))} {
		say(t, c, frame)
	}
	var got []string
	for len(got) < 2 {
		for _, e := range <-store.kept {
			got = append(got, e.Event)
		}
	}
	equal(t, "stored", got, "[good better]")
}
