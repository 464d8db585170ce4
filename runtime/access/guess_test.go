package access

import (
	"bytes"
	"fmt"
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
	proxies, err := ParseProxies([]string{"9.9.9.9", "192.168.7.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	named := New(Config{AuthString: "a:b", BehindProxy: true, Proxies: proxies})
	for _, c := range []struct {
		g                       *Guard
		address, forwarded, was string
	}{
		{plain, "10.0.0.1:999", "", "10.0.0.1"}, {plain, "10.0.0.1:999", "1.2.3.4", "10.0.0.1"},
		{proxied, "10.0.0.1:999", "6.6.6.6, 1.2.3.4", "1.2.3.4"}, {proxied, "10.0.0.1:999", "", "10.0.0.1"},
		{proxied, "127.0.0.1:9", "6.6.6.6, 10.0.0.9", "10.0.0.9"}, {proxied, "[fd00::1]:9", "1.2.3.4:55", "1.2.3.4"},
		{proxied, "10.0.0.1:9", "6.6.6.6, unknown", "10.0.0.1"}, {proxied, "8.8.8.8:9", "1.2.3.4", "8.8.8.8"}, // went around the proxy
		{named, "10.0.0.1:9", "1.2.3.4", "10.0.0.1"}, {named, "9.9.9.9:9", "1.2.3.4", "1.2.3.4"}, {named, "9.9.9.9:9", "6.6.6.6, 1.2.3.4, 192.168.7.7", "1.2.3.4"},
		{named, "9.9.9.9:9", "192.168.1.1", "192.168.1.1"},
		{plain, "[2001:db8:1:2:3:4:5:6]:99", "", "2001:db8:1:2::"}, {plain, "[::ffff:10.0.0.1]:99", "", "10.0.0.1"},
	} {
		if got, _ := c.g.address(asker(c.address, c.forwarded, "")); got.String() != c.was {
			t.Errorf("%s forwarded for %q: %s, want %s", c.address, c.forwarded, got, c.was)
		}
	}
}

// One that goes around the proxy, or writes the header from the proxy's network, has
// a new address for each guess.
func TestGuessesWithForgedAddresses(t *testing.T) {
	for _, c := range []struct {
		peer string
		most int
	}{{"8.8.8.8:1", burst}, {"10.0.0.1:1", relayedBurst}, {"[::1]:1", relayedBurst}} {
		g := New(Config{AuthString: "admin:right", BehindProxy: true, Log: slog.New(slog.DiscardHandler)})
		now := time.Now()
		g.guesses.now, g.relayed.now = func() time.Time { return now }, func() time.Time { return now }
		looked := 0
		for i := range 1000 {
			if core.CodeOf(check(g, asker(c.peer, fmt.Sprintf("1.2.%d.%d", i/250, i%250), "admin:guess"))) == core.EUnauth {
				looked++
			}
		}
		if looked != c.most {
			t.Errorf("from %s: %d of 1,000 guesses were looked at, want %d", c.peer, looked, c.most)
		}
	}
	if _, err := ParseProxies([]string{"proxy.example"}); core.CodeOf(err) != core.EInvalid {
		t.Errorf("a name as proxy: %v", err)
	}
}

func TestStrangers(t *testing.T) {
	g := New(Config{AuthString: "admin:right"})
	var leave []func()
	admit := func(address string) error {
		l, err := g.Admit(asker(address, "", ""))
		if err == nil {
			leave = append(leave, l)
		}
		return err
	}
	for range maxStrangersOfAddress {
		if err := admit("10.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := admit("10.0.0.1:2"); core.CodeOf(err) != core.ETooMany {
		t.Errorf("one too many of an address: %v", err)
	}
	leave[0]()
	leave[0]()
	if err := admit("10.0.0.1:2"); err != nil {
		t.Errorf("after one left: %v", err)
	}
	if err := admit("10.0.0.1:2"); core.CodeOf(err) != core.ETooMany {
		t.Errorf("one left twice: %v", err)
	}
	n := maxStrangersOfAddress
	for ; n < 2*maxStrangers && admit(fmt.Sprintf("10.0.%d.%d:1", 1+n/250, n%250)) == nil; n++ {
	}
	if n != maxStrangers {
		t.Errorf("%d in all, want %d", n, maxStrangers)
	}
	for _, l := range leave {
		l()
	}
	if g.strangers.all != 0 || len(g.strangers.by) != 0 {
		t.Errorf("%d and %d are counted after all left", g.strangers.all, len(g.strangers.by))
	}
}

func TestHostForms(t *testing.T) {
	for _, h := range []*Hosts{NewHosts("127.0.0.1", "", false, "flows.example"), NewHosts("0.0.0.0", "", true, "*")} {
		for host, want := range map[string]bool{
			"localhost": true, "localhost:4200": true, "127.0.0.1:80": true, "[::1]": true, "[::1]:4200": true, "[::ffff:127.0.0.1]": true, "flows.example.": true,
			"[localhost]": false, "[127.0.0.1]": false, "[[127.0.0.1]]": false, "[[::1]]": false, "[::1]]": false, "[::1]x": false, "[::1": false, "::1]": false, "::1": false,
			"localhost]": false, "[localhost]:80": false, "localhost:80:80": false, "[]": false, "[::1]:1]": false, "[flows.example]": false, "127.0.0.1:[": false,
		} {
			if got := h.Knows(host); got != want {
				t.Errorf("%s is known: %v, want %v", host, got, want)
			}
		}
	}
}

func check(g *Guard, r *http.Request) error {
	_, err := g.Request(r)
	return err
}
