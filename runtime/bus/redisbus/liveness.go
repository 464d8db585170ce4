package redisbus

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

// Liveness keeps leases as keys that expire. While Redis does not answer,
// it asks another Liveness.
type Liveness struct {
	client   *redis.Client
	prefix   string
	instead  core.Liveness
	log      *slog.Logger
	health   bus.Health
	mu       sync.Mutex
	notUntil time.Time // Redis has failed, and is not asked again before
}

// askAgain is how long Redis is left alone after it failed: eleven loops would
// wait for its time-outs in turn.
const askAgain = 2 * time.Second

// commandTimeout bounds a single command.
const commandTimeout = 2 * time.Second

// Liveness keeps the leases of a namespace.
func (r Redis) Liveness(namespace string, instead core.Liveness, log *slog.Logger) (bus.Leases, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	return &Liveness{client: client, prefix: "flowlite:" + namespace + ":lease:", instead: instead, log: log}, nil
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

func (l *Liveness) Hold(ctx context.Context, name string, holder core.UUID, ttl time.Duration) (bool, error) {
	n, err := l.run(ctx, holdScript, name, holder.String(), ttl.Milliseconds())
	if err == nil || ctx.Err() != nil {
		return n == 1, err
	}
	return l.instead.Hold(ctx, name, holder, ttl)
}

func (l *Liveness) Release(ctx context.Context, name string, holder core.UUID) error {
	_, _ = l.run(ctx, releaseScript, name, holder.String()) // it ends by itself
	return l.instead.Release(ctx, name, holder)
}

var errLeftAlone = errors.New("Redis does not answer")

func (l *Liveness) run(ctx context.Context, s *redis.Script, name string, args ...any) (int, error) {
	l.mu.Lock()
	alone := time.Now().Before(l.notUntil)
	l.mu.Unlock()
	if alone {
		return 0, errLeftAlone
	}
	once, cancel := context.WithTimeout(ctx, commandTimeout)
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
	switch broke, mended := l.health.Set("lease", err); {
	case broke:
		// The bus through the same Redis has the warning.
		l.log.Info("Redis does not answer; the leases of loops are kept in the database until it does", "error", err)
	case mended:
		l.log.Info("Redis keeps the leases of loops again")
	}
	return n, err
}

// Fault is why Redis does not keep the leases; "" while it does.
func (l *Liveness) Fault() string {
	reason, _ := l.health.Reason()
	return reason
}

func (l *Liveness) Close() { _ = l.client.Close() }
