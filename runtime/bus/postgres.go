package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/queries"
)

type pgLink struct {
	pool    *pgxpool.Pool
	cfg     *pgx.ConnConfig
	channel string
}

// NewPostgres is a bus through LISTEN and NOTIFY, on two connections of its own.
// LISTEN needs a session: behind PgBouncer, one in session mode.
func NewPostgres(ctx context.Context, from pgconfig.Source, o Options) (*Linked, error) {
	pool, err := pgPool(ctx, from, "flowlite bus", 1)
	if err != nil {
		return nil, err
	}
	return NewLinked(ctx, "postgres", &pgLink{pool, pool.Config().ConnConfig, from.Channel()}, o), nil
}

// pgPool connects when it is first needed.
func pgPool(ctx context.Context, from pgconfig.Source, name string, most int32) (*pgxpool.Pool, error) {
	cfg, err := from.Config()
	if err != nil {
		return nil, err
	}
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = most, 0, 0
	cfg.ConnConfig.RuntimeParams["application_name"] = name
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = DialTimeout
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

// renewed drops the sessions that gave an error of the server: after a failover
// they are those of one that only reads now.
func renewed(pool *pgxpool.Pool, err error) error {
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		pool.Reset()
	}
	return err
}

func (l *pgLink) Listen(ctx context.Context, up func(), heard func([]byte)) error {
	conn, err := pgx.ConnectConfig(ctx, l.cfg)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, queries.Listen(l.channel)); err != nil {
		return err
	}
	up()
	for {
		wait, cancel := context.WithTimeout(ctx, ProbeEvery)
		n, err := conn.WaitForNotification(wait)
		late := wait.Err() != nil
		cancel()
		switch {
		case err == nil:
			heard([]byte(n.Payload))
		case ctx.Err() != nil:
			return ctx.Err()
		case !late:
			return err
		default:
			probe, cancel := context.WithTimeout(ctx, DialTimeout)
			err := conn.Ping(probe)
			if err == nil && l.cfg.ValidateConnect != nil {
				err = l.cfg.ValidateConnect(probe, conn.PgConn())
			}
			cancel()
			if err != nil {
				return fmt.Errorf("the connection is dead, or its server no longer accepts writes: %w", err)
			}
		}
	}
}

func (l *pgLink) Send(ctx context.Context, texts []string) error {
	q := queries.Notify(l.channel, texts)
	_, err := l.pool.Exec(ctx, q.SQL, q.Args...)
	return renewed(l.pool, err)
}

// limit: a payload must be shorter than 8,000 bytes.
func (l *pgLink) Limit() int { return 7_900 }

func (l *pgLink) Close() { l.pool.Close() }
