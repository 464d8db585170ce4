package client

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config says where the server is.
type Config struct {
	// URL ends in /api, which may be left away. Of several, separated by commas,
	// one is used until it does not answer, and then the next.
	URL        string
	AuthString string
	HTTP       *http.Client // nil: one with keep-alive and no overall timeout
	// Answer is how long a server that has taken a request may be silent; 0 is a
	// minute, twice as long as a server keeps anybody waiting for news.
	Answer time.Duration
	// Patience is how long a server that cannot be reached, or that answers
	// "not now", is tried again: 0 is 3 s, negative not at all.
	Patience time.Duration
}

// Client is safe for concurrent use.
type Client struct {
	servers  []string
	at       atomic.Int32 // index of the one in use
	auth     string
	token    string // what websockets are told
	http     *http.Client
	patience time.Duration
	csrf     csrf
	wrong    error // the address's
}

func New(c Config) *Client {
	cl := &Client{
		servers:  Servers(c.URL),
		wrong:    CheckServers(c.URL),
		http:     c.HTTP,
		patience: c.Patience,
		csrf:     csrf{client: core.NewID().String()},
	}
	if c.AuthString != "" {
		cl.token = c.AuthString
		cl.auth = "Basic " + basic(c.AuthString)
	}
	if cl.patience == 0 {
		cl.patience = 3 * time.Second
	}
	if cl.http == nil {
		cl.http = &http.Client{Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			// Many task goroutines share one server: idle connections are kept for all.
			MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second,
			ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: cmp.Or(c.Answer, time.Minute),
		}}
	}
	return cl
}

// Servers are the addresses of a list with commas. One that names a server and
// not its API is completed, because people copy it from the browser.
func Servers(list string) []string {
	var all []string
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimRight(strings.TrimSpace(one), "/"); one == "" {
			continue
		}
		path := one
		if u, err := url.Parse(one); err == nil {
			path = u.Path // not the host, which may be called api
		}
		if !strings.HasSuffix(path, "/api") {
			one += "/api"
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		all = []string{""}
	}
	return all
}

// CheckServers says what is wrong with a list of addresses.
func CheckServers(list string) error {
	for _, one := range Servers(list) {
		if u, err := url.Parse(
			one,
		); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" ||
			u.Fragment != "" {
			return core.Errorf(
				core.EInvalid,
				"%q is not the address of a server; it looks like http://127.0.0.1:4200/api",
				core.HideURL(strings.TrimSuffix(one, "/api")),
			)
		}
	}
	return nil
}

// URL is where the API is: of several servers, the one that answered last.
func (c *Client) URL() string { return c.servers[c.at.Load()] }

// leave goes on to the server after one that does not answer, unless somebody
// has done so already.
func (c *Client) leave(server string) {
	at := c.at.Load()
	if c.servers[at] == server {
		c.at.CompareAndSwap(at, (at+1)%int32(len(c.servers)))
	}
}

func (c *Client) Health(ctx context.Context) error { return c.get(ctx, "/health", nil) }

// Version is the API's version as the server tells it, "3.4.9".
func (c *Client) Version(ctx context.Context) (v string, err error) {
	return v, c.get(ctx, "/admin/version", &v)
}

func seconds(s core.Seconds) string { return strconv.FormatFloat(float64(s), 'f', -1, 64) }

func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(core.PathSegment(p))
	}
	return b.String()
}

var (
	_ core.Orchestrator     = (*Client)(nil)
	_ core.PoolOrchestrator = (*Client)(nil)
)
