package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/sqlite migrations/postgres
var migrations embed.FS

// newerSchema is refused by a program that knows only the version known.
func newerSchema(at, known int) error {
	return core.Errorf(
		core.EUnavailable,
		"the database has schema version %d, but this flowlite knows only %d; start a newer flowlite, or another database",
		at,
		known,
	)
}

// migrate applies the next version above what current returns, and tells
// whether there was one.
func migrate(engine string, current func(known int) (int, error), apply func(version int, text string) error) (more bool, err error) {
	files, err := fs.Glob(migrations, "migrations/"+engine+"/*.sql")
	if err != nil {
		return false, err
	}
	at, err := current(len(files))
	if err != nil || at >= len(files) {
		return false, err
	}
	text, err := migrations.ReadFile(files[at])
	if err == nil {
		err = apply(at+1, string(text))
	}
	if err != nil {
		return false, fmt.Errorf("migrate database to version %d: %w", at+1, err)
	}
	return true, nil
}

var worksWithLine = regexp.MustCompile(`(?m)^-- works with (\d+)$`)

// worksWith is the oldest version whose programs can use a database that a
// migration has brought to v. One that only adds says so in a line of its own,
// "-- works with 10", and servers of both versions can share the database.
func worksWith(v int, text string) int {
	if m := worksWithLine.FindStringSubmatch(text); m != nil {
		v, _ = strconv.Atoi(m[1])
	}
	return v
}

// migratePostgres gives each version a transaction of its own: what one has
// locked is free again while the next one works.
func migratePostgres(ctx context.Context, pool *pgxpool.Pool) error {
	for {
		var more bool
		err := pgx.BeginFunc(ctx, pool, func(t pgx.Tx) (err error) {
			if _, err = t.Exec(ctx, queries.PatientTransaction); err != nil {
				return err
			}
			if _, err = t.Exec(ctx, queries.LockMigrations); err != nil {
				return err
			}
			more, err = migrate("postgres", func(known int) (int, error) { return postgresVersion(ctx, t, known) }, func(v int, text string) error {
				if _, err := t.Exec(ctx, text); err != nil {
					return err
				}
				_, err := t.Exec(ctx, queries.AddSchemaVersion, v, worksWith(v, text))
				return err
			})
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// postgresVersion also makes the table that tells it, and refuses a version
// that does not work with what is known.
func postgresVersion(ctx context.Context, t pgx.Tx, known int) (at int, err error) {
	if _, err = t.Exec(ctx, queries.MakeSchemaVersion); err != nil {
		return 0, err
	}
	if err = t.QueryRow(ctx, queries.SchemaVersion(queries.Postgres)).Scan(&at); err != nil || at <= known {
		if err == nil && at < known {
			_, err = t.Exec(ctx, queries.WidenSchemaVersion)
		}
		return at, err
	}
	var oldest int
	if err = t.QueryRow(ctx, queries.SchemaWorksWith, at).Scan(&oldest); err == nil && oldest > known {
		err = newerSchema(at, known)
	}
	return at, err
}
