package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// eventStore keeps events and nothing else.
type eventStore struct {
	core.Store
	mu     sync.Mutex
	events []*core.Event
	away   atomic.Int32       // so many writes find no database
	kept   chan []*core.Event // may be nil
}

type eventTx struct {
	core.Tx
	s *eventStore
}

func (s *eventStore) Write(_ context.Context, fn func(core.Tx) error) error {
	if s.away.Add(-1) >= 0 {
		return core.Errorf(core.EUnavailable, "the database cannot answer")
	}
	return fn(eventTx{s: s})
}

func (eventTx) AutomationsVersion(context.Context) (int64, core.Time, error) { return 0, 0, nil }
func (eventTx) AllAutomations(context.Context) ([]*core.Automation, error)   { return nil, nil }

func (t eventTx) InsertEvents(_ context.Context, events []*core.Event) ([]*core.Event, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	t.s.events = append(t.s.events, events...)
	if t.s.kept != nil {
		t.s.kept <- events
	}
	return events, nil
}

func (s *eventStore) Events(_ context.Context, f *core.EventFilter, p core.Page) (out []*core.Event, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if trigger.Passes(f, e) {
			out = append(out, e)
		}
	}
	return out[min(p.Offset, len(out)):min(p.Offset+p.Limit, len(out))], nil
}

func serve(t *testing.T, auth string) (*local.Service, string) {
	t.Helper()
	return serveOn(t, &eventStore{}, auth)
}

func serveOn(t *testing.T, store *eventStore, auth string) (*local.Service, string) {
	t.Helper()
	b := bus.NewMemory()
	service := local.New(local.Config{Store: store, Bus: b})
	srv := httptest.NewServer(New(Config{
		Runs: service.Service, Limits: service.Limits, Blocks: service.Blocks, Automations: service.Automations, Variables: service.Variables,
		Artifacts: service.Artifacts, SavedSearches: service.SavedSearches, Logs: service.Logs, Events: service.Events, Retention: service.Trimmer, Store: StoreOf(store), Bus: b, Access: access.New(access.Config{AuthString: auth})}))
	t.Cleanup(func() { _ = b.Close(); srv.Close() })
	return service, "ws" + strings.TrimPrefix(srv.URL, "http") + "/api"
}

func dial(t *testing.T, url string, protocols ...string) (*websocket.Conn, error) {
	t.Helper()
	return dialAs(t, url, nil, protocols...)
}

var admin = http.Header{"Authorization": {"Basic YWRtaW46c2VjcmV0"}} // admin:secret

func dialAs(t *testing.T, url string, header http.Header, protocols ...string) (*websocket.Conn, error) {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: header})
	if err != nil && resp != nil {
		return nil, fmt.Errorf("HTTP %d: %w", resp.StatusCode, err)
	}
	if err == nil {
		c.SetReadLimit(maxFrame)
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, err
}

func say(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T, c *websocket.Conn) (websocket.MessageType, []byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return c.Read(ctx)
}

func hear(t *testing.T, c *websocket.Conn) map[string]any {
	t.Helper()
	_, b, err := within(t, c)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	_ = json.Unmarshal(b, &m)
	return m
}

func event(name string) *core.Event {
	return &core.Event{ID: core.NewID(), Occurred: core.Now(), Event: name, Resource: map[string]string{"prefect.resource.id": "test.1"},
		Payload: core.JSON(`{}`), Related: []map[string]string{}}
}

const farAway = `{"type":"filter","filter":{"occurred":{"since":"2020-01-01T00:00:00Z","until":"2999-01-01T00:00:00Z"}%s}}`

// TestEventsOut: stored events, then live ones, each once and in order, while
// a writer keeps on writing through the change-over.
func TestEventsOut(t *testing.T) {
	service, url := serve(t, "")
	const total = 1000
	begun := make(chan struct{})
	go func() {
		for i := range total {
			_ = service.EmitEvents(context.Background(), []*core.Event{event(fmt.Sprintf("n.%d", i))})
			if i == 300 {
				close(begun)
			}
		}
	}()
	<-begun
	c, err := dial(t, url+"/events/out", "prefect")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, `{"type":"auth","token":null}`)
	if m := hear(t, c); m["type"] != "auth_success" {
		t.Fatal(m)
	}
	say(t, c, fmt.Sprintf(farAway, `,"event":{"prefix":["n."]}`))
	seen := map[string]bool{}
	for len(seen) < total {
		name := hear(t, c)["event"].(map[string]any)["event"].(string)
		if seen[name] {
			t.Fatalf("%s came twice", name)
		}
		seen[name] = true
	}
}

func TestEventsIn(t *testing.T) {
	_, url := serve(t, "admin:secret")
	out, err := dial(t, url+"/events/out", "prefect")
	if err != nil {
		t.Fatal(err)
	}
	say(t, out, `{"type":"auth","token":"admin:secret"}`)
	hear(t, out)
	say(t, out, fmt.Sprintf(farAway, ""))

	// 3.4.9: no subprotocol and no greeting, so that only a header has the
	// credentials; a large frame; pings are answered.
	in, err := dialAs(t, url+"/events/in", admin)
	if err != nil {
		t.Fatal(err)
	}
	e := event("old")
	e.Payload = core.ToJSON(strings.Repeat("x", 1_200_000))
	say(t, in, string(core.ToJSON(e)))
	in.CloseRead(t.Context())
	if err := in.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, out)["event"].(map[string]any); got["event"] != "old" || got["received"] == nil {
		t.Errorf("%v", got["event"])
	}
	// Newer: the subprotocol and a greeting.
	newer, err := dial(t, url+"/events/in", "prefect")
	if err != nil {
		t.Fatal(err)
	}
	say(t, newer, `{"type":"auth","token":"admin:secret"}`)
	if m := hear(t, newer); m["type"] != "auth_success" {
		t.Fatal(m)
	}
	say(t, newer, string(core.ToJSON(event("new"))))
	if got := hear(t, out)["event"].(map[string]any); got["event"] != "new" {
		t.Errorf("%v", got)
	}
}

func TestSocketRefusals(t *testing.T) {
	_, url := serve(t, "admin:secret")
	if _, err := dialAs(t, url+"/events/out", admin); err == nil || !strings.Contains(err.Error(), "HTTP 403") {
		t.Errorf("without the subprotocol: %v", err)
	}
	if _, err := dial(t, url+"/events/in"); err == nil || !strings.Contains(err.Error(), "HTTP 401") {
		t.Errorf("without credentials: %v", err)
	}
	for _, s := range []struct {
		path   string
		frames []string
		code   websocket.StatusCode
		reason string
	}{
		{"/events/out", []string{`{"type":"auth","token":"wrong"}`}, 1008, "Invalid token"},
		{"/events/out", []string{`{"type":"filter"}`}, 1008, "Expected 'auth' message"},
		{"/logs/out", []string{`nonsense`}, 1008, "Expected 'auth' message"},
		{"/events/in", []string{`{"type":"auth","token":"wrong"}`}, 1008, "Invalid token"},
		{"/events/out", []string{`{"type":"auth","token":"admin:secret"}`, `{"type":"auth"}`}, 1002, "Expected 'filter' message"},
		{"/events/out", []string{`{"type":"auth","token":"admin:secret"}`, `{"type":"filter","filter":{"bogus":1}}`}, 1002, "unknown field"},
		{"/events/out", []string{`{"type":"auth","token":"admin:secret"}`, `{"type":"filter","filter":{"related":[{"bogus":1}]}}`}, 1002, "Extra inputs"},
	} {
		c, err := dial(t, url+s.path, "prefect")
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range s.frames {
			if i > 0 {
				hear(t, c)
			}
			say(t, c, f)
		}
		_, _, err = within(t, c)
		if websocket.CloseStatus(err) != s.code || !strings.Contains(err.Error(), s.reason) {
			t.Errorf("%s %v: %v, want %d %s", s.path, s.frames, err, s.code, s.reason)
		}
	}
}

// Events that were read are nobody else's: they wait for a database that is
// away, and so do those that follow.
func TestEventsWaitForTheDatabase(t *testing.T) {
	store := &eventStore{kept: make(chan []*core.Event, 10)}
	_, url := serveOn(t, store, "")
	c, err := dial(t, url+"/events/in")
	if err != nil {
		t.Fatal(err)
	}
	store.away.Store(3)
	for i := range 2 {
		b, _ := json.Marshal(event(fmt.Sprint("n.", i)))
		if err := c.Write(t.Context(), websocket.MessageText, b); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for end := time.After(30 * time.Second); got < 2; {
		select {
		case events := <-store.kept:
			got += len(events)
		case <-end:
			t.Fatalf("%d of 2 events were kept", got)
		}
	}
	if store.away.Load() > -1 {
		t.Error("the database was never away")
	}
}

// What a client has sent before it says goodbye is written, and a client that
// sends faster than is written loses nothing. The library answers the goodbye
// itself, so the last events may still be on their way then.
func TestEventsOfABurst(t *testing.T) {
	const n = 5*inBatch + 7
	store := &eventStore{kept: make(chan []*core.Event, n)}
	_, url := serveOn(t, store, "")
	c, err := dial(t, url+"/events/in")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		b, _ := json.Marshal(event(fmt.Sprint("n.", i)))
		if err := c.Write(t.Context(), websocket.MessageText, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	got := 0
	for end := time.After(30 * time.Second); got < n; {
		select {
		case events := <-store.kept:
			got += len(events)
		case <-end:
			t.Fatalf("%d events of %d", got, n)
		}
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	for i, e := range store.events {
		if e.Event != fmt.Sprint("n.", i) {
			t.Fatalf("%s stands at %d", e.Event, i)
		}
	}
}
