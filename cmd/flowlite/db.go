package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/private"
)

type dbCmd struct {
	Copy    dbCopyCmd    `cmd:"" help:"Move everything into an empty database, of either engine"`
	Backup  dbBackupCmd  `cmd:"" help:"Write a SQLite database to a file; its server may go on"`
	Restore dbRestoreCmd `cmd:"" help:"Put the file of a backup in the place of a SQLite database"`
	Check   dbCheckCmd   `cmd:"" help:"Look whether a SQLite database is sound; its server may go on"`
	Upgrade dbUpgradeCmd `cmd:"" help:"Bring the schema up to date, as each start of a server does"`
}

// dbFlags name a database as server start does.
type dbFlags struct {
	Database string `env:"FLOWLITE_DATABASE_URL" placeholder:"URL" help:"sqlite:PATH or postgres://...; default: flowlite.db in FLOWLITE_HOME"`
	Home     string `env:"FLOWLITE_HOME" help:"folder of database, key and results; default: ~/.flowlite"`
}

func (f dbFlags) folder() string { return cmp.Or(f.Home, home()) }

// makePrivate closes the data directory to other users, if the database is in it.
func (f dbFlags) makePrivate() error {
	if f.Database != "" {
		return nil
	}
	return private.Home(f.folder())
}

func (f dbFlags) url() string {
	return cmp.Or(f.Database, "sqlite:"+filepath.Join(f.folder(), "flowlite.db"))
}

// results is where a SQLite database's large results are files.
func (f dbFlags) results() string { return filepath.Join(f.folder(), "results") }

// withoutPassword is a database's address for eyes.
func withoutPassword(url string) string { return setting{}.shown(url, false) }

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// own is what to do about a Postgres database instead, with its own tools.
func own(what, command string) error {
	return &failure{code: exitFailed, what: "nothing was done: a Postgres database is " + what + " with its own tools", hint: command}
}

// takeAlong names what a database needs and does not hold.
func (f dbFlags) takeAlong(a *app, results bool) {
	key := filepath.Join(f.folder(), "encryption.key")
	if os.Getenv("FLOWLITE_ENCRYPTION_KEY") != "" {
		key = "FLOWLITE_ENCRYPTION_KEY"
	}
	a.out.Note("not in it, and to be taken along:")
	a.out.Note("  the encryption key, without which secrets cannot be read: %s", key)
	if results {
		a.out.Note("  the results of runs that are too large for the database: %s", f.results())
	}
}

type dbCopyCmd struct {
	From string `required:"" placeholder:"URL" help:"sqlite:PATH or postgres://... ; its servers must be stopped"`
	To   string `required:"" placeholder:"URL" help:"sqlite:PATH or postgres://... that is new or empty"`
	Home string `env:"FLOWLITE_HOME" help:"folder whose results are moved, as files beside SQLite and rows in Postgres; default: ~/.flowlite"`
}

func (c *dbCopyCmd) Run(a *app) error {
	bar := a.out.Progress()
	home := dbFlags{Home: c.Home}
	tables, err := db.Copy(a.ctx, c.From, c.To, orchestrate.DirResults(home.results()), bar.Set)
	bar.Done()
	if err != nil {
		return fmt.Errorf("%w; nothing was copied", err)
	}
	t := &out.Table{Columns: []out.Column{{Name: "table", Keep: true}, {Name: "rows", Right: true}, {Name: "checksum"}}}
	var names []string
	var rows, mended int64
	for _, x := range tables {
		names = append(names, x.Table)
		rows, mended = rows+x.Rows, mended+x.Mended
		t.Rows = append(t.Rows, []string{x.Table, strconv.FormatInt(x.Rows, 10), x.Checksum})
	}
	if err := a.out.List(core.ToJSON(tables), t, names); err != nil {
		return err
	}
	a.out.Note(
		"copied %d rows of %d tables from %s to %s; counts and checksums are the same",
		rows,
		len(tables),
		withoutPassword(c.From),
		core.ShellWord(withoutPassword(c.To)),
	)
	if mended > 0 {
		a.out.Note("in %d values Postgres could not store a character (NUL, or no text at all); U+FFFD stands there now", mended)
	}
	home.takeAlong(a, !isPostgres(c.From) && !isPostgres(c.To))
	a.out.Hint("flowlite server start --database %s", core.ShellWord(withoutPassword(c.To)))
	return nil
}

type dbBackupCmd struct {
	File string `arg:"" predictor:"file" help:"where to write it"`
	dbFlags
	Yes bool `short:"y" help:"replace the file if it exists"`
}

func (c *dbBackupCmd) Run(a *app) error {
	if isPostgres(c.url()) {
		return own("backed up", fmt.Sprintf("pg_dump --format=custom --file=%s '%s'", c.File, withoutPassword(c.url())))
	}
	size, err := db.Backup(a.ctx, c.url(), c.File, c.Yes)
	if core.CodeOf(err) == core.EConflict {
		return &failure{code: exitFailed, what: err.Error(), hint: "say --yes to replace it"}
	}
	if err != nil {
		return err
	}
	if err := a.out.Say(
		core.ToJSON(map[string]any{"file": c.File, "bytes": size}),
		c.File,
		"Wrote %s (%.1f MB), checked",
		c.File,
		float64(size)/1e6,
	); err != nil {
		return err
	}
	_, none := os.Stat(c.results())
	c.takeAlong(a, none == nil)
	return nil
}

type dbRestoreCmd struct {
	File string `arg:"" predictor:"file" help:"what db backup wrote"`
	dbFlags
	yesFlag
}

func (c *dbRestoreCmd) Run(a *app) error {
	if isPostgres(c.url()) {
		return own(
			"restored",
			fmt.Sprintf("pg_restore --clean --if-exists --single-transaction --dbname='%s' %s", withoutPassword(c.url()), c.File),
		)
	}
	path := strings.TrimPrefix(c.url(), "sqlite:")
	if _, err := os.Stat(path); err == nil {
		if err := a.confirm(c.Yes, "Replace all that "+path+" holds by "+c.File+"?"); err != nil {
			return err
		}
	}
	if err := c.makePrivate(); err != nil {
		return err
	}
	if err := db.Restore(a.ctx, c.url(), c.File, true); err != nil {
		return err
	}
	if err := a.out.Say(core.ToJSON(map[string]string{"database": path, "file": c.File}), path, "Restored %s, checked", path); err != nil {
		return err
	}
	c.takeAlong(a, true)
	return nil
}

type dbCheckCmd struct{ dbFlags }

func (c *dbCheckCmd) Run(a *app) error {
	if isPostgres(c.url()) {
		return own("checked", fmt.Sprintf("pg_amcheck '%s'", withoutPassword(c.url())))
	}
	if err := db.Check(a.ctx, c.url()); err != nil {
		return err
	}
	return a.out.Say(core.ToJSON(map[string]any{"database": c.url(), "sound": true}), c.url(), "%s is sound", c.url())
}

type dbUpgradeCmd struct{ dbFlags }

func (c *dbUpgradeCmd) Run(a *app) error {
	shown := withoutPassword(c.url())
	if err := c.makePrivate(); err != nil {
		return err
	}
	s, err := db.Open(a.ctx, c.url())
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return a.out.Say(core.ToJSON(map[string]string{"database": shown}), shown, "%s is up to date", shown)
}
