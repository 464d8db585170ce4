package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

//go:embed migrations
var migrations embed.FS

// Open opens the database that url names and brings its schema up to date:
// "sqlite:PATH[?synchronous=normal]", "sqlite::memory:", a bare path, or
// "postgres://...". A schema newer than this program is refused.
func Open(ctx context.Context, dsn string) (core.Store, error) {
	if dialectOf(dsn) == queries.Postgres {
		return openPostgres(ctx, dsn)
	}
	path, sync, err := sqlitePath(dsn)
	if err != nil {
		return nil, err
	}
	return openSQLite(ctx, path, sync)
}

func sqlitePath(dsn string) (path, sync string, err error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(dsn, "sqlite:"), "?")
	if strings.Contains(path, "://") {
		return "", "", core.Errorf(core.EInvalid, "database %q is not known; write sqlite:PATH or postgres://...", dsn)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", core.Errorf(core.EInvalid, "database %q: %w", dsn, err)
	}
	sync = strings.ToUpper(values.Get("synchronous"))
	switch sync {
	case "":
		sync = "FULL"
	case "FULL", "NORMAL", "OFF":
	default:
		return "", "", core.Errorf(core.EInvalid, "database %q: synchronous must be full, normal or off", dsn)
	}
	if path == "" {
		return "", "", core.Errorf(core.EInvalid, "database %q names no file; write sqlite:PATH", dsn)
	}
	return path, sync, nil
}

// migrate runs what lies above the version that current returns.
func migrate(engine string, current func() (int, error), apply func(version int, text string) error) error {
	files, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
	if err != nil {
		return err
	}
	at, err := current()
	if err != nil {
		return err
	}
	if at > len(files) {
		return core.Errorf(core.EUnavailable, "the database has schema version %d, but this flowlite knows only %d; start a newer flowlite, or another database", at, len(files))
	}
	for v := at + 1; v <= len(files); v++ {
		text, err := migrations.ReadFile(files[v-1])
		if err != nil {
			return err
		}
		if err := apply(v, string(text)); err != nil {
			return fmt.Errorf("migrate database to version %d: %w", v, err)
		}
	}
	return nil
}
