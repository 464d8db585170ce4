package access

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// An address may be wrong burst times at once and then once every refill. Until
// then its credentials are not even looked at: an answer that comes only to the
// right ones would be as good as a guess.
const (
	burst  = 10
	refill = 2 * time.Second
	// Behind a proxy are many clients. These bounds hold for one that writes other
	// addresses into X-Forwarded-For from a private network.
	relayedBurst  = 100
	relayedRefill = 100 * time.Millisecond
	// tellEvery bounds the warnings about one address.
	tellEvery = time.Minute
	// manyAddresses is how many are remembered before those that have recovered are forgotten.
	manyAddresses = 10_000
)

// guesses counts wrong credentials by address.
type guesses struct {
	log    *slog.Logger
	now    func() time.Time
	burst  time.Duration // in wrong ones
	refill time.Duration

	mu sync.Mutex
	by map[netip.Addr]*guesser
}

type guesser struct {
	until time.Time // when all is forgiven: each wrong one adds refill
	told  time.Time
	count int // since told
}

func newGuesses(log *slog.Logger, burst int, refill time.Duration) *guesses {
	return &guesses{log: log, now: time.Now, burst: time.Duration(burst), refill: refill, by: map[netip.Addr]*guesser{}}
}

// wait is how long the address has to, 0 if it may try.
func (g *guesses) wait(a netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.by[a]
	if e == nil {
		return 0
	}
	return max(0, e.until.Sub(g.now())-(g.burst-1)*g.refill)
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
	e.until = e.until.Add(g.refill)
	if e.count++; now.Sub(e.told) >= tellEvery {
		g.log.Warn("authentication failed", "address", a, "attempts", e.count)
		e.told, e.count = now, 0
	}
}

// address is that of the client, and that of its connection, which differs behind a
// proxy.
func (g *Guard) address(r *http.Request) (client, peer netip.Addr) {
	peer = parseAddress(r.RemoteAddr)
	client = peer
	if !g.behindProxy {
		return network(client), network(peer)
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && g.isProxy(client); i-- {
		a := parseAddress(strings.TrimSpace(forwarded[i]))
		if !a.IsValid() {
			break
		}
		client = a
		if len(g.proxies) == 0 { // the client of a private proxy may be private, too
			break
		}
	}
	return network(client), network(peer)
}

// isProxy says whether a request from the address may name another one.
func (g *Guard) isProxy(a netip.Addr) bool {
	if len(g.proxies) == 0 {
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
	}
	return slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseAddress reads an address with or without a port; the zero Addr is none.
func parseAddress(text string) netip.Addr {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	a, _ := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone("")
}

// network is the address, or of IPv6 its network of 64 bits: a client chooses the rest.
func network(a netip.Addr) netip.Addr {
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

// ParseProxies reads addresses and prefixes such as 10.1.0.0/16.
func ParseProxies(list []string) (all []netip.Prefix, err error) {
	for _, text := range list {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if a, isAddress := netip.ParseAddr(text); isAddress == nil {
			a = a.Unmap().WithZone("")
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, core.Errorf(core.EInvalid, "the trusted proxy %q is neither an address nor a prefix such as 10.1.0.0/16", core.HideURL(text))
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
