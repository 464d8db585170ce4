package bus

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

var _ core.Liveness = (*PostgresLiveness)(nil)

// Leases are those of a backend that may fail; Liveness then asks another one.
type Leases interface {
	core.Liveness
	// Fault is why the backend does not keep the leases; "" while it does.
	Fault() string
	Close()
}

// PostgresLiveness keeps leases as rows that expire by the database's clock. A
// session lock would outlive its holder for as long as the network does not
// notice.
type PostgresLiveness struct{ pool *pgxpool.Pool }

func NewPostgresLiveness(ctx context.Context, from pgconfig.Source) (*PostgresLiveness, error) {
	pool, err := pgPool(ctx, from, "flowlite leases", 2)
	if err != nil {
		return nil, err
	}
	return &PostgresLiveness{pool}, nil
}

func (l *PostgresLiveness) Hold(ctx context.Context, name string, holder core.UUID, ttl time.Duration) (bool, error) {
	q := queries.HoldLease(name, holder, ttl)
	var one int
	err := l.pool.QueryRow(ctx, q.SQL, q.Args...).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, renewed(l.pool, err)
}

func (l *PostgresLiveness) Release(ctx context.Context, name string, holder core.UUID) error {
	q := queries.ReleaseLease(name, holder)
	_, err := l.pool.Exec(ctx, q.SQL, q.Args...)
	return renewed(l.pool, err)
}

func (l *PostgresLiveness) Close() { l.pool.Close() }
