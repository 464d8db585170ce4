package views

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views/static"
)

// Page is what every page needs.
type Page struct {
	Title, Nav, Theme string
	Now               core.Time
	Loc               *time.Location
	Version, Engine   string
	Running           int64 // runs, shown in the navigation
	PoolsDown         int
	Flash             []Toast
	Refresh           bool   // without JavaScript the page reloads itself
	Path              string // of the request, below the base path
	Zone              string // the name of Loc, if the page can be loaded again for another zone
}

// Toast is a passing message.
type Toast struct{ State, Text, Href, Link string }

type serverKey struct{}

// WithServer sets the path under which the UI is served, "" or "/flowlite", and
// the address that commands need to find the server; "" if none.
func WithServer(ctx context.Context, base, address string) context.Context {
	return context.WithValue(ctx, serverKey{}, [2]string{base, address})
}

type zoneKey struct{}

// WithZone sets the zone that the times of forms are in.
func WithZone(ctx context.Context, loc *time.Location) context.Context {
	return context.WithValue(ctx, zoneKey{}, loc)
}

func zoneOf(ctx context.Context) string {
	loc, _ := ctx.Value(zoneKey{}).(*time.Location)
	return loc.String()
}

// here is a command of ours that finds this server.
func here(ctx context.Context, command string) string {
	if at, _ := ctx.Value(serverKey{}).([2]string); at[1] != "" && strings.HasPrefix(command, "flowlite ") {
		return command + " --api-url " + at[1] + "/api"
	}
	return command
}

// Path puts the base path before a path of ours. Every address goes through
// it or URL, so that the UI works behind a proxy in any folder.
func Path(ctx context.Context, path string) string {
	at, _ := ctx.Value(serverKey{}).([2]string)
	return at[0] + path
}

// URL is Path for href and action attributes.
func URL(ctx context.Context, path string) templ.SafeURL { return templ.SafeURL(Path(ctx, path)) }

func asset(ctx context.Context, name string) string { return Path(ctx, static.Path(name)) }

func icon(ctx context.Context, name string) string { return asset(ctx, "icons.svg") + "#" + name }
