package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/daemon"
	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
)

type servicesCmd struct {
	Ls servicesLsCmd `cmd:"" aliases:"list" help:"List them, and when each did its work last"`
}

// service is a loop of the server as GET /api/ready tells of it.
type service struct {
	Name        string    `json:"name"`
	Every       float64   `json:"interval_seconds"`
	LastSuccess core.Time `json:"last_success"`
	LastError   string    `json:"last_error"`
	Elsewhere   bool      `json:"elsewhere"`
}

type servicesLsCmd struct{}

func (c *servicesLsCmd) Run(a *app) error {
	s, err := a.status()
	if err != nil {
		return err
	}
	var rows struct{ Loops []json.RawMessage }
	if err := json.Unmarshal(s.Details, &rows); err != nil {
		return err
	}
	t := &out.Table{
		Empty:   "this server runs no services",
		Columns: []out.Column{{Name: "service", Keep: true}, {Name: "every"}, {Name: "last done"}, {Name: "last error"}},
	}
	var names []string
	for _, raw := range rows.Loops {
		var l service
		if err := json.Unmarshal(raw, &l); err != nil {
			return err
		}
		last := a.out.Ago(l.LastSuccess)
		if l.Elsewhere {
			last = "by another server"
		}
		names = append(names, l.Name)
		t.Rows = append(t.Rows, []string{l.Name, out.Duration(time.Duration(l.Every * float64(time.Second))), last, l.LastError})
	}
	return a.out.List(core.ToJSON(append([]json.RawMessage{}, rows.Loops...)), t, names)
}

type databaseCmd struct {
	Reset   databaseResetCmd   `cmd:"" help:"Delete all that it holds: runs, deployments, secrets, everything"`
	Upgrade databaseUpgradeCmd `cmd:"" help:"Bring its schema up to date, as each start does"`
}

type databaseFlags struct {
	Database string `env:"FLOWLITE_DATABASE_URL" help:"sqlite:PATH or postgres://...; default: flowlite.db in FLOWLITE_HOME"`
	Home     string `env:"FLOWLITE_HOME" help:"folder of database and results; default: ~/.flowlite"`
	yesFlag
}

func (f databaseFlags) url() string {
	return cmp.Or(f.Database, "sqlite:"+filepath.Join(cmp.Or(f.Home, home()), "flowlite.db"))
}

// shown is the url without its password.
func (f databaseFlags) shown() string { return setting{}.shown(f.url(), false) }

type databaseResetCmd struct{ databaseFlags }

func (c *databaseResetCmd) Run(a *app) error {
	folder := cmp.Or(c.Home, home())
	if running, _ := daemon.List(folder); len(running) > 0 {
		return &failure{code: exitFailed, what: "a server of " + folder + " runs at " + running[0].URL, hint: "flowlite server stop"}
	}
	if err := a.confirm(c.Yes, "Delete all that "+c.shown()+" holds?"); err != nil {
		return err
	}
	if err := db.Reset(a.ctx, c.url()); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(folder, "results")); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(map[string]string{"database": c.shown()}), c.shown(), "Reset %s", c.shown())
}

type databaseUpgradeCmd struct{ databaseFlags }

func (c *databaseUpgradeCmd) Run(a *app) error {
	if err := (dbFlags{Database: c.Database, Home: c.Home}).makePrivate(); err != nil {
		return err
	}
	s, err := db.Open(a.ctx, c.url())
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return a.out.Say(core.ToJSON(map[string]string{"database": c.shown()}), c.shown(), "%s is up to date", c.shown())
}
