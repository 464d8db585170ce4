package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/api"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui"
)

// door is a way into a server: a line of the API's table of routes, or of the UI's.
type door struct {
	method, path string
	open, socket bool
	runs         string // what the credentials of a flow run reach
}

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// patterns are the lines of the tables.
func patterns(s *Server) (all []door) {
	for _, o := range api.New(api.Config{
		Runs: s.service.Service, Limits: s.service.Limits, Blocks: s.service.Blocks, Automations: s.service.Automations, Variables: s.service.Variables,
		Artifacts: s.service.Artifacts, SavedSearches: s.service.SavedSearches, Logs: s.service.Logs, Events: s.service.Events, Retention: s.service.Trimmer, Store: api.StoreOf(s.store), Bus: s.bus}).Operations() {
		all = append(all, door{o.Method, o.Path, o.Open, o.Socket, o.Runs})
	}
	for _, p := range ui.New(ui.Config{Services: pageServices(s.service), Store: ui.StoreOf(s.store), Bus: s.bus}).Patterns() {
		method, path, _ := strings.Cut(p, " ")
		all = append(all, door{method: method, path: strings.TrimSuffix(path, "{$}")})
	}
	return all
}

// doors are all of them, so that a new route cannot be forgotten.
func doors(t *testing.T, s *Server) []door {
	t.Helper()
	return doorsTo(t, s, func(string) core.UUID { return core.NewID() })
}

// doorsTo has an id in its paths that depends on what runs reach by it.
func doorsTo(t *testing.T, s *Server, id func(runs string) core.UUID) []door {
	t.Helper()
	all := patterns(s)
	for i := range all {
		all[i].path = wildcard.ReplaceAllString(all[i].path, id(all[i].runs).String())
	}
	all = append(all, door{method: "GET", path: "/static/app.css"}, door{method: "GET", path: "/no/such/page"}, door{method: "GET", path: "/api/no/such/route", runs: "any"})
	if len(all) < 250 {
		t.Fatalf("only %d routes", len(all))
	}
	return all
}

// knock asks without reading more than the head of the answer: some are streams.
func knock(t *testing.T, base string, d door, change func(r *http.Request)) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	body := ""
	if d.method != http.MethodGet {
		body = "{}"
	}
	r, err := http.NewRequestWithContext(ctx, d.method, base+d.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if d.socket {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-WebSocket-Version", "13")
		r.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	}
	if change != nil {
		change(r)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", d.method, d.path, err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

var transport = &http.Transport{}

func secured(t *testing.T) *Server {
	cfg := testConfig(t)
	cfg.AuthString = "admin:a-long-secret"
	return start(t, cfg)
}

func TestEveryDoorAsksForCredentials(t *testing.T) {
	s := secured(t)
	webhooks := 0
	for _, d := range doors(t, s) {
		want := http.StatusUnauthorized
		switch {
		case d.open && strings.HasPrefix(d.path, "/api/webhooks/"): // the token in the path is the credential
			if want = http.StatusNotFound; webhooks >= 10 {
				want = http.StatusTooManyRequests
			}
			webhooks++
		case d.open:
			want = http.StatusOK
		}
		if got := knock(t, s.url, d, nil); got != want {
			t.Errorf("%s %s without credentials: %d, want %d", d.method, d.path, got, want)
		}
		if d.open {
			continue
		}
		for _, method := range []string{d.method, "GET", "DELETE", "HEAD"} {
			other := d
			other.method, other.socket = method, true
			if got := knock(t, s.url, other, nil); got != want {
				t.Errorf("%s %s as an upgrade: %d, want %d", method, d.path, got, want)
			}
		}
		if d.socket {
			greetWrongly(t, s.url, d)
		}
	}
}

// greetWrongly offers the subprotocol, with which credentials come in the first frame.
func greetWrongly(t *testing.T, base string, d door) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, frame := range []string{`{"type":"auth"}`, `{"type":"auth","token":null}`, `{"type":"auth","token":""}`, `{"type":"filter"}`, `{"event":"x"}`} {
		c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(base, "http")+d.path, &websocket.DialOptions{Subprotocols: []string{"prefect"}})
		if err != nil {
			t.Errorf("%s: %v", d.path, err)
			return
		}
		if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
			t.Errorf("%s: %v", d.path, err)
		}
		_, answer, err := c.Read(ctx)
		if code := websocket.CloseStatus(err); code != websocket.StatusPolicyViolation {
			t.Errorf("%s greeted with %s: closed with %d, %q, %v; want 1008", d.path, frame, code, answer, err)
		}
		_ = c.CloseNow()
	}
}

func TestEveryDoorKnowsItsHost(t *testing.T) {
	s := start(t, testConfig(t))
	port := s.url[strings.LastIndex(s.url, ":"):]
	for _, d := range doors(t, s) {
		for _, host := range []string{"evil.example", "evil.example" + port, "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"} {
			want := http.StatusMisdirectedRequest
			if d.open && (d.path == "/api/health" || d.path == "/api/ready") {
				want = http.StatusOK
			}
			if got := knock(t, s.url, d, func(r *http.Request) { r.Host = host }); got != want {
				t.Errorf("%s %s at %s: %d, want %d", d.method, d.path, host, got, want)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST" + port, "127.0.0.1", "127.8.8.8" + port, "[::1]" + port, "localhost."} {
		if got := knock(t, s.url, door{method: "GET", path: "/dashboard"}, func(r *http.Request) { r.Host = host }); got != http.StatusOK {
			t.Errorf("at %s: %d", host, got)
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	for _, c := range []struct {
		change  func(*Config)
		known   []string
		foreign []string
	}{
		{func(c *Config) { c.AllowedHosts = []string{"flows.example", ".svc.example"} }, []string{"flows.example", "a.svc.example", "a.b.svc.example:80"}, []string{"x.flows.example", "svc.example", "asvc.example"}},
		{func(c *Config) { c.PublicURL = "https://flows.example/x" }, []string{"flows.example", "localhost"}, []string{"example"}},
		{func(c *Config) { c.AllowedHosts = []string{"*"} }, []string{"any.example"}, nil},
		{func(c *Config) { c.Host, c.NoAuth = "0.0.0.0", true }, []string{"10.1.2.3", "[fd00::1]:80", "localhost"}, []string{"evil.example"}},
		{func(c *Config) { c.Host, c.AuthString = "0.0.0.0", "admin:secret" }, []string{"any.example"}, nil},
	} {
		cfg := testConfig(t)
		c.change(&cfg)
		s := start(t, cfg)
		for i, host := range append(c.known, c.foreign...) {
			got := knock(t, s.url, door{method: "GET", path: "/api/version"}, func(r *http.Request) { r.Host = host })
			if foreign := got == http.StatusMisdirectedRequest; foreign != (i >= len(c.known)) {
				t.Errorf("a server for %v at %s: %d", c.known, host, got)
			}
		}
	}
}

func TestNoDoorForOtherOrigins(t *testing.T) {
	open, locked := start(t, testConfig(t)), secured(t)
	for _, s := range []*Server{open, locked} {
		for _, d := range doors(t, s) {
			foreign := func(r *http.Request) {
				r.Header.Set("Origin", "https://evil.example")
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				if s == locked {
					r.SetBasicAuth("admin", "a-long-secret")
				}
			}
			got := knock(t, s.url, d, foreign)
			if (d.method != http.MethodGet || d.socket) && got != http.StatusForbidden {
				t.Errorf("%s %s from another origin: %d, want 403", d.method, d.path, got)
			}
			if s == open {
				continue
			}
			r := httptest.NewRequest(http.MethodOptions, s.url+d.path, nil)
			r.RequestURI = ""
			r.Header.Set("Access-Control-Request-Method", d.method)
			foreign(r)
			res, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			for name := range res.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s: a preflight of another origin gets %s", d.method, d.path, name)
				}
			}
		}
	}
}

// TestSocketsWithoutCredentials: they are few, and say little.
func TestSocketsWithoutCredentials(t *testing.T) {
	s := secured(t)
	dial := func(path string) (*websocket.Conn, int) {
		c, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+path, &websocket.DialOptions{Subprotocols: []string{"prefect"}})
		if err != nil {
			return nil, res.StatusCode
		}
		t.Cleanup(func() { _ = c.CloseNow() })
		return c, res.StatusCode
	}
	var sockets []door
	for _, d := range doors(t, s) {
		if d.socket {
			sockets = append(sockets, d)
			c, status := dial(d.path)
			if c == nil {
				t.Fatalf("%s: %d", d.path, status)
			}
			long := `{"type":"auth","token":"` + strings.Repeat("x", 16<<10) + `"}`
			if err := c.Write(t.Context(), websocket.MessageText, []byte(long)); err != nil {
				t.Errorf("%s: %v", d.path, err)
			}
			if _, answer, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
				t.Errorf("%s greeted with %d bytes: %q, %v; want 1009", d.path, len(long), answer, err)
			}
		}
	}
	var first *websocket.Conn
	for n, refused := 0, 0; refused < 2*len(sockets); n++ {
		path := sockets[n%len(sockets)].path
		switch c, status := dial(path); {
		case c == nil && status != http.StatusTooManyRequests:
			t.Fatalf("%s: %d", path, status)
		case c == nil:
			refused++
		case n > 200 || refused > 0:
			t.Fatalf("%s is opened after %d others", path, n)
		case path == "/api/events/out" && first == nil:
			first = c
		}
	}
	// A client with credentials is let in all the same, and who shows them makes room.
	if got := knock(t, s.url, door{method: "GET", path: "/api/events/out", socket: true}, as("admin:a-long-secret", true)); got != http.StatusSwitchingProtocols {
		t.Errorf("a socket with credentials: %d", got)
	}
	if err := first.Write(t.Context(), websocket.MessageText, []byte(`{"type":"auth","token":"admin:a-long-secret"}`)); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := first.Read(t.Context()); err != nil || !strings.Contains(string(answer), "auth_success") {
		t.Fatalf("%q, %v", answer, err)
	}
	if c, status := dial("/api/events/out"); c == nil {
		t.Errorf("after one showed its credentials: %d", status)
	}
}
