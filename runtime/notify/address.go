package notify

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// Private are the addresses within private networks that blocks may reach: loopback,
// link-local ones such as a cloud's metadata service, and those of RFC 1918 and RFC
// 4193. The zero value is none of them, because whoever may write a block could
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
	a = a.Unmap().WithZone("")
	if !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() && !a.IsMulticast() {
		return nil
	}
	if !blockAllows {
		return fmt.Errorf("the URL leads to a private address, which the block does not allow")
	}
	if p.all || p.hosts[strings.ToLower(host)] {
		return nil
	}
	for _, prefix := range p.prefixes {
		if prefix.Contains(a) {
			return nil
		}
	}
	return fmt.Errorf("the URL leads to a private address; start the server with --private-url HOST (FLOWLITE_PRIVATE_URLS) to allow it")
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
			if isProxy(address) {
				return nil
			}
			return p.check(host, ip, blockAllows)
		}}
		return dialer.DialContext(ctx, network, address)
	}
	return t
}

// isProxy says whether the environment names the host and port as its proxy.
func isProxy(address string) bool {
	for _, scheme := range []string{"http", "https"} {
		r, _ := http.NewRequest(http.MethodGet, scheme+"://a-public-name.example/", nil)
		if u, err := http.ProxyFromEnvironment(r); err == nil && u != nil {
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
