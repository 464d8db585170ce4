package redisbus

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
)

type link struct {
	client  *redis.Client
	channel string
}

// Redis joins the servers of a Postgres database.
type Redis struct{ url string }

// At is the Redis at redis://[user:password@]host[:port][/db], rediss:// for TLS, or
// unix://path. Nothing connects before it is used.
func At(url string) Redis { return Redis{url} }

// Check says what is wrong with the address.
func (r Redis) Check() error {
	_, err := r.options()
	return err
}

// Bus is a bus through Redis's pub/sub. The namespace keeps databases that
// share a Redis apart.
func (r Redis) Bus(ctx context.Context, namespace string, o bus.Options) (*bus.Linked, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	return bus.NewLinked(ctx, "redis", &link{client, "flowlite:" + namespace + ":bus"}, o), nil
}

func (r Redis) client() (*redis.Client, error) {
	o, err := r.options()
	if err != nil {
		return nil, err
	}
	return redis.NewClient(o), nil
}

func (r Redis) options() (*redis.Options, error) {
	o, err := redis.ParseURL(r.url)
	if err != nil {
		return nil, core.Errorf(
			core.EInvalid,
			"the Redis address cannot be read (%s); write redis://[user:password@]host[:port][/db], or rediss:// for TLS",
			strings.TrimPrefix(core.URLFault(r.url, err), "redis: "),
		)
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = bus.DialTimeout, bus.DialTimeout, bus.DialTimeout
	o.MaxRetries = -1 // who waits has something else to do meanwhile
	o.DialerRetries = 1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

var errDead = errors.New("the connection is dead: no answer to a ping")

func (l *link) Listen(ctx context.Context, up func(), heard func([]byte)) error {
	s := l.client.Subscribe(ctx)
	defer func() { _ = s.Close() }()
	// Reading does not end with ctx.
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.Subscribe(ctx, l.channel); err != nil {
		return err
	}
	asked := false
	for {
		m, err := s.ReceiveTimeout(ctx, bus.ProbeEvery)
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

func (l *link) Send(ctx context.Context, texts []string) error {
	_, err := l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, t := range texts {
			p.Publish(ctx, l.channel, t)
		}
		return nil
	})
	return err
}

func (l *link) Limit() int { return 64 << 10 }

func (l *link) Close() { _ = l.client.Close() }

// Quiet keeps the Redis client of this program from logging each failed connection. A
// server has one warning for all, and tells the rest at /api/ready.
func Quiet() { redis.SetLogger(silence{}) }

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
