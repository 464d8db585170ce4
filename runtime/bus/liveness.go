package bus

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

var (
	_ core.Liveness = (*PostgresLiveness)(nil)
	_ core.Liveness = (*RedisLiveness)(nil)
)

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

// RedisLiveness keeps leases as keys that expire. While Redis does not answer,
// it asks another Liveness.
type RedisLiveness struct {
	client   *redis.Client
	prefix   string
	instead  core.Liveness
	log      *slog.Logger
	health   health
	mu       sync.Mutex
	notUntil time.Time // Redis has failed, and is not asked again before
}

// askAgain is how long Redis is left alone after it failed: eleven loops would
// wait for its time-outs in turn.
const askAgain = 2 * time.Second

func NewRedisLiveness(url, namespace string, instead core.Liveness, log *slog.Logger) (*RedisLiveness, error) {
	client, err := redisClient(url)
	if err != nil {
		return nil, err
	}
	return &RedisLiveness{client: client, prefix: "flowlite:" + namespace + ":lease:", instead: instead, log: log}, nil
}

var (
	holdScript = redis.NewScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)
	releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)
)

func (l *RedisLiveness) Hold(ctx context.Context, name string, holder core.UUID, ttl time.Duration) (bool, error) {
	n, err := l.run(ctx, holdScript, name, holder.String(), ttl.Milliseconds())
	if err == nil || ctx.Err() != nil {
		return n == 1, err
	}
	return l.instead.Hold(ctx, name, holder, ttl)
}

func (l *RedisLiveness) Release(ctx context.Context, name string, holder core.UUID) error {
	_, _ = l.run(ctx, releaseScript, name, holder.String()) // it ends by itself
	return l.instead.Release(ctx, name, holder)
}

var errLeftAlone = errors.New("Redis does not answer")

func (l *RedisLiveness) run(ctx context.Context, s *redis.Script, name string, args ...any) (int, error) {
	l.mu.Lock()
	alone := time.Now().Before(l.notUntil)
	l.mu.Unlock()
	if alone {
		return 0, errLeftAlone
	}
	once, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	n, err := s.Run(once, l.client, []string{l.prefix + name}, args...).Int()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		l.mu.Lock()
		l.notUntil = time.Now().Add(askAgain)
		l.mu.Unlock()
	}
	switch broke, mended := l.health.set("lease", err); {
	case broke:
		// The bus through the same Redis has the warning.
		l.log.Info("Redis does not answer; the leases of loops are kept in the database until it does", "error", err)
	case mended:
		l.log.Info("Redis keeps the leases of loops again")
	}
	return n, err
}

// Fault is why Redis does not keep the leases; "" while it does.
func (l *RedisLiveness) Fault() string {
	reason, _ := l.health.reason()
	return reason
}

func (l *RedisLiveness) Close() { _ = l.client.Close() }
