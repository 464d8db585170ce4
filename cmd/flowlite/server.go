package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/daemon"
	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/private"
	"github.com/flowlite/flowlite/runtime/server"
)

type serverCmd struct {
	Start    serverStartCmd `cmd:"" help:"Start a server without a worker"`
	Stop     serverStopCmd  `cmd:"" help:"Stop a server of this machine; its runs may finish"`
	Status   statusCmd      `cmd:"" help:"Say whether the server answers and is ready"`
	Services servicesCmd    `cmd:"" help:"What a server does by itself"`
	Database databaseCmd    `cmd:"" help:"The database of a server that is stopped"`
}

type serverStartCmd struct {
	serveFlags
	NoServices bool `help:"schedules, expiry and automations are done by another server"`
}

func (c *serverStartCmd) Run(a *app) error {
	if c.Background {
		return c.background(a)
	}
	cfg := c.config(a)
	cfg.NoLoops = cfg.NoLoops || c.NoServices
	return serve(a, cfg)
}

// serve runs a server until Ctrl-C or SIGTERM, then drains.
func serve(a *app, cfg server.Config) error {
	cfg.Home = cmp.Or(cfg.Home, home()) // --home '' is no other folder than that of every command
	hideProcess()
	s, err := server.New(cfg)
	if err == nil {
		err = s.Start(a.ctx)
	}
	if core.CodeOf(err) == core.EInvalid {
		return badUsage("%v", err)
	}
	if err != nil {
		return err
	}
	defer record(a, cfg.Home, s.URL())()
	_, _ = fmt.Fprintf(a.out.Out, "flowlite %s  %s\n", version(), a.out.Bold(s.URL()))
	if s.URL()+"/api" != a.api.base {
		a.out.Hint("clients find it by export FLOWLITE_API_URL=%s/api", s.URL())
	}
	if cfg.FlowsDir != "" {
		a.out.Note("  building the flows of %s", cfg.FlowsDir)
	}
	var failed error
	select {
	case <-a.ctx.Done():
		a.out.Note("stopping; runs may finish")
	case failed = <-s.Failed():
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); failed == nil {
		failed = err
	}
	return failed
}

// record lets `server stop` and `server start -b` find this process.
func record(a *app, folder, address string) (release func()) {
	u, _ := url.Parse(address)
	port, _ := strconv.Atoi(u.Port())
	release, err := daemon.Hold(cmp.Or(folder, home()), daemon.Record{PID: os.Getpid(), Port: port, URL: address})
	if err != nil {
		a.out.Note("`flowlite server stop` will not find this server: %v", err)
		return func() {}
	}
	return release
}

// background starts the same command again, away from the terminal, and
// returns when that one answers.
func (f serveFlags) background(a *app) error {
	folder := cmp.Or(f.Home, home())
	if running, _ := daemon.List(folder); f.Port > 0 {
		for _, r := range running {
			if r.Port == f.Port {
				return &failure{
					code: exitFailed,
					what: fmt.Sprintf("a server runs at %s already (process %d)", r.URL, r.PID),
					hint: fmt.Sprintf("flowlite server stop --port %d", r.Port),
				}
			}
		}
	}
	if err := private.Home(folder); err != nil {
		return err
	}
	name := filepath.Join(folder, "server.log")
	log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	begins, _ := log.Seek(0, 2)
	bin, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(bin, withoutBackground(a.args)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := daemon.Detach(cmd); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			text := make([]byte, 4096)
			n, _ := log.ReadAt(text, begins)
			return &failure{
				code: exitFailed,
				what: "the server has ended at once",
				why:  strings.TrimSpace(string(text[:n])),
				hint: "its log is " + name,
			}
		case <-a.ctx.Done():
			return fmt.Errorf("not waited for: the server is process %d, its log is %s", cmd.Process.Pid, name)
		case <-tick.C:
		}
		all, _ := daemon.List(folder)
		for _, r := range all {
			if r.PID == cmd.Process.Pid {
				err := a.out.Say(core.ToJSON(r), r.URL, "flowlite %s  %s  process %d", version(), a.out.Bold(r.URL), r.PID)
				if err == nil && a.out.ForPeople() {
					a.out.Note("its log is %s", name)
					if r.URL+"/api" != a.api.base {
						a.out.Hint("clients find it by export FLOWLITE_API_URL=%s/api", r.URL)
					}
					a.out.Hint("flowlite server stop")
				}
				return err
			}
		}
	}
}

func withoutBackground(args []string) (rest []string) {
	for _, a := range args {
		if a != "-b" && a != "--background" {
			rest = append(rest, a)
		}
	}
	return rest
}

type serverStopCmd struct {
	Port int      `env:"FLOWLITE_PORT" help:"the one on this port; needed where several run"`
	All  bool     `help:"all that run"`
	Home string   `env:"FLOWLITE_HOME" help:"folder of the server; default: ~/.flowlite"`
	Wait duration `name:"timeout" default:"90s" placeholder:"DURATION" help:"how long to wait for its end; default: ${default}"`
}

func (c *serverStopCmd) Run(a *app) error {
	folder := cmp.Or(c.Home, home())
	all, err := daemon.List(folder)
	if err != nil {
		return err
	}
	var stop []daemon.Record
	var ports []string
	for _, r := range all {
		ports = append(ports, strconv.Itoa(r.Port))
		if c.All || c.Port == 0 || r.Port == c.Port {
			stop = append(stop, r)
		}
	}
	switch {
	case len(stop) == 0 && c.Port != 0 && len(all) > 0:
		return &failure{
			code: exitNotFound,
			what: fmt.Sprintf("no server of %s runs on port %d", folder, c.Port),
			hint: "there are some on " + strings.Join(ports, ", "),
		}
	case len(stop) == 0:
		return &failure{code: exitNotFound, what: "no server of " + folder + " runs", hint: "FLOWLITE_HOME names the folder of another"}
	case len(stop) > 1 && !c.All:
		return &failure{code: exitUsage, what: "several servers run, on " + strings.Join(ports, ", "), hint: "say --port or --all"}
	}
	ctx, cancel := context.WithTimeout(a.ctx, c.Wait.Duration())
	defer cancel()
	for _, r := range stop {
		if err := daemon.Stop(ctx, folder, r); err != nil {
			return fmt.Errorf("process %d at %s does not end: %w", r.PID, r.URL, err)
		}
	}
	if !a.out.ForPeople() {
		return a.out.List(core.ToJSON(stop), nil, ports)
	}
	for _, r := range stop {
		if err := a.out.Say(nil, "", "Stopped %s (process %d)", r.URL, r.PID); err != nil {
			return err
		}
	}
	return nil
}

type statusCmd struct {
	Wait    bool     `help:"wait until it is ready"`
	Timeout duration `short:"t" default:"30s" placeholder:"DURATION" help:"how long to wait; default: ${default}"`
}

// status is what -o json tells.
type status struct {
	URL      string          `json:"url"`
	Ready    bool            `json:"ready"`
	Version  string          `json:"version"`
	Database string          `json:"database"`
	Details  json.RawMessage `json:"details"`
}

func (a *app) status() (s status, err error) {
	s.URL = a.api.page("")
	ready, _, err := ask[struct{ Details json.RawMessage }](a, "GET", "/ready", nil)
	if err != nil {
		return s, err
	}
	s.Ready, s.Details = true, ready.Details
	if len(s.Details) == 0 {
		s.Details = json.RawMessage("null")
	}
	settings, _, err := ask[struct {
		Flowlite struct{ Version, Database string }
	}](a, "GET", "/admin/settings", nil)
	s.Version, s.Database = settings.Flowlite.Version, settings.Flowlite.Database
	return s, err
}

func (c *statusCmd) Run(a *app) error {
	s, err := a.status()
	if c.Wait && err != nil {
		ctx, cancel := context.WithTimeout(a.ctx, c.Timeout.Duration())
		defer cancel()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for err != nil && ctx.Err() == nil {
			select {
			case <-tick.C:
				s, err = a.status()
			case <-ctx.Done():
			}
		}
	}
	if err != nil {
		return err
	}
	var d struct {
		Loops  []service
		Worker *struct {
			Name string
			Runs int
		}
	}
	_ = json.Unmarshal(s.Details, &d)
	fields := []out.Field{
		{Name: "Server", Value: a.out.Bold(s.URL)},
		{Name: "Status", Value: a.out.Status(core.Ready)},
		{Name: "Version", Value: s.Version},
		{Name: "Database", Value: s.Database},
	}
	if d.Worker != nil {
		fields = append(fields, out.Field{Name: "Worker", Value: d.Worker.Name + "  " + count(d.Worker.Runs, "run")})
	}
	return a.out.Record(core.ToJSON(s), s.URL, append(fields, out.Field{Name: "Services", Value: strconv.Itoa(len(d.Loops))}))
}
