package db

import (
	"context"
	"net/url"
	"strings"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Open opens the database that url names and brings its schema up to date:
// "sqlite:PATH[?synchronous=normal]", "sqlite::memory:", a bare path, or
// "postgres://...". A schema newer than this program is refused, unless all that
// is new in it is of no concern to this program: see worksWith.
func Open(ctx context.Context, dsn string) (core.Store, error) {
	if dialectOf(dsn) == queries.Postgres {
		return OpenPostgres(ctx, pgconfig.URL(dsn))
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
		return "", "", core.Errorf(core.EInvalid, "database %q is not known; write sqlite:PATH or postgres://...", core.HideURL(dsn))
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", core.Errorf(core.EInvalid, "database %q: %s", core.HideURL(dsn), core.URLFault(dsn, err))
	}
	sync = strings.ToUpper(values.Get("synchronous"))
	switch sync {
	case "":
		sync = "FULL"
	case "FULL", "NORMAL", "OFF":
	default:
		return "", "", core.Errorf(core.EInvalid, "database %q: synchronous must be full, normal or off", core.HideURL(dsn))
	}
	if path == "" {
		return "", "", core.Errorf(core.EInvalid, "database %q names no file; write sqlite:PATH", core.HideURL(dsn))
	}
	return path, sync, nil
}
