package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// fixture is the API over a real service and database, behind a real socket.
type fixture struct {
	testing.TB
	service *local.Service
	store   core.Store
	bus     *listenedBus
	srv     *httptest.Server
	agent   string // what client it says to be
	config  Config
}

func newWorld(t testing.TB, dsn string) *fixture {
	t.Helper()
	store, err := db.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	b := &listenedBus{bus.NewMemory(), make(chan core.Topic, 16)}
	service := local.New(local.Config{
		Templates: jinja.New(), Store: store, Bus: b, Results: orchestrate.DirResults(t.TempDir()), URL: hookURL,
	})
	if err := service.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := Config{
		Runs: service.Service, Limits: service.Limits, Blocks: service.Blocks, Automations: service.Automations, Variables: service.Variables,
		Artifacts: service.Artifacts, SavedSearches: service.SavedSearches, Logs: service.Logs, Events: service.Events, Retention: service.Trimmer, Store: StoreOf(store), Bus: b}
	w := &fixture{t, service, store, b, httptest.NewServer(New(config)), "", config}
	t.Cleanup(func() {
		_ = b.Close()
		w.srv.Close()
		_ = service.Stop(context.Background()) // the test's context has ended
		_ = store.Close()
	})
	return w
}

// listenedBus tells when somebody listens.
type listenedBus struct {
	core.Bus
	subscribed chan core.Topic
}

func (b *listenedBus) Subscribe(topic core.Topic, key string, buffer int) core.Subscription {
	s := b.Bus.Subscribe(topic, key, buffer)
	select {
	case b.subscribed <- topic:
	default:
	}
	return s
}

// hookURL is where webhooks of a fixture seem to be.
const hookURL = "https://flows.example"

type object = map[string]any

// send makes a request and returns its status and body. A body that is no
// string is sent as JSON.
func (w *fixture) send(method, path string, body any) (int, http.Header, []byte) {
	w.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		in = bytes.NewReader(core.ToJSON(b))
	}
	r, err := http.NewRequestWithContext(w.Context(), method, w.srv.URL+"/api"+path, in)
	if err != nil {
		w.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", cmp.Or(w.agent, "curl/8")) // a Go client may send more than Prefect takes
	resp, err := w.srv.Client().Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, resp.Header, b
}

// do is send for an expected status; it decodes the answer.
func (w *fixture) do(status int, method, path string, body any) (out any) {
	w.Helper()
	got, _, b := w.send(method, path, body)
	if got != status {
		w.Fatalf("%s %s: %d %s, want %d", method, path, got, b, status)
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			w.Fatalf("%s %s: %s: %v", method, path, b, err)
		}
	}
	return out
}

func (w *fixture) post(status int, path string, body any) object {
	w.Helper()
	o, ok := w.do(status, "POST", path, body).(object)
	if !ok {
		w.Fatalf("POST %s: no object", path)
	}
	return o
}

func (w *fixture) get(path string) object {
	w.Helper()
	o, ok := w.do(200, "GET", path, nil).(object)
	if !ok {
		w.Fatalf("GET %s: no object", path)
	}
	return o
}

func (w *fixture) list(path string, body any) []object {
	w.Helper()
	method := "POST"
	if body == nil {
		method = "GET"
	}
	items, ok := w.do(200, method, path, body).([]any)
	if !ok {
		w.Fatalf("%s: no list", path)
	}
	out := make([]object, len(items))
	for i, v := range items {
		out[i] = v.(object)
	}
	return out
}

// flow and run make what most scenarios begin with.
func (w *fixture) flow(name string) string {
	w.Helper()
	_, _, b := w.send("POST", "/flows/", object{"name": name})
	var f core.Flow
	if err := json.Unmarshal(b, &f); err != nil || f.ID.IsZero() {
		w.Fatalf("%s: %v", b, err)
	}
	return f.ID.String()
}

func (w *fixture) run(flow string, more object) object {
	w.Helper()
	body := object{"flow_id": flow}
	maps.Copy(body, more)
	return w.post(201, "/flow_runs/", body)
}

func (w *fixture) state(status int, run object, answer, kind string, more object) object {
	w.Helper()
	s := object{"type": kind}
	maps.Copy(s, more)
	out := w.post(status, "/flow_runs/"+run["id"].(string)+"/set_state", object{"state": s})
	shaped(w, "set_state", out)
	if out["status"] != answer {
		w.Fatalf("%s: %v, want %s", kind, out, answer)
	}
	return out
}

// at walks into an answer: at(o, "state", "type").
func at(v any, path ...any) any {
	for _, p := range path {
		switch k := p.(type) {
		case string:
			o, _ := v.(object)
			v = o[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, x := fmt.Sprint(got), fmt.Sprint(want); g != x {
		t.Errorf("%s: %s, want %s", what, g, x)
	}
}

// names is one field of each row.
func names(rows []object, key string) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, fmt.Sprint(r[key]))
	}
	return out
}

// shaped compares an answer with the peer's: the same keys at every depth that
// the shape knows, and of each value one of its JSON types.
func shaped(t testing.TB, kind string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/shapes.json")
	if err != nil {
		t.Fatal(err)
	}
	var shapes map[string]any
	if err := json.Unmarshal(b, &shapes); err != nil {
		t.Fatal(err)
	}
	shape, known := shapes[kind]
	if !known {
		t.Fatalf("no shape %q", kind)
	}
	for _, fault := range misshapen(shape, v, kind) {
		t.Error(fault)
	}
}

func misshapen(shape, v any, place string) (faults []string) {
	kind := "null"
	switch v.(type) {
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "boolean"
	case []any:
		kind = "array"
	case object:
		kind = "object"
	}
	types, plain := shape.(string)
	if plain {
		if types != "any" && !slices.Contains(strings.Split(types, "|"), kind) {
			faults = append(faults, fmt.Sprintf("%s is %s, the peer's is %s", place, kind, types))
		}
		return faults
	}
	want := shape.(object)
	o, ok := v.(object)
	if !ok {
		if v != nil || want["?"] == nil {
			faults = append(faults, fmt.Sprintf("%s is %s, the peer's is an object", place, kind))
		}
		return faults
	}
	for key, s := range want {
		if key == "?" {
			continue
		}
		if child, has := o[key]; has {
			faults = append(faults, misshapen(s, child, place+"."+key)...)
		} else {
			faults = append(faults, place+" lacks "+key)
		}
	}
	for key := range o {
		if _, has := want[key]; !has {
			faults = append(faults, place+" has "+key+", the peer's has not")
		}
	}
	return faults
}
