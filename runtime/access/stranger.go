package access

import (
	"net/http"
	"net/netip"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// How many websockets may be open whose clients have not yet shown credentials, of
// one address and of all. Clients show them within milliseconds.
const (
	maxStrangers          = 1000
	maxStrangersOfAddress = 50
)

// strangers counts open websockets without credentials by address.
type strangers struct {
	mu  sync.Mutex
	all int
	by  map[netip.Addr]int
}

// Admit counts the websocket of r, whose client has yet to show its credentials,
// until leave is called, once or more often. ETooMany if there are too many.
func (g *Guard) Admit(r *http.Request) (leave func(), err error) {
	client, _ := g.address(r)
	s := &g.strangers
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStrangers || s.by[client] >= maxStrangersOfAddress {
		return nil, &core.Error{Code: core.ETooMany, RetryAfter: 1, Message: "too many websockets wait for credentials; try again in a moment"}
	}
	s.all++
	s.by[client]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.by[client]--; s.by[client] == 0 {
			delete(s.by, client)
		}
	}), nil
}
