package db

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/db/pgdb"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

type postgresStore struct {
	reader
	pool    *pgxpool.Pool
	renewed atomic.Int64 // when the sessions were dropped last, in nanoseconds
	done    storeCounts
}

var _ core.Store = (*postgresStore)(nil)

// connectTimeout: a database host that is gone answers nothing, not no.
const connectTimeout = 5 * time.Second

// OpenPostgres is Open for a database that may be a program's own.
func OpenPostgres(ctx context.Context, from pgconfig.Source) (core.Store, error) {
	cfg, err := from.Config()
	if err != nil {
		return nil, err
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if !from.Foreign() {
		cfg.ConnConfig.DialFunc = dialer().DialContext
	}
	setUp := cfg.AfterConnect
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := setUp(ctx, conn); err != nil {
			return err
		}
		return setSession(ctx, conn)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, core.Errorf(core.EUnavailable, "connect to Postgres: %s", from.Fault(err))
	}
	err = makeNamespace(ctx, pool, from.Schema)
	if err == nil {
		err = migratePostgres(ctx, pool)
	}
	if err != nil {
		pool.Close()
		if _, ok := errors.AsType[*core.Error](err); ok {
			return nil, err
		}
		return nil, core.Errorf(core.EUnavailable, "open the Postgres database: %w", err)
	}
	s := &postgresStore{pool: pool}
	s.reader = newPostgresReader(cleanPool{pool, &s.done})
	s.fail = func(err error, noun string) error {
		s.renew(err)
		return postgresError(err, noun)
	}
	return s, nil
}

// makeNamespace makes the schema that has the tables. One that is there already needs
// no right to make schemas.
func makeNamespace(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	if schema == "" {
		return nil
	}
	quoted, there := pgx.Identifier{schema}.Sanitize(), false
	if err := pool.QueryRow(ctx, queries.HasNamespace, quoted).Scan(&there); err != nil || there {
		return err
	}
	if _, err := pool.Exec(ctx, queries.MakeNamespace(quoted)); err != nil {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "23505" { // another server made it at this moment
			return nil
		}
		return core.Errorf(core.EUnavailable, "make the schema %s: %w; create it, or let the database's user create schemas", quoted, err)
	}
	return nil
}

// setSession bounds the statements of a session. What its server does not know
// or support stays as it is.
func setSession(ctx context.Context, conn *pgx.Conn) error {
	for _, text := range queries.PostgresSession {
		_, err := conn.PgConn().Exec(ctx, text).ReadAll()
		if _, refused := errors.AsType[*pgconn.PgError](err); err != nil && !refused {
			return err
		}
	}
	return nil
}

// renewEvery is how often all sessions are dropped at most: while a database is
// away, every request finds its session useless.
const renewEvery = time.Second

// renew drops all sessions if err says that one is of no use, since the others
// are as old: after a failover they are those of a server that only reads now.
// New ones are made on whichever host accepts writes.
func (s *postgresStore) renew(err error) {
	if !sessionVerdict(err).drop {
		return
	}
	now, last := time.Now().UnixNano(), s.renewed.Load()
	if now-last > int64(renewEvery) && s.renewed.CompareAndSwap(last, now) {
		s.pool.Reset()
	}
}

func newPostgresReader(db pgdb.DBTX) reader {
	return reader{q: pgdb.New(db), dyn: pgRows{db}, d: queries.Postgres, fail: postgresError}
}

// tries of a transaction that another one made impossible.
const tries = 8

func (s *postgresStore) Write(ctx context.Context, fn func(core.Tx) error) error {
	return s.done.count(func() error { return s.write(ctx, fn) })
}

func (s *postgresStore) write(ctx context.Context, fn func(core.Tx) error) error {
	for n := 1; ; n++ {
		own, err := s.once(ctx, fn)
		if err == nil || n == tries || !sessionVerdict(err).retry {
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

func (s *postgresStore) Engine() string { return "postgres" }

func (s *postgresStore) Shared() bool { return true }

func (s *postgresStore) Facts(ctx context.Context) (*core.StoreFacts, error) {
	c := s.pool.Config().ConnConfig
	f := &core.StoreFacts{Location: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database}
	err := s.pool.QueryRow(ctx, queries.PostgresFacts).Scan(&f.Bytes, &f.Version)
	return f, s.err(err, "Database")
}

func (s *postgresStore) Stats() core.StoreStats {
	out, pool := s.done.stats(), s.pool.Stat()
	out.InUse, out.Idle, out.MaxConnections = int64(pool.AcquiredConns()), int64(pool.IdleConns()), int64(pool.MaxConns())
	out.Waits = pool.EmptyAcquireCount()
	return out
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
	if q.Err != nil {
		return q.Err
	}
	args := q.Args
	if _, ok := p.db.(cleanPool); ok && q.Varies {
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
