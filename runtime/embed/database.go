package embed

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/runtime/core"
)

// database is where the App stores what it has, as its Config says.
type database struct {
	postgres func(context.Context) (pgconfig.Source, error) // of the program; nil: DatabaseURL
	sqlite   *sql.DB                                        // the program's, for starts in its transactions
}

func (c Config) database() (d database, err error) {
	schema := c.Schema
	switch {
	case schema != "" && (!isSchema(schema)):
		return d, core.Errorf(core.EInvalid, "Config.Schema is %q; a schema has up to 51 lowercase letters, digits, and underscores, "+
			"begins with no digit, and not with pg_", schema)
	case c.Pool != nil && c.DB != nil:
		return d, core.Errorf(core.EInvalid, "Config.Pool and Config.DB are both set; set the one whose transactions start runs")
	case c.DatabaseURL != "" && c.Pool != nil:
		return d, core.Errorf(core.EInvalid, "Config.DatabaseURL and Config.Pool both name a database; set one of them")
	}
	isPostgres := strings.HasPrefix(c.DatabaseURL, "postgres://") || strings.HasPrefix(c.DatabaseURL, "postgresql://")
	if schema == "" {
		schema = "flowlite"
	}
	switch {
	case c.Pool != nil:
		pool := c.Pool
		d.postgres = func(context.Context) (pgconfig.Source, error) { return pgconfig.Like(pool.Config(), schema), nil }
	case c.DB != nil:
		switch driver := c.DB.Driver().(type) {
		case *stdlib.Driver:
			if c.DatabaseURL != "" {
				return d, core.Errorf(core.EInvalid, "Config.DatabaseURL and Config.DB both name a database; set one of them")
			}
			d.postgres = func(ctx context.Context) (pgconfig.Source, error) { return sourceOf(ctx, c.DB, schema) }
		case *sqlite.Driver:
			d.sqlite = c.DB
		default:
			return d, core.Errorf(core.EInvalid, "Config.DB has the driver %T; open it with github.com/jackc/pgx/v5/stdlib for PostgreSQL "+
				"or with modernc.org/sqlite for SQLite", driver)
		}
	case isPostgres && c.Schema != "":
		from := pgconfig.URL(c.DatabaseURL)
		from.Schema = schema
		d.postgres = func(context.Context) (pgconfig.Source, error) { return from, nil }
	}
	if c.Schema != "" && d.postgres == nil {
		return d, core.Errorf(core.EInvalid, "Config.Schema is %q, and SQLite has no schemas; leave it out, or use a PostgreSQL database", c.Schema)
	}
	return d, nil
}

// isSchema says whether a name is one that needs no quotes, and not PostgreSQL's own.
func isSchema(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(name) <= 51 && !strings.HasPrefix(name, "pg_")
}

// sourceOf learns from one of its connections how a program connects.
func sourceOf(ctx context.Context, db *sql.DB, schema string) (from pgconfig.Source, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return from, core.Errorf(core.EUnavailable, "connect to Config.DB: %w", err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(c any) error {
		own, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("Config.DB has connections of the type %T, not those of pgx", c)
		}
		like := own.Conn().Config()
		cfg, err := pgxpool.ParseConfig(like.ConnString())
		if err != nil {
			return core.Errorf(core.EInvalid, "the address of Config.DB cannot be read: %s", core.URLFault(like.ConnString(), err))
		}
		cfg.ConnConfig = like
		from = pgconfig.Like(cfg, schema)
		return nil
	})
	return from, err
}

// Migrate brings the schema of the database up to date, and returns at once if the
// App runs. Start does the same; call Migrate to have it done before.
func (a *App) Migrate(ctx context.Context) error { return a.server.Migrate(ctx) }
