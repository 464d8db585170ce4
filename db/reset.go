package db

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Reset empties the database that dsn names: it is then as Open makes a new
// one. A SQLite file that a process uses is refused; of Postgres only the
// tables that migrations made are dropped, and servers of it must be stopped.
func Reset(ctx context.Context, dsn string) error {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		if err := resetPostgres(ctx, dsn); err != nil {
			return err
		}
	} else if err := resetSQLite(dsn); err != nil {
		return err
	}
	s, err := Open(ctx, dsn)
	if err != nil {
		return err
	}
	return s.Close()
}

func resetSQLite(dsn string) error {
	path, _, _ := strings.Cut(strings.TrimPrefix(dsn, "sqlite:"), "?")
	if path == "" || path == ":memory:" || strings.Contains(path, "://") {
		return core.Errorf(core.EInvalid, "database %q is no file that could be reset; write sqlite:PATH or postgres://...", dsn)
	}
	lock, err := lockFile(path)
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return core.Errorf(core.EUnavailable, "reset database %s: %w", path, err)
		}
	}
	return nil
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

func resetPostgres(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return core.Errorf(core.EUnavailable, "connect to Postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	files, err := fs.Glob(migrations, "migrations/postgres/*.sql")
	if err != nil {
		return err
	}
	tables := []string{"schema_version"}
	for _, f := range files {
		text, err := migrations.ReadFile(f)
		if err != nil {
			return err
		}
		for _, m := range createTable.FindAllSubmatch(text, -1) {
			tables = append(tables, pgx.Identifier{string(m[1])}.Sanitize())
		}
	}
	return pgx.BeginFunc(ctx, conn, func(t pgx.Tx) error {
		if _, err := t.Exec(ctx, queries.LockMigrations); err != nil {
			return err
		}
		_, err := t.Exec(ctx, "DROP TABLE IF EXISTS "+strings.Join(tables, ", ")+" CASCADE")
		return err
	})
}
