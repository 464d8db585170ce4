package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Start is a flow run that a program started within a transaction of its own.
type Start struct {
	ID         core.UUID // of the run
	Deployment core.UUID
	Create     core.DeploymentFlowRunCreate
}

// Starts are rows that a program's transactions write and that become runs once
// they are committed.
type Starts struct {
	own starter // outside of the program's transactions
	q   queries.Start
	pg  bool
}

// PostgresStarts are those in the schema of a store; nil for one on SQLite.
func PostgresStarts(ctx context.Context, store core.Store) (*Starts, error) {
	s, ok := store.(*postgresStore)
	if !ok {
		return nil, nil
	}
	var schema string
	if err := s.pool.QueryRow(ctx, queries.CurrentSchema).Scan(&schema); err != nil {
		return nil, s.err(err, "Schema")
	}
	return newStarts(ctx, pgStarter{s.pool}, queries.StartIn(schema), true)
}

// SQLiteStarts are those in a program's own SQLite database. EInvalid if its connections
// fail at once where another one writes.
func SQLiteStarts(ctx context.Context, db *sql.DB) (*Starts, error) {
	var wait int
	if err := db.QueryRowContext(ctx, queries.SQLiteBusyTimeout).Scan(&wait); err != nil {
		return nil, sqliteError(err, "Database")
	}
	if wait < leastBusyTimeout {
		return nil, core.Errorf(core.EInvalid, "Config.DB waits only %d ms for a lock, and the App writes to the database, too; "+
			"open it with ?_pragma=busy_timeout(5000)&_txlock=immediate", wait)
	}
	return newStarts(ctx, sqlStarter{db}, queries.StartIn("main"), false)
}

// leastBusyTimeout is in milliseconds.
const leastBusyTimeout = 1000

func newStarts(ctx context.Context, own starter, q queries.Start, pg bool) (*Starts, error) {
	s := &Starts{own, q, pg}
	if _, err := own.exec(ctx, q.Make); err != nil {
		if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "23505" { // another server made it at this moment
			return nil, s.fault(err)
		}
	}
	return s, nil
}

// Put writes a start within tx, a pgx.Tx or a transaction of database/sql, for
// Postgres, or the latter for SQLite. If the start is there already, Put returns
// what it is. EInvalid for anything else, and for a transaction on another database.
func (s *Starts) Put(ctx context.Context, tx any, start Start) (*Start, error) {
	in, err := s.starterOf(tx)
	if err != nil {
		return nil, err
	}
	n, err := in.exec(ctx, s.q.Put, start.ID.String(), start.Deployment.String(), string(core.ToJSON(start.Create)), int64(core.Now()))
	if err != nil {
		return nil, s.fault(err)
	}
	if n > 0 {
		return &start, nil
	}
	found, err := s.read(ctx, in, s.q.Get, start.ID.String())
	if err != nil || len(found) == 0 {
		return &start, err // it was committed and has become a run meanwhile
	}
	return &found[0], nil
}

// Get returns the start of a run if it is committed and not yet a run, or nil.
func (s *Starts) Get(ctx context.Context, id core.UUID) (*Start, error) {
	found, err := s.read(ctx, s.own, s.q.Get, id.String())
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Due returns committed starts, the oldest first.
func (s *Starts) Due(ctx context.Context, now core.Time, limit int) ([]Start, error) {
	return s.read(ctx, s.own, s.q.Due, int64(now), limit)
}

// Later puts a start off that cannot become a run yet.
func (s *Starts) Later(ctx context.Context, id core.UUID, due core.Time) error {
	_, err := s.own.exec(ctx, s.q.Later, int64(due), id.String())
	return s.fault(err)
}

// Delete takes a start away that has become a run.
func (s *Starts) Delete(ctx context.Context, id core.UUID) error {
	_, err := s.own.exec(ctx, s.q.Delete, id.String())
	return s.fault(err)
}

func (s *Starts) read(ctx context.Context, in starter, text string, args ...any) (all []Start, err error) {
	err = in.query(ctx, text, args, func(scan func(...any) error) error {
		var id, deployment, body string
		if err := scan(&id, &deployment, &body); err != nil {
			return err
		}
		start := Start{}
		var err error
		if start.ID, err = core.ParseUUID(id); err != nil {
			return err
		}
		if start.Deployment, err = core.ParseUUID(deployment); err != nil {
			return err
		}
		all = append(all, start)
		return json.Unmarshal([]byte(body), &all[len(all)-1].Create)
	})
	return all, s.fault(err)
}

func (s *Starts) fault(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && (e.Code == "42P01" || e.Code == "3F000") {
		return core.Errorf(core.EInvalid, "the transaction is on another database than the App: it has no table %s", queries.StartTable)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_ERROR {
		return core.Errorf(core.EInvalid, "the transaction is on another database than the App: %w", err)
	}
	if s.pg {
		return postgresError(err, "Start")
	}
	return sqliteError(err, "Start")
}

// starter is what Starts needs of a connection or transaction.
type starter interface {
	exec(ctx context.Context, text string, args ...any) (rows int64, err error)
	query(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error
}

// sqlTx is a transaction of database/sql, or of a package that wraps it.
type sqlTx interface {
	sqlConn
	Commit() error
	Rollback() error
}

type sqlConn interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

func (s *Starts) starterOf(tx any) (starter, error) {
	switch tx := tx.(type) {
	case pgx.Tx:
		if s.pg {
			return pgStarter{tx}, nil
		}
		return nil, core.Errorf(core.EInvalid, "the transaction is one of PostgreSQL, and the App's database is SQLite; pass a *sql.Tx of Config.DB")
	case sqlTx:
		return sqlStarter{tx}, nil
	case nil:
		return nil, core.Errorf(core.EInvalid, "there is no transaction: tx is nil")
	}
	return nil, core.Errorf(core.EInvalid, "a %T is no transaction; pass a pgx.Tx or a *sql.Tx", tx)
}

type pgConn interface {
	Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

type pgStarter struct{ c pgConn }

func (s pgStarter) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := s.c.Exec(ctx, text, args...)
	return tag.RowsAffected(), err
}

func (s pgStarter) query(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	rows, err := s.c.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

type sqlStarter struct{ c sqlConn }

func (s sqlStarter) exec(ctx context.Context, text string, args ...any) (int64, error) {
	result, err := s.c.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s sqlStarter) query(ctx context.Context, text string, args []any, each func(scan func(...any) error) error) error {
	rows, err := s.c.QueryContext(ctx, text, args...)
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
