package access

import (
	"net/http"
	"net/netip"

	"github.com/flowlite/flowlite/runtime/core"
)

// Throttle bounds how often an address may be wrong about something other than
// credentials, such as the token of a webhook. A nil Throttle bounds nothing.
type Throttle struct{ guard *Guard }

// NewThrottle takes from c what tells the addresses of clients.
func NewThrottle(c Config) *Throttle {
	c.AuthString = "throttle" // a Guard without credentials is nil
	return &Throttle{New(c)}
}

// Check returns ETooMany if the address of r has been wrong too often.
func (t *Throttle) Check(r *http.Request) error {
	if t == nil {
		return nil
	}
	client, peer := t.guard.address(r)
	return t.guard.throttled(client, peer)
}

// Wrong counts that the address of r was wrong.
func (t *Throttle) Wrong(r *http.Request) {
	if t != nil {
		client, peer := t.guard.address(r)
		t.guard.wrong(client, peer)
	}
}

// throttled returns ETooMany if one of the addresses has been wrong too often.
func (g *Guard) throttled(client, peer netip.Addr) error {
	wait := g.guesses.wait(client)
	if peer != client && len(g.proxies) == 0 {
		wait = max(wait, g.relayed.wait(peer))
	}
	if wait > 0 {
		return &core.Error{Code: core.ETooMany, RetryAfter: wait.Seconds(),
			Message: "too many wrong credentials from this address; try again later"}
	}
	return nil
}

func (g *Guard) wrong(client, peer netip.Addr) {
	g.guesses.wrong(client)
	if peer != client {
		g.relayed.wrong(peer)
	}
}
