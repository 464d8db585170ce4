package client_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

// TestServers: of several servers one is used until it does not answer.
func TestServers(t *testing.T) {
	var asked [2]atomic.Int64
	var mood atomic.Value // of the first
	mood.Store("well")
	end := make(chan struct{})
	var urls []string
	for i := range asked {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked[i].Add(1)
			switch {
			case i == 1 || mood.Load() == "well":
				_, _ = w.Write([]byte(`{"held":[]}`))
			case mood.Load() == "stopping":
				w.WriteHeader(http.StatusServiceUnavailable)
			case mood.Load() == "frozen":
				select {
				case <-end:
				case <-r.Context().Done():
				}
			}
		}))
		t.Cleanup(srv.Close)
		urls = append(urls, srv.URL+"/api")
	}
	t.Cleanup(func() { close(end) }) // before the servers close, which wait for it
	list := urls[0] + "/, " + urls[1]
	at := func(c *client.Client, want string) {
		t.Helper()
		if c.URL() != want {
			t.Errorf("the client is at %s, want %s", c.URL(), want)
		}
	}
	c := client.New(client.Config{URL: list, Patience: -1})
	for range 3 {
		if err := c.Health(t.Context()); err != nil && asked[0].Load() == 0 {
			t.Fatal(err)
		}
	}
	at(c, urls[0])
	if n := asked[1].Load(); n != 0 {
		t.Errorf("the second was asked %d times while the first answered", n)
	}

	mood.Store("stopping")
	if _, err := c.RenewLeases(t.Context(), core.NewID()); err != nil {
		t.Errorf("a request that may be repeated was not sent to the second: %v", err)
	}
	at(c, urls[1])
	c = client.New(client.Config{URL: list, Patience: -1})
	before := asked[1].Load()
	if _, err := c.Poll(t.Context(), core.PollRequest{Pool: "p"}); core.CodeOf(err) != core.EUnavailable {
		t.Errorf("a claim may have been made, and is asked for again: %v", err)
	}
	if asked[1].Load() != before {
		t.Error("a poll was repeated")
	}
	at(c, urls[1]) // but the next goes there

	mood.Store("frozen")
	c = client.New(client.Config{URL: list, Patience: -1})
	began := time.Now()
	if _, err := c.RenewLeases(t.Context(), core.NewID()); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > core.LeaseSeconds.Duration() {
		t.Errorf("a frozen server was left after %s: the leases are gone", d)
	}
	at(c, urls[1])

	// Nobody listens at the first address: nothing was sent, so all may be repeated.
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c = client.New(client.Config{URL: gone.URL + "/api," + urls[1], Patience: -1})
	if _, err := c.Poll(t.Context(), core.PollRequest{Pool: "p"}); err != nil {
		t.Error(err)
	}
	at(c, urls[1])
	c = client.New(client.Config{URL: gone.URL + "/api," + gone.URL + "/api", Patience: -1})
	if err := c.Health(t.Context()); core.CodeOf(err) != core.EUnavailable {
		t.Error(err)
	}
}
