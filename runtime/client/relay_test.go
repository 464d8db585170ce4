package client

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/core"
)

// relayTo is a relay to servers, with little patience.
func relayTo(t *testing.T, servers ...string) *Relay {
	t.Helper()
	r, err := NewRelay(strings.Join(servers, ","))
	if err != nil {
		t.Fatal(err)
	}
	r.patience = 300 * time.Millisecond
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop() })
	return r
}

// echo tells who answers to what.
func echo(name string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer c.CloseNow()
			_, b, err := c.Read(r.Context())
			if err == nil {
				_ = c.Write(r.Context(), websocket.MessageText, append([]byte(name+" "), b...))
			}
			return
		}
		b, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, strings.Join([]string{name, r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), string(b)}, " "))
	}))
}

func ask(t *testing.T, r *Relay, path, body string) (int, string) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", r.URL()+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Basic x")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

func TestRelay(t *testing.T) {
	a, b := echo("a"), echo("b")
	defer b.Close()
	r := relayTo(t, a.URL+"/api", b.URL+"/flowlite/api")
	want := func(code int, text string) {
		t.Helper()
		if c, got := ask(t, r, "/flows/filter?x=a%2Fb", "body"); c != code || !strings.HasPrefix(got, text) {
			t.Errorf("%d %s, want %d %s", c, got, code, text)
		}
	}
	want(200, "a POST /api/flows/filter?x=a%2Fb Basic x body")
	a.Close()
	for range 2 {
		want(200, "b POST /flowlite/api/flows/filter?x=a%2Fb Basic x body")
	}
	c, _, err := websocket.Dial(t.Context(), strings.Replace(r.URL(), "http", "ws", 1)+"/events/in", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(t.Context()); err != nil || string(got) != "b hello" {
		t.Errorf("over a websocket: %s, %v", got, err)
	}
	b.Close()
	want(503, `{"detail":"no server can be reached`)
}

// A server that says "not now" is asked again, with the whole request; one that
// has failed otherwise is believed.
func TestRelayWaits(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch n := asked.Add(1); {
		case string(b) == "fail":
			w.WriteHeader(500)
		case n < 3:
			w.WriteHeader(503)
		default:
			_, _ = w.Write(b)
		}
	}))
	defer s.Close()
	r := relayTo(t, s.URL+"/api")
	r.patience = time.Minute
	if code, got := ask(t, r, "/logs/", "all of it"); code != 200 || got != "all of it" || asked.Load() != 3 {
		t.Errorf("%d %q after %d", code, got, asked.Load())
	}
	if code, _ := ask(t, r, "/logs/", "fail"); code != 500 || asked.Load() != 4 {
		t.Errorf("%d after %d", code, asked.Load())
	}
	long := strings.Repeat("x", relayKept+1)
	if code, got := ask(t, r, "/logs/", long); code != 200 || got != long {
		t.Errorf("%d, %d bytes", code, len(got))
	}
}

func TestRelayRefuses(t *testing.T) {
	if _, err := NewRelay("nowhere"); core.CodeOf(err) != core.EInvalid {
		t.Error(err)
	}
}

// A web page can point its own name at the relay, which passes for a friend of the
// server: what it asks for is not passed on.
func TestRelayKnowsItsHost(t *testing.T) {
	srv := echo("a")
	t.Cleanup(srv.Close)
	r := relayTo(t, srv.URL+"/api")
	req, _ := http.NewRequestWithContext(t.Context(), "POST", r.URL()+"/flows/", strings.NewReader("{}"))
	req.Host = "evil.example"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Error(res.StatusCode)
	}
}
