package bus

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/flowlite/flowlite/runtime/core"
)

type redisLink struct {
	client  *redis.Client
	channel string
}

// NewRedis is a bus through Redis's pub/sub. The namespace keeps databases that
// share a Redis apart.
func NewRedis(ctx context.Context, url, namespace string, o Options) (*Linked, error) {
	client, err := redisClient(url)
	if err != nil {
		return nil, err
	}
	return newLinked(ctx, "redis", &redisLink{client, "flowlite:" + namespace + ":bus"}, o), nil
}

func redisClient(url string) (*redis.Client, error) {
	o, err := RedisOptions(url)
	if err != nil {
		return nil, err
	}
	return redis.NewClient(o), nil
}

// RedisOptions reads redis://[user:password@]host[:port][/db], rediss:// for
// TLS, or unix://path.
func RedisOptions(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, core.Errorf(
			core.EInvalid,
			"the Redis address cannot be read (%s); write redis://[user:password@]host[:port][/db], or rediss:// for TLS",
			strings.TrimPrefix(core.URLFault(url, err), "redis: "),
		)
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, dialTimeout, dialTimeout
	o.MaxRetries = -1 // who waits has something else to do meanwhile
	o.DialerRetries = 1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

var errDead = errors.New("the connection is dead: no answer to a ping")

func (l *redisLink) listen(ctx context.Context, up func(), heard func([]byte)) error {
	s := l.client.Subscribe(ctx)
	defer func() { _ = s.Close() }()
	// Reading does not end with ctx.
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.Subscribe(ctx, l.channel); err != nil {
		return err
	}
	asked := false
	for {
		m, err := s.ReceiveTimeout(ctx, probeEvery)
		switch m := m.(type) {
		case *redis.Subscription:
			up()
		case *redis.Message:
			heard([]byte(m.Payload))
		}
		if err == nil {
			asked = false
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if late := net.Error(nil); !errors.As(err, &late) || !late.Timeout() {
			return err
		}
		if asked {
			return errDead
		}
		if err := s.Ping(ctx); err != nil {
			return err
		}
		asked = true
	}
}

func (l *redisLink) send(ctx context.Context, texts []string) error {
	_, err := l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, t := range texts {
			p.Publish(ctx, l.channel, t)
		}
		return nil
	})
	return err
}

func (l *redisLink) limit() int { return 64 << 10 }

func (l *redisLink) close() { _ = l.client.Close() }

// redisTimeout bounds a single command.
const redisTimeout = 2 * time.Second
