package access

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Hosts are the names under which a server answers. A web page can point a name of
// its own at 127.0.0.1 and then reads and writes there as if it were at home (DNS
// rebinding); what it cannot change is the name that the browser sends.
type Hosts struct {
	any       bool
	addresses bool // any IP address will do: a page that was loaded from one cannot rebind it
	names     map[string]bool
	// Advice ends the answer to other names: what to set so that a name is allowed.
	Advice string
}

// NewHosts takes the address that the server listens on, its public URL, and
// further names; ".example.com" stands for every name below it, "*" for any name.
// asks is whether the server asks for credentials.
func NewHosts(listen, publicURL string, asks bool, more ...string) *Hosts {
	h := &Hosts{names: map[string]bool{"localhost": true}}
	own := strings.ToLower(strings.Trim(listen, "[]"))
	h.names[own] = true
	if !Loopback(listen) {
		h.addresses = true
		// A browser that was misled to another name sends it no credentials.
		h.any = asks
	}
	if u, err := url.Parse(publicURL); err == nil && u.Hostname() != "" {
		h.names[strings.ToLower(u.Hostname())] = true
	}
	for _, name := range more {
		if name == "*" {
			h.any = true
		}
		h.names[strings.ToLower(strings.Trim(strings.TrimSpace(name), "[]"))] = true
	}
	return h
}

// Knows says whether host, as a request has it, with or without a port, is a name
// of this server.
func (h *Hosts) Knows(host string) bool {
	name, ok := hostname(host)
	if !ok {
		return false
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if h.any || h.names[name] {
		return true
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return h.addresses || ip.Unmap().IsLoopback()
	}
	for at := strings.IndexByte(name, '.'); at >= 0; {
		if h.names[name[at:]] {
			return true
		}
		next := strings.IndexByte(name[at+1:], '.')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return false
}

// hostname cuts the port and the brackets of an IPv6 address off a Host header.
// Brackets around or within anything else are no host's.
func hostname(host string) (name string, ok bool) {
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		name, port, closed := strings.Cut(inner, "]")
		a, err := netip.ParseAddr(name)
		return name, closed && err == nil && a.Is6() && (port == "" || port[0] == ':' && !strings.ContainsAny(port[1:], ":[]"))
	}
	name, port, _ := strings.Cut(host, ":")
	return name, !strings.ContainsAny(name, "[]") && !strings.ContainsAny(port, ":[]")
}

// Handler answers 421 to requests under foreign names; paths in open are answered
// to anybody, because load balancers ask for them under any name.
func (h *Hosts) Handler(next http.Handler, open ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.Knows(r.Host) {
			if slices.Contains(open, r.URL.Path) {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusMisdirectedRequest)
			_, _ = w.Write(
				[]byte(`{"detail":"` + strings.TrimSpace("This server does not answer under the host name of this request. "+h.Advice) + `"}`),
			)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Loopback says whether only this machine reaches what listens on host.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}
