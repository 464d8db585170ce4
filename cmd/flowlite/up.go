package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/bus/redisbus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/metrics"
	"github.com/flowlite/flowlite/runtime/notify/shoutrrr"
	"github.com/flowlite/flowlite/runtime/server"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

// serveFlags are those of up and of server start.
type serveFlags struct {
	Host     string   `env:"FLOWLITE_HOST" default:"127.0.0.1" help:"address to listen on; off loopback it needs credentials"`
	Port     int      `env:"FLOWLITE_PORT" default:"4200" help:"port; -1 takes any free one"`
	BasePath string   `env:"FLOWLITE_BASE_PATH" placeholder:"/PATH" help:"path under which a proxy serves the pages, such as /flowlite"`
	Public   string   `name:"public-url" env:"FLOWLITE_PUBLIC_URL" placeholder:"https://..." help:"where people find the pages; begins the links in notifications"`
	Database string   `env:"FLOWLITE_DATABASE_URL" help:"sqlite:PATH or postgres://...; default: flowlite.db in FLOWLITE_HOME"`
	Redis    string   `env:"FLOWLITE_REDIS_URL" placeholder:"redis://..." help:"joins the servers of a Postgres database; without it they use the database"`
	Roles    []string `enum:"api,ui,loops" env:"FLOWLITE_ROLES" default:"api,ui,loops" help:"what this server does: api, ui and loops; others on the database may do the rest"`
	Home     string   `env:"FLOWLITE_HOME" help:"folder for database, results and built flows; default: ~/.flowlite"`
	Key      string   `name:"encryption-key" env:"FLOWLITE_ENCRYPTION_KEY" hidden:""`
	NoAuth   bool     `help:"Allow a non-loopback address without authentication"`
	Hosts    []string `name:"allowed-host" env:"FLOWLITE_ALLOWED_HOSTS" placeholder:"NAME" help:"Further host name to answer under; .example.com for all names below it, * for all (repeatable)"`
	Proxies  []string `name:"trusted-proxy" env:"FLOWLITE_TRUSTED_PROXIES" placeholder:"HOST" help:"Address or prefix of a reverse proxy whose X-Forwarded-For header is trusted (default: with --public-url, loopback and private addresses) (repeatable)"`
	Private  []string `name:"private-url" env:"FLOWLITE_PRIVATE_URLS" placeholder:"HOST" help:"Host, address, or prefix of a private network that notifications and webhooks may reach; * for all (repeatable)"`
	Origins  []string `name:"allowed-origin" env:"FLOWLITE_ALLOWED_ORIGINS" placeholder:"https://..." help:"Origin of web pages that may call the API (repeatable)"`
	CSRF     bool     `name:"csrf" env:"FLOWLITE_CSRF" help:"changing requests to the API must carry a CSRF token, as clients fetch them"`
	Metrics  string   `env:"FLOWLITE_METRICS" placeholder:"HOST:PORT" help:"Address for /metrics without credentials, such as 127.0.0.1:9090 (default: the server's address, with its credentials)"`
	LogLevel string   `env:"FLOWLITE_LOG_LEVEL" enum:"debug,info,warn,error" default:"warn" help:"debug, info, warn or error"`

	retainFlags

	Background bool `short:"b" help:"return when it answers; it goes on, and logs to server.log in its home folder"`
}

func (f serveFlags) config(a *app) server.Config {
	_ = os.Unsetenv("FLOWLITE_ENCRYPTION_KEY") // not for flows, and what builds or describes them
	not := func(role string) bool { return !slices.Contains(f.Roles, role) }
	redisbus.Quiet()
	cfg := server.Config{
		Host:        f.Host,
		Port:        f.Port,
		BasePath:    f.BasePath,
		PublicURL:   f.Public,
		DatabaseURL: f.Database,
		NoAPI: not(
			"api",
		),
		NoUI:           not("ui"),
		NoLoops:        not("loops"),
		Home:           f.Home,
		NoAuth:         f.NoAuth,
		AllowedHosts:   f.Hosts,
		AllowedOrigins: f.Origins,
		TrustedProxies: f.Proxies,
		PrivateURLs:    f.Private,
		CSRF:           f.CSRF,
		EncryptionKey:  f.Key,
		AuthString:     a.cli.Auth,
		Retain:         f.retention(),
		Templates:      jinja.New(),
		Notifications:  shoutrrr.New(),
		Meter:          metrics.New(version()),
		MetricsAddr:    f.Metrics,
		Version:        version(),
		Log:            logger(a, f.LogLevel),
	}
	if f.Redis != "" {
		cfg.Redis = redisbus.At(f.Redis)
	}
	return cfg
}

func logger(a *app, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level))
	return slog.New(slog.NewTextHandler(a.out.Err, &slog.HandlerOptions{Level: l, ReplaceAttr: withoutCredentials}))
}

// withoutCredentials keeps the passwords of URLs out of log lines.
func withoutCredentials(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString, slog.KindAny:
		if text := a.Value.String(); text != core.HideCredentials(text) {
			return slog.String(a.Key, core.HideCredentials(text))
		}
	}
	return a
}

type upCmd struct {
	serveFlags
	Flows      string `env:"FLOWLITE_FLOWS" default:"./flows" help:"folder whose flows are deployed and watched"`
	Python     string `env:"FLOWLITE_PYTHON" help:"interpreter or virtual environment of Python flows; default: VIRTUAL_ENV, .venv at the flow's folder or above, or python3"`
	PythonFork bool   `env:"FLOWLITE_PYTHON_FORK" default:"true" negatable:"" help:"start Python runs from a warm interpreter (Linux)"`
	RunAs      string `name:"run-as" env:"FLOWLITE_RUN_AS" placeholder:"USER" help:"System user that flows run as (Linux, for a server of root; default: the user of the server)"`
	Limit      int    `short:"l" help:"runs at once; 0: no limit"`
}

func (c *upCmd) Run(a *app) error {
	if c.Background {
		return c.background(a)
	}
	cfg := c.config(a)
	cfg.Worker, cfg.WorkerLimit, cfg.Python = true, c.Limit, c.Python
	cfg.NoFork, cfg.RunAs = !c.PythonFork, c.RunAs
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := checkPython(dir, c.Python); err != nil {
		return err
	}
	_, missing := os.Stat(c.Flows)
	if missing == nil || c.Flows != "./flows" {
		cfg.FlowsDir = c.Flows
	}
	switch {
	case missing != nil && cfg.FlowsDir != "":
		a.out.Note("there is no folder %s yet; what is put there will be deployed", c.Flows)
	case missing != nil:
		a.out.Note("there is no folder %s here, so nothing is deployed by itself; --flows names another", c.Flows)
	}
	first := true     // OnFlows is called by one goroutine
	var said []string // hints are true at each look, and news at the first
	broken := map[string]bool{}
	cfg.OnFlows = func(r server.FlowsReport) {
		for dir := range broken {
			if r.Problems[dir] == nil {
				delete(broken, dir)
				_, _ = fmt.Fprintf(a.out.Out, "  %s: no problem any more\n", out.Line(dir))
			}
		}
		for dir := range r.Problems {
			broken[dir] = true
		}
		hints := r.Hints
		r.Hints = slices.DeleteFunc(slices.Clone(hints), func(h string) bool { return slices.Contains(said, h) })
		a.flows(r, first)
		first, said = false, hints
	}
	return serve(a, cfg)
}

// flows prints what the first look at the flows folder found, and what changed later.
func (a *app) flows(r server.FlowsReport, first bool) {
	for _, d := range r.Deployments {
		word := "deployed"
		if !d.Changed {
			word = "found   "
		}
		if d.Changed || first {
			_, _ = fmt.Fprintf(a.out.Out, "  %s %s  %s\n", word, a.out.Bold(out.Line(d.Name)), a.out.Dim(out.Line(d.Entrypoint)))
		}
	}
	if first && len(r.Deployments)+len(r.Problems)+len(r.Hints) == 0 {
		a.out.Note("  no flows found; a flow is an exported variable made by flowlite.NewFlow, or a Python function with Prefect's @flow")
	}
	for _, n := range r.Gone {
		a.out.Note("  %s is declared no longer; delete it with `flowlite deployment delete %s`", n, core.ShellWord(n))
	}
	for _, h := range r.Hints {
		a.out.Note("  %s", h)
	}
	for dir, err := range r.Problems {
		a.out.Note("%s %s: %s", a.out.Red("error:"), dir, strings.TrimSpace(err.Error()))
	}
}
