package access

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// An address may be wrong burst times at once and then once every refill. Until
// then its credentials are not even looked at: an answer that comes only to the
// right ones would be as good as a guess.
const (
	burst  = 10
	refill = 2 * time.Second
	// tellEvery bounds the warnings about one address.
	tellEvery = time.Minute
	// manyAddresses is how many are remembered before those that have recovered are forgotten.
	manyAddresses = 10_000
)

// guesses counts wrong credentials by address.
type guesses struct {
	log *slog.Logger
	now func() time.Time

	mu sync.Mutex
	by map[netip.Addr]*guesser
}

type guesser struct {
	until time.Time // when all is forgiven: each wrong one adds refill
	told  time.Time
	count int // since told
}

func newGuesses(log *slog.Logger) *guesses {
	return &guesses{log: log, now: time.Now, by: map[netip.Addr]*guesser{}}
}

// wait is how long the address has to, 0 if it may try.
func (g *guesses) wait(a netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.by[a]
	if e == nil {
		return 0
	}
	return max(0, e.until.Sub(g.now())-(burst-1)*refill)
}

func (g *guesses) wrong(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	e := g.by[a]
	if e == nil {
		if len(g.by) >= manyAddresses {
			for k, old := range g.by {
				if old.until.Before(now) {
					delete(g.by, k)
				}
			}
		}
		e = &guesser{}
		g.by[a] = e
	}
	if e.until.Before(now) {
		e.until = now
	}
	e.until = e.until.Add(refill)
	if e.count++; now.Sub(e.told) >= tellEvery {
		g.log.Warn("authentication failed", "address", a, "attempts", e.count)
		e.told, e.count = now, 0
	}
}

// address is that of the client: an IPv6 one stands for its network of 64 bits,
// because a client chooses the rest.
func (g *Guard) address(r *http.Request) netip.Addr {
	text := r.RemoteAddr
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	if g.behindProxy {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			text = strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
			if host, _, err := net.SplitHostPort(text); err == nil {
				text = host
			}
			text = strings.Trim(text, "[]")
		}
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}
