package access

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func asker(address, forwarded, auth string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = address
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	user, password, _ := strings.Cut(auth, ":")
	r.SetBasicAuth(user, password)
	return r
}

func TestGuesses(t *testing.T) {
	var log bytes.Buffer
	g := New(Config{AuthString: "admin:right", Log: slog.New(slog.NewTextHandler(&log, nil))})
	now := time.Now()
	g.guesses.now = func() time.Time { return now }
	wrong := 0
	for range 1000 {
		if code := core.CodeOf(check(g, asker("10.0.0.1:999", "", "admin:guess"))); code == core.EUnauth {
			wrong++
		} else if code != core.ETooMany {
			t.Fatal(code)
		}
	}
	if wrong != burst {
		t.Errorf("%d of 1,000 guesses were looked at, want %d", wrong, burst)
	}
	if lines := strings.Count(log.String(), "authentication failed"); lines != 1 || !strings.Contains(log.String(), "10.0.0.1") {
		t.Errorf("the log has %d lines: %s", lines, log.String())
	}
	if err := check(g, asker("10.0.0.1:1", "", "admin:right")); core.CodeOf(err) != core.ETooMany {
		t.Errorf("the right credentials tell a guesser that it was right: %v", err)
	}
	if err := check(g, asker("10.0.0.2:1", "", "admin:right")); err != nil {
		t.Errorf("another address: %v", err)
	}
	now = now.Add(refill)
	if err := check(g, asker("10.0.0.1:1", "", "admin:right")); err != nil {
		t.Errorf("after a while: %v", err)
	}
}

// One client has many addresses of IPv6, and any address that it writes into a
// header that no proxy has written.
func TestAddressOfAClient(t *testing.T) {
	plain, proxied := New(Config{AuthString: "a:b"}), New(Config{AuthString: "a:b", BehindProxy: true})
	for _, c := range []struct {
		g                       *Guard
		address, forwarded, was string
	}{
		{plain, "10.0.0.1:999", "", "10.0.0.1"}, {plain, "10.0.0.1:999", "1.2.3.4", "10.0.0.1"},
		{proxied, "10.0.0.1:999", "6.6.6.6, 1.2.3.4", "1.2.3.4"}, {proxied, "10.0.0.1:999", "", "10.0.0.1"},
		{plain, "[2001:db8:1:2:3:4:5:6]:99", "", "2001:db8:1:2::"}, {plain, "[::ffff:10.0.0.1]:99", "", "10.0.0.1"},
	} {
		if got := c.g.address(asker(c.address, c.forwarded, "")).String(); got != c.was {
			t.Errorf("%s forwarded for %q: %s, want %s", c.address, c.forwarded, got, c.was)
		}
	}
}

func check(g *Guard, r *http.Request) error {
	_, err := g.Request(r)
	return err
}
