package db

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"os"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"modernc.org/sqlite"
)

// sqliteBulk has a rollback journal instead of the log: for pages that are new,
// which here are all, it keeps nothing, so that a transaction may be of any size.
type sqliteBulk struct {
	db      *sql.DB
	conn    *sql.Conn
	own     *direct
	lock    *os.File
	indexes []definition
}

func bulkSQLite(ctx context.Context, s *sqliteStore) (_ Bulk, err error) {
	if s.temp != "" {
		return nil, errors.Join(core.Errorf(core.EInvalid, "a database in memory cannot be loaded; name a file"), s.Close())
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	b := &sqliteBulk{own: &direct{}}
	defer func() {
		if err != nil {
			_ = b.Close()
		}
	}()
	if b.lock, err = lockFile(s.path); err != nil {
		return nil, err
	}
	if b.own.Connector, err = sqlite.NewConnector(fileName(s.path) +
		"?_pragma=journal_mode(delete)&_pragma=synchronous(normal)&_pragma=foreign_keys(0)&_pragma=cache_size(-262144)&_pragma=temp_store(memory)"); err != nil {
		return nil, err
	}
	b.db = sql.OpenDB(b.own)
	b.db.SetMaxOpenConns(1)
	if b.conn, err = b.db.Conn(ctx); err != nil {
		return nil, sqliteError(err, "Database")
	}
	var full []string
	tables, err := b.texts(ctx, queries.Tables(queries.SQLite), 1)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		var some bool
		if err := b.conn.QueryRowContext(ctx, queries.AnyRow(t.name)).Scan(&some); err != nil {
			return nil, sqliteError(err, "Table")
		}
		if some {
			full = append(full, t.name)
		}
	}
	if err := notEmpty(full); err != nil {
		return nil, err
	}
	if b.indexes, err = b.texts(ctx, queries.Secondary(queries.SQLite), 2); err != nil {
		return nil, err
	}
	if err := b.exec(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return nil, err
	}
	for _, x := range b.indexes {
		if err := b.exec(ctx, queries.DropIndex(x.name)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *sqliteBulk) exec(ctx context.Context, text string) error {
	if _, err := b.conn.ExecContext(ctx, text); err != nil {
		return sqliteError(err, "Bulk load")
	}
	return nil
}

func (b *sqliteBulk) texts(ctx context.Context, text string, columns int) (out []definition, err error) {
	rows, err := b.conn.QueryContext(ctx, text)
	if err != nil {
		return nil, sqliteError(err, "Schema")
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var d definition
		if err := rows.Scan([]any{&d.name, &d.text}[:columns]...); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

func (b *sqliteBulk) Load(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (n int64, err error) {
	st, err := b.own.prepare(queries.BulkInsert(table, columns))
	if err != nil {
		return 0, sqliteError(err, table)
	}
	defer func() { _ = st.(interface{ Close() error }).Close() }()
	for r := range rows {
		if n%1000 == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
		if _, err := b.own.exec(st, r); err != nil {
			return n, sqliteError(err, table)
		}
		n++
	}
	return n, nil
}

func (b *sqliteBulk) Rows(ctx context.Context, q queries.Query, each func(func(...any) error) error) error {
	return connRows{b.conn}.rows(ctx, q, each)
}

func (b *sqliteBulk) Commit(ctx context.Context) error {
	for _, x := range b.indexes {
		if err := b.exec(ctx, x.text); err != nil {
			return err
		}
	}
	var table, parent string
	var rowid, fk sql.NullInt64
	switch err := b.conn.QueryRowContext(ctx, "PRAGMA foreign_key_check").Scan(&table, &rowid, &parent, &fk); {
	case err == nil:
		return core.Errorf(core.EConflict, "a row of %s refers to one of %s that is not there", table, parent)
	case !errors.Is(err, sql.ErrNoRows):
		return sqliteError(err, "Bulk load")
	}
	if err := b.exec(ctx, "COMMIT"); err != nil {
		return err
	}
	return b.exec(ctx, "PRAGMA journal_mode=wal")
}

// connRows reads on one connection, without a cache of statements.
type connRows struct{ conn *sql.Conn }

func (c connRows) rows(ctx context.Context, q queries.Query, each func(scan func(...any) error) error) error {
	rows, err := c.conn.QueryContext(ctx, q.SQL, q.Args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (b *sqliteBulk) Close() error {
	var errs []error
	if b.conn != nil {
		_, _ = b.conn.ExecContext(context.Background(), "ROLLBACK") // an error where it was committed
		errs = append(errs, b.conn.Close())
	}
	if b.db != nil {
		errs = append(errs, b.db.Close())
	}
	if b.lock != nil {
		_ = b.lock.Close()
	}
	return errors.Join(errs...)
}
