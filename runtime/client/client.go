package client

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config says where the server is.
type Config struct {
	URL        string // ends in /api
	AuthString string
	HTTP       *http.Client // nil: one with keep-alive and no overall timeout
	// Patience is how long a server that cannot be reached, or that answers
	// "not now", is tried again: 0 is 3 s, negative not at all.
	Patience time.Duration
}

// Client is safe for concurrent use.
type Client struct {
	base     string
	auth     string
	token    string // what websockets are told
	http     *http.Client
	patience time.Duration
	csrf     csrf
}

func New(c Config) *Client {
	cl := &Client{base: strings.TrimRight(c.URL, "/"), http: c.HTTP, patience: c.Patience, csrf: csrf{client: core.NewID().String()}}
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
			ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
		}}
	}
	return cl
}

// URL is where the API is.
func (c *Client) URL() string { return c.base }

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
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

var _ core.Orchestrator = (*Client)(nil)
