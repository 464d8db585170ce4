package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// Private are the addresses within private networks that blocks may reach: loopback,
// link-local ones such as a cloud's metadata service, those of RFC 1918 and RFC 4193,
// and others that are not public. The zero value is none of them, because whoever may write a block could
// otherwise ask, from the server, what only the server can.
type Private struct {
	all      bool
	hosts    map[string]bool
	prefixes []netip.Prefix
}

// ParsePrivate reads host names, addresses, prefixes such as 10.1.0.0/16, and "*",
// which is every address.
func ParsePrivate(list []string) (Private, error) {
	p := Private{hosts: map[string]bool{}}
	for _, text := range list {
		text = strings.ToLower(strings.TrimSpace(text))
		prefix, err := netip.ParsePrefix(text)
		if a, isAddress := netip.ParseAddr(text); isAddress == nil {
			prefix, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		switch {
		case text == "*":
			p.all = true
		case err == nil:
			p.prefixes = append(p.prefixes, prefix)
		case text == "" || strings.ContainsAny(text, "/: "):
			return p, fmt.Errorf("%q is neither a host name, an address, nor a prefix such as 10.1.0.0/16", core.HideURL(text))
		default:
			p.hosts[text] = true
		}
	}
	return p, nil
}

// check refuses an address that host, a name or the address itself, leads to.
func (p Private) check(host, address string, blockAllows bool) error {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("%q is not an address", address)
	}
	a = embedded(a.WithZone(""))
	if !isPrivate(a) {
		return nil
	}
	if !blockAllows {
		return errors.New("the URL leads to a private address, which the block does not allow")
	}
	if p.all || p.hosts[strings.ToLower(host)] {
		return nil
	}
	for _, prefix := range p.prefixes {
		if prefix.Contains(a) {
			return nil
		}
	}
	return errors.New("the URL leads to a private address; add its host to the private URLs that the server allows")
}

// reserved are prefixes that the public Internet does not route, beside those that
// netip knows: of RFC 6890, shared, benchmarked, and former site-local networks.
var reserved = prefixes(
	"0.0.0.0/8",
	"100.64.0.0/10",
	"192.0.0.0/24",
	"198.18.0.0/15",
	"240.0.0.0/4",
	"64:ff9b:1::/48",
	"100::/64",
	"2001::/23",
	"fec0::/10",
)

func prefixes(list ...string) (all []netip.Prefix) {
	for _, text := range list {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// isPrivate says whether an address, without one embedded, is no public one.
func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() ||
		slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(a) })
}

// carriers are the prefixes of IPv6 addresses that stand for one of IPv4: of NAT64,
// of 6to4, of what was called IPv4-compatible, and of stateless translation.
var carriers = map[netip.Prefix]int{
	netip.MustParsePrefix("64:ff9b::/96"):    12,
	netip.MustParsePrefix("2002::/16"):       2,
	netip.MustParsePrefix("::/96"):           12,
	netip.MustParsePrefix("::ffff:0:0:0/96"): 12,
}

// embedded returns the IPv4 address that a stands for, or a.
func embedded(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.IsLoopback() || a.IsUnspecified() {
		return a
	}
	for prefix, at := range carriers {
		if b := a.As16(); a.Is6() && prefix.Contains(a) {
			return netip.AddrFrom4([4]byte(b[at : at+4]))
		}
	}
	return a
}

// resolved checks what a host resolves to. What is not a host of the network, or is
// not found, is the service's own matter.
func (p Private) resolved(ctx context.Context, host string, blockAllows bool) error {
	addresses, _ := net.DefaultResolver.LookupHost(ctx, host)
	for _, a := range addresses {
		if err := p.check(host, a, blockAllows); err != nil {
			return err
		}
	}
	return nil
}

// transport checks each address that it connects to, also after a redirect. What a
// proxy connects to is the proxy's to decide.
func (p Private) transport(blockAllows bool) *http.Transport {
	t := &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		dialer := &net.Dialer{Timeout: dialFor, Control: func(_, to string, _ syscall.RawConn) error {
			ip, _, _ := net.SplitHostPort(to)
			if isProxy(http.ProxyFromEnvironment, address) {
				return nil
			}
			return p.check(host, ip, blockAllows)
		}}
		return dialer.DialContext(ctx, network, address)
	}
	return t
}

// isProxy says whether one of the proxies has this host and port.
func isProxy(proxies func(*http.Request) (*url.URL, error), address string) bool {
	for _, scheme := range []string{"http", "https"} {
		r, _ := http.NewRequest(http.MethodGet, scheme+"://a-public-name.example/", nil)
		if u, err := proxies(r); err == nil && u != nil {
			port := u.Port()
			if port == "" {
				port = map[string]string{"http": "80", "https": "443", "socks5": "1080"}[u.Scheme]
			}
			if net.JoinHostPort(u.Hostname(), port) == address {
				return true
			}
		}
	}
	return false
}
