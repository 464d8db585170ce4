package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

// api is the client, and another one that waits out a restart of the server.
type api struct {
	base          string
	once, patient *client.Client
	long          *client.Client // for changes, which may take a server long
}

func newAPI(base, auth string) *api {
	return &api{base: client.Servers(base)[0],
		once:    client.New(client.Config{URL: base, AuthString: auth, Patience: -1, Answer: 30 * time.Second}),
		long:    client.New(client.Config{URL: base, AuthString: auth, Patience: -1, Answer: 10 * time.Minute}),
		patient: client.New(client.Config{URL: base, AuthString: auth, Patience: time.Minute})}
}

// page of the UI for a path.
func (c *api) page(path string) string { return strings.TrimSuffix(c.base, "/api") + path }

// where is the server as an error names it: its profile and address.
func (a *app) where() string { return fmt.Sprintf("%s (%s)", a.profile, a.api.page("")) }

func (c *api) call(ctx context.Context, method, path string, body any) (core.JSON, error) {
	ask := c.long
	if method == "GET" || strings.HasSuffix(path, "/filter") || strings.HasSuffix(path, "/count") {
		ask = c.once
	}
	raw, err := ask.Raw(ctx, method, path, body)
	return core.JSON(raw), c.explain(err)
}

// explain gives an error that nobody answers its exit code.
func (c *api) explain(err error) error {
	if wrong := client.CheckServers(c.base); wrong != nil {
		return &failure{
			code: exitUsage,
			what: wrong.Error(),
			hint: "say --api-url, set FLOWLITE_API_URL, or choose another profile: flowlite profile ls",
		}
	}
	if client.Silent(err) {
		return &failure{code: exitUnreachable, what: "the server at " + core.HideURL(c.base) + " has taken the request and does not answer",
			hint: "it may be busy, and do what was asked all the same; flowlite server status tells whether it answers at all"}
	}
	if client.Unreachable(err) {
		f := &failure{code: exitUnreachable, what: "no server answers at " + core.HideURL(c.base), why: client.Cause(err),
			hint: "set FLOWLITE_API_URL, or choose another profile: flowlite profile ls"}
		if u, err := url.Parse(c.base); err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
			f.hint = "start one: flowlite up, or in the background flowlite server start -b; another address: FLOWLITE_API_URL"
		}
		return f
	}
	return err
}

// ask decodes the answer beside keeping it as it came, because -o json prints it.
func ask[T any](a *app, method, path string, body any) (v T, raw core.JSON, err error) {
	raw, err = a.api.call(a.ctx, method, path, body)
	if err != nil || len(raw) == 0 {
		return v, raw, err
	}
	if err = json.Unmarshal(raw, &v); err != nil {
		err = fmt.Errorf("%s answered what is not a flowlite API: %w", core.HideURL(a.api.base)+path, err)
	}
	return v, raw, err
}

func esc(s string) string { return core.PathSegment(s) }
