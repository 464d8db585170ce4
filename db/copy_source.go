package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
)

// source is a database that is read in one snapshot. It makes nothing and
// changes nothing.
type source struct {
	d     queries.Dialect
	rows  rowsFunc
	name  string // without the password
	place string // what else is the same database, by another name
	close func() error
}

func dialectOf(dsn string) queries.Dialect {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return queries.Postgres
	}
	return queries.SQLite
}

func openSource(ctx context.Context, dsn string) (s *source, err error) {
	if dialectOf(dsn) == queries.Postgres {
		s, err = postgresSource(ctx, dsn)
	} else {
		s, err = sqliteSource(ctx, dsn)
	}
	if err != nil {
		return nil, err
	}
	if err := s.current(ctx); err != nil {
		_ = s.close()
		return nil, err
	}
	return s, nil
}

// current is nil where the schema is what this program knows.
func (s *source) current(ctx context.Context) error {
	engine := "sqlite"
	if s.d == queries.Postgres {
		engine = "postgres"
	}
	files, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
	if err != nil {
		return err
	}
	var at int
	if s.d == queries.Postgres {
		var some bool
		if err := s.rows(ctx, queries.Query{SQL: queries.HasSchema}, func(scan func(...any) error) error { return scan(&some) }); err != nil {
			return err
		}
		if !some {
			return core.Errorf(core.EInvalid, "%s is no database of flowlite", s.name)
		}
	}
	if err := s.rows(
		ctx,
		queries.Query{SQL: queries.SchemaVersion(s.d)},
		func(scan func(...any) error) error { return scan(&at) },
	); err != nil {
		return err
	}
	switch {
	case at == 0:
		return core.Errorf(core.EInvalid, "%s is no database of flowlite", s.name)
	case at > len(files):
		return core.Errorf(
			core.EUnavailable,
			"%s has schema version %d, but this flowlite knows only %d; use a newer flowlite",
			s.name,
			at,
			len(files),
		)
	case at < len(files):
		return core.Errorf(
			core.EUnavailable,
			"%s has schema version %d, and this flowlite has %d; bring it up to date first: flowlite db upgrade --database %s",
			s.name,
			at,
			len(files),
			core.ShellWord(s.name),
		)
	}
	return nil
}

// distinct refuses a target that is the source.
func (s *source) distinct(ctx context.Context, to string) error {
	place := ""
	if dialectOf(to) == queries.SQLite {
		path, _, err := sqlitePath(to)
		if err != nil {
			return err
		}
		place = realPath(path)
	} else if s.d == queries.Postgres {
		conn, err := pgx.Connect(ctx, to)
		if err != nil {
			return core.Errorf(core.EUnavailable, "copy to: connect to Postgres: %w", err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		if err := conn.QueryRow(ctx, queries.Place).Scan(&place); err != nil {
			return postgresError(err, "Database")
		}
	}
	if place != "" && place == s.place {
		return core.Errorf(core.EInvalid, "%s cannot be copied to itself; name another target", s.name)
	}
	return nil
}

func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if at, err := filepath.EvalSymlinks(path); err == nil {
		path = at
	}
	return path
}

// sqliteSource holds the file's lock: no server writes it meanwhile.
func sqliteSource(ctx context.Context, dsn string) (_ *source, err error) {
	path, _, err := sqlitePath(dsn)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, core.Errorf(core.ENotFound, "there is no database %s", path)
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", fileName(path)+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	conn, err := pool.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN")
	}
	if err != nil {
		_ = pool.Close()
		_ = lock.Close()
		return nil, sqliteOpenError(path, err)
	}
	rows := connRows{conn}
	return &source{
		d: queries.SQLite, name: "sqlite:" + path, place: realPath(path),
		rows: func(ctx context.Context, q queries.Query, each func(func(...any) error) error) error {
			return engineError(rows.rows(ctx, q, each), sqliteError)
		},
		close: func() error { return errors.Join(conn.Close(), pool.Close(), lock.Close()) },
	}, nil
}

func postgresSource(ctx context.Context, dsn string) (*source, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, core.Errorf(core.EUnavailable, "connect to Postgres: %s", core.URLFault(dsn, err))
	}
	pgconfig.RegisterTypes(conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	s := &source{d: queries.Postgres, name: core.HideURL(dsn)}
	if err == nil {
		err = tx.QueryRow(ctx, queries.Place).Scan(&s.place)
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, postgresError(err, "Database")
	}
	s.rows = func(ctx context.Context, q queries.Query, each func(func(...any) error) error) error {
		return engineError(pgRows{tx}.rows(ctx, q, each), postgresError)
	}
	s.close = func() error { return conn.Close(context.Background()) }
	return s, nil
}

// engineError leaves the errors that are ours as they are.
func engineError(err error, fail func(error, string) error) error {
	if err == nil || errors.Is(err, errEnough) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	return fail(err, "Database")
}
