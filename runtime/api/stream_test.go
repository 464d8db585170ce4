package api

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// A stream is followed as server-sent events, from any number, until the run ends.
func TestStreams(t *testing.T) {
	w := memory(t)
	run := w.run(w.flow("streams"), nil)
	id := run["id"].(string)
	path := "/flow_runs/" + id + "/streams"
	add := func(ordinal int, value any) object {
		return w.post(200, path+"/out", object{"entries": []object{{"source": "s", "ordinal": ordinal, "value": value}}})
	}
	equal(t, "none", w.do(200, "GET", path, nil), "[]")
	add(0, "one")
	add(1, object{"n": 2})
	equal(t, "repeated", add(0, "one")["last"], 1)
	w.do(422, "POST", path+"/not%20a%20key", object{"entries": []object{{"source": "s", "ordinal": 0, "value": 1}}})
	w.do(422, "POST", path+"/out", object{"entries": []object{{"source": "s", "ordinal": 2, "value": strings.Repeat("x", core.MaxStreamValue)}}})
	if got := w.get(path + "/out/wait?from=2&wait=0"); len(got["entries"].([]any)) != 1 || got["ended"] != false {
		t.Error(got)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", w.srv.URL+"/api"+path+"/out/events?from=2", nil)
	resp, err := w.srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	equal(t, "stream", []any{resp.StatusCode, resp.Header.Get("Content-Type")}, "[200 text/event-stream]")
	var said []string
	for in := bufio.NewScanner(resp.Body); in.Scan(); {
		if said = append(said, in.Text()); in.Text() != "" {
			continue
		}
		switch strings.Count(strings.Join(said, "\n"), "event: entry") {
		case 1:
			add(2, "three")
		case 2:
			w.state(201, run, "ACCEPT", "RUNNING", nil)
			w.state(201, run, "ACCEPT", "COMPLETED", nil)
		}
	}
	text := strings.Join(said, "\n")
	for _, part := range []string{"id: 2\nevent: entry\n", `"value":{"n":2}`, "id: 3\nevent: entry\n", `"value":"three"`, "event: end"} {
		if !strings.Contains(text, part) {
			t.Errorf("the stream lacks %q: %s", part, text)
		}
	}
	if strings.Contains(text, `"one"`) {
		t.Error("the stream does not begin at 2:", text)
	}
	w.do(404, "GET", "/flow_runs/"+core.NewID().String()+"/streams/out/events", nil)
	w.do(404, "GET", "/flow_runs/"+core.NewID().String()+"/streams/out/wait", nil)
}
