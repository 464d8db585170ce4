package flowlite

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"

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
// the Connection or App in ctx. A context without either goes to the server that
// the environment names, or else to memory, if the program imports runtime/embed.
func current(ctx context.Context) (*engine.Engine, error) {
	if e, err := engine.Of(ctx); e != nil || err != nil {
		return e, err
	}
	if os.Getenv("FLOWLITE_API_URL") != "" {
		return environment.engine(ctx), nil
	}
	e, made, err := engine.Memory(ctx)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, errNowhere
	}
	if made {
		slog.WarnContext(
			ctx,
			"flow runs are kept in memory until the program ends; to store them, set FLOWLITE_API_URL, or use a context of flowlite.Connect or of an App",
		)
	}
	return e, nil
}

var errNowhere = errors.New("there is no server to run this on; set FLOWLITE_API_URL to the address of one (flowlite up starts it), " +
	"use a context of flowlite.Connect, or import github.com/flowlite/flowlite/runtime/embed to run flows within the program")

func orchestrator(ctx context.Context) (core.Orchestrator, error) {
	e, err := current(ctx)
	if err != nil {
		return nil, err
	}
	return e.Orchestrator(), nil
}

// environment is the connection to the server of FLOWLITE_API_URL. It is made on
// first use and shared, as http.DefaultTransport is, because a connection per
// call would open sockets and lose what it knows of secrets.
var environment named

type named struct {
	sync.Mutex
	url, auth string
	made      *engine.Engine
}

func (n *named) engine(ctx context.Context) *engine.Engine {
	url, auth := os.Getenv("FLOWLITE_API_URL"), os.Getenv("FLOWLITE_AUTH_STRING")
	n.Lock()
	defer n.Unlock()
	if n.made != nil && n.url == url && n.auth == auth {
		return n.made
	}
	n.url, n.auth = url, auth
	o := Client(url, Auth(auth))
	n.made = engine.New(engine.Config{Orchestrator: o, Lease: true, Logs: engine.WorkerLogs()})
	if !launched() { // the run of a process that a worker started is there already
		slog.InfoContext(ctx, "flow runs go to the server of FLOWLITE_API_URL", "url", o.URL())
	}
	return n.made
}
