package flowlite

import (
	"context"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Connection runs flows on a server from outside. Its contexts say which one:
// hand the result of Context to Flow.Run, RunDeployment, Variable and the rest.
type Connection struct{ engine *engine.Engine }

// Connect returns a Connection to the server at url, "http://host:4200/api". Of
// several, separated by commas, one is used until it stops responding, and then
// the next. Connect sends no request: a server may start later.
func Connect(url string, opts ...ConnectOption) (*Connection, error) {
	if err := client.CheckServers(url); err != nil {
		return nil, err
	}
	return &Connection{engine.New(engine.Config{Orchestrator: Client(url, opts...), Lease: true})}, nil
}

// Context returns a context in which everything outside a run goes to the server.
func (c *Connection) Context(ctx context.Context) context.Context {
	return engine.With(ctx, func() (*engine.Engine, error) { return c.engine, nil })
}

// Close waits for the runs that this program executes over the Connection, at
// most until ctx ends, when it stops what is left with [ErrStopped]. It then
// sends the log entries that are still waiting. No further run starts.
func (c *Connection) Close(ctx context.Context) error {
	c.engine.Stop(ctx)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	return c.engine.Close(end)
}

// Client returns a typed client of the server at url, "http://host:4200/api":
// the API as a package of methods, for what this package has no function for.
func Client(url string, opts ...ConnectOption) *client.Client {
	c := connectSettings{client.Config{URL: url}}
	for _, o := range opts {
		o.applyConnect(&c)
	}
	return client.New(c.Config)
}

// ConnectOption is a setting of Connect and Client.
type ConnectOption interface{ applyConnect(*connectSettings) }

type connectSettings struct{ client.Config }

type connectOption func(*connectSettings)

func (o connectOption) applyConnect(s *connectSettings) { o(s) }

// Auth sets the credentials of a server that asks for them: "user:password".
func Auth(userPassword string) ConnectOption {
	return connectOption(func(s *connectSettings) { s.AuthString = userPassword })
}

// current returns the engine of the run that ctx belongs to, or else that of
// the Connection or App in ctx.
func current(ctx context.Context) (*engine.Engine, error) {
	e, err := engine.Of(ctx)
	if e == nil && err == nil {
		return nil, errNowhere
	}
	return e, err
}

var errNowhere = sentinel(core.Errorf(core.EUnavailable, "the context belongs to no run and leads to no server: "+
	"pass a context of flowlite.Connect, or one of embed.New or embed.InMemory of package runtime/embed"))

func orchestrator(ctx context.Context) (core.Orchestrator, error) {
	e, err := current(ctx)
	if err != nil {
		return nil, err
	}
	return e.Orchestrator(), nil
}
