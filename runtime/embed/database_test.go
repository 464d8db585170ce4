package embed_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

func answerTo(context.Context, struct{}) (int, error) { return 42, nil }

func answer() *flowlite.Flow[struct{}, int] {
	return flowlite.NewFlow("answer", answerTo)
}

// A program's pool keeps its search path, its types, and its hooks, and outlives the
// App, whose tables are in a schema of their own.
func TestProgramsDatabaseIsLeftAlone(t *testing.T) {
	for _, schema := range []string{"", "orders_flows"} {
		at := postgresURL(t)
		cfg, err := pgxpool.ParseConfig(at)
		if err != nil {
			t.Fatal(err)
		}
		cfg.MaxConns = 3
		pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		// Names that the App has, too.
		if _, err := pool.Exec(t.Context(), "CREATE TABLE flow (x INT); CREATE TABLE event (x INT); CREATE TABLE schema_version (mine INT)"); err != nil {
			t.Fatal(err)
		}
		flow := answer()
		app, err := embed.New(embed.Config{Pool: pool, Schema: schema, Port: -1, Home: t.TempDir(), NoUI: true}, flow)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // also again
			if err := app.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := app.Migrate(t.Context()); err != nil {
			t.Error("migrate while it runs:", err)
		}
		if got, err := flow.Run(app.Context(t.Context()), struct{}{}); err != nil || got != 42 {
			t.Error(got, err)
		}
		if err := app.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		want := schema
		if want == "" {
			want = "flowlite"
		}
		var ours, theirs int
		var path string
		row := pool.QueryRow(t.Context(), `SELECT COUNT(*) FILTER (WHERE schemaname = $1), COUNT(*) FILTER (WHERE schemaname = 'public'),
current_setting('search_path') FROM pg_tables`, want)
		if err := row.Scan(&ours, &theirs, &path); err != nil || ours < 20 || theirs != 3 || strings.Contains(path, want) {
			t.Errorf("%d tables of the App, %d of the program, search path %s (%v)", ours, theirs, path, err)
		}
		if n := pool.Stat().TotalConns(); n > 3 {
			t.Errorf("the program's pool has %d connections", n)
		}
	}
}

// Apps with schemas of their own share a database and see nothing of each other.
func TestSchemasKeepAppsApart(t *testing.T) {
	at := postgresURL(t)
	one, two := answer(), answer()
	red := startApp(t, embed.Config{DatabaseURL: at, Schema: "red"}, one)
	blue := startApp(t, embed.Config{DatabaseURL: at, Schema: "blue"}, two)
	if _, err := one.Run(red.Context(t.Context()), struct{}{}); err != nil {
		t.Fatal(err)
	}
	for app, want := range map[*embed.App]int{red: 1, blue: 0} {
		runs, err := app.Client().FlowRuns(t.Context(), core.Filters{}, core.Page{})
		if err != nil || len(runs) != want {
			t.Errorf("%d runs, want %d (%v)", len(runs), want, err)
		}
	}
}

// A user without the right to make schemas can have one that is there.
func TestSchemaThatIsThereNeedsNoRight(t *testing.T) {
	at := postgresURL(t)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	role := "r_" + strings.TrimPrefix(u.Path, "/test_")
	dbtest.Exec(t, at, "CREATE ROLE "+role+" LOGIN; CREATE SCHEMA given AUTHORIZATION "+role)
	t.Cleanup(func() { dbtest.Exec(t, at, "DROP OWNED BY "+role+" CASCADE; DROP ROLE "+role) })
	u.User = url.User(role)
	migrate := func(schema string) error {
		app, err := embed.New(embed.Config{DatabaseURL: u.String(), Schema: schema, Port: -1, Home: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return app.Migrate(t.Context())
	}
	if err := migrate("given"); err != nil {
		t.Error(err)
	}
	if err := migrate("missing"); err == nil || !strings.Contains(err.Error(), `make the schema "missing"`) {
		t.Error(err)
	}
}

func TestDatabaseThatCannotBe(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	lite, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lite.Close() })
	pg := sql.OpenDB(unknown{})
	t.Cleanup(func() { _ = pg.Close() })
	for says, cfg := range map[string]embed.Config{
		"SQLite has no schemas":          {Schema: "x"},
		"no schemas; leave it out":       {Schema: "x", DB: lite},
		"up to 51 lowercase letters":     {Schema: `x"; DROP`, Pool: pool},
		"not with pg_":                   {Schema: "pg_x", Pool: pool},
		"both set":                       {Pool: pool, DB: lite},
		"both name a database":           {Pool: pool, DatabaseURL: "sqlite:x"},
		"open it with github.com/jackc/": {DB: pg},
	} {
		cfg.Home = t.TempDir()
		if _, err := embed.New(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	app, err := embed.New(embed.Config{DB: lite, Home: t.TempDir(), Port: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "busy_timeout(5000)") {
		t.Error("a database that does not wait:", err)
	}
	app, err = embed.New(embed.Config{Pool: pool, Home: t.TempDir(), Port: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error("a database that does not answer:", err)
	}
}

// unknown is a driver that the App does not know.
type unknown struct{}

func (unknown) Connect(context.Context) (driver.Conn, error) { return nil, errNoStock }
func (unknown) Driver() driver.Driver                        { return unknown{} }
func (unknown) Open(string) (driver.Conn, error)             { return nil, errNoStock }
