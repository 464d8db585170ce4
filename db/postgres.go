package db

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/db/pgdb"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

type postgresStore struct {
	reader
	pool *pgxpool.Pool
}

var _ core.Store = (*postgresStore)(nil)

// connectTimeout: a database host that is gone answers nothing, not no.
const connectTimeout = 5 * time.Second

func openPostgres(ctx context.Context, dsn string) (core.Store, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "the database address cannot be read: %w", err)
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	cfg.ConnConfig.DialFunc = dialer().DialContext
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, core.Errorf(core.EUnavailable, "connect to Postgres: %w", err)
	}
	if err := migratePostgres(ctx, pool); err != nil {
		pool.Close()
		if _, ok := errors.AsType[*core.Error](err); ok {
			return nil, err
		}
		return nil, core.Errorf(core.EUnavailable, "open the Postgres database: %w", err)
	}
	return &postgresStore{newPostgresReader(pool), pool}, nil
}

func newPostgresReader(db pgdb.DBTX) reader {
	return reader{q: pgdb.New(db), dyn: pgRows{db}, d: queries.Postgres, fail: postgresError}
}

// tries of a transaction that another one made impossible.
const tries = 8

func (s *postgresStore) Write(ctx context.Context, fn func(core.Tx) error) error {
	for n := 1; ; n++ {
		own, err := s.once(ctx, fn)
		if err == nil || n == tries || !retryable(err) {
			if err != nil && own == nil && ctx.Err() == nil { // to begin or to commit
				return s.err(err, "Transaction")
			}
			if _, ok := errors.AsType[*pgconn.PgError](err); ok && core.CodeOf(err) == core.EInternal {
				return s.err(err, "Transaction")
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(n) * 5 * time.Millisecond):
		}
	}
}

func retryable(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "25006" || e.Code == "40001" || e.Code == "40P01")
}

func (s *postgresStore) Engine() string { return "postgres" }

func (s *postgresStore) Facts(ctx context.Context) (*core.StoreFacts, error) {
	c := s.pool.Config().ConnConfig
	f := &core.StoreFacts{Location: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database}
	err := s.pool.QueryRow(ctx, queries.PostgresFacts).Scan(&f.Bytes, &f.Version)
	return f, s.err(err, "Database")
}

func (s *postgresStore) Ping(ctx context.Context) error {
	return s.err(s.Write(ctx, func(tx core.Tx) error { return tx.PutSetting(ctx, "ping", core.ToJSON(core.Now())) }), "Setting")
}

func (s *postgresStore) Close() error {
	s.pool.Close()
	return nil
}

type pgRows struct{ db pgdb.DBTX }

func (p pgRows) rows(ctx context.Context, q queries.Query, each func(scan func(...any) error) error) error {
	args := q.Args
	if _, ok := p.db.(*pgxpool.Pool); ok && q.Varies {
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	rows, err := p.db.Query(ctx, q.SQL, args...)
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

func (p pgRows) exec(ctx context.Context, q queries.Query) error {
	_, err := p.db.Exec(ctx, q.SQL, q.Args...)
	return err
}

func postgresError(err error, noun string) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return &core.Error{Code: core.EUnavailable, Message: "the database cannot answer: " + err.Error(), Err: err}
	}
	switch {
	case e.Code == "23505":
		return &core.Error{Code: core.EConflict, Message: noun + " already exists", Err: err}
	case e.Code == "23503":
		return &core.Error{Code: core.EConflict, Message: noun + " refers to something that does not exist", Err: err}
	case e.Code == "22P05" || e.Code == "22021":
		return &core.Error{Code: core.EInvalid, Message: noun + " contains a NUL character, which Postgres cannot store; leave it out", Err: err}
	case e.Code[:2] == "53" || e.Code[:2] == "57" || e.Code[:2] == "08" || e.Code == "40001" || e.Code == "40P01":
		return &core.Error{Code: core.EUnavailable, Message: "the database cannot answer: " + e.Message, Err: err}
	}
	return &core.Error{Code: core.EInternal, Message: noun + ": " + e.Message, Err: err}
}
