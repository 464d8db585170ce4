package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/seal"
)

// messages is what a server uses of its bus.
type messages interface {
	core.Bus
	// Drain ends all subscriptions; what is published still reaches other servers.
	Drain()
	Status() bus.Status
}

// Redis joins the servers of a Postgres database. Package redisbus has it; a program
// without it does not link the Redis client.
type Redis interface {
	// Check says what is wrong with its address.
	Check() error
	// Bus and Liveness are those of the servers of a namespace. Liveness asks instead
	// while Redis does not answer.
	Bus(ctx context.Context, namespace string, o bus.Options) (*bus.Linked, error)
	Liveness(namespace string, instead core.Liveness, log *slog.Logger) (bus.Leases, error)
}

// join makes the bus and the leases that fit the database: a SQLite file has one
// server, those of a Postgres database find each other through it, or through Redis.
func (s *Server) join(ctx context.Context, c *cluster) (core.Liveness, error) {
	if !s.store.Shared() {
		s.bus = bus.NewMemory()
		s.later(func(context.Context) error { return s.bus.Close() })
		return bus.Single(), nil
	}
	rows, err := bus.NewPostgresLiveness(ctx, s.source)
	if err != nil {
		return nil, err
	}
	s.later(func(context.Context) error { rows.Close(); return nil })
	o := bus.Options{Log: s.cfg.Log, Events: s.eventsByID}
	if s.cfg.Redis == nil {
		linked, err := bus.NewPostgres(ctx, s.source, o)
		if err != nil {
			return nil, err
		}
		s.bus = linked
		s.later(func(context.Context) error { return linked.Close() })
		return rows, nil
	}
	s.redis, err = s.cfg.Redis.Liveness(c.ID.String(), rows, s.cfg.Log)
	if err != nil {
		return nil, err
	}
	s.later(func(context.Context) error { s.redis.Close(); return nil })
	linked, err := s.cfg.Redis.Bus(ctx, c.ID.String(), o)
	if err != nil {
		return nil, err
	}
	s.bus = linked
	s.later(func(context.Context) error { return linked.Close() })
	return s.redis, nil
}

func (s *Server) eventsByID(ctx context.Context, ids []core.UUID) ([]*core.Event, error) {
	return s.store.Events(ctx, &core.EventFilter{ID: &core.EventIDs{ID: ids}}, core.Page{Limit: core.MaxLimit})
}

// results are shared where servers are many.
func (s *Server) results() core.ResultStore {
	if shared := db.Results(s.store); shared != nil {
		return shared
	}
	return orchestrate.DirResults(filepath.Join(s.cfg.Home, "results"))
}

// cluster is what the servers of a database have in common.
type cluster struct {
	ID   core.UUID `json:"id"`   // keeps databases that share a Redis apart
	CSRF []byte    `json:"csrf"` // signs CSRF tokens
	Seal string    `json:"seal"` // a word that each server must be able to open
}

const clusterSetting, clusterLock = "server.cluster", "server.cluster.lock"

// cluster reads it, or makes it if this is the first server.
func (s *Server) cluster(ctx context.Context, keys *seal.Ring) (*cluster, error) {
	c := &cluster{}
	err := s.store.Write(ctx, func(tx core.Tx) error {
		// The row holds up other servers that start at this moment.
		if err := tx.PutSetting(ctx, clusterLock, core.ToJSON(core.Now())); err != nil {
			return err
		}
		old, err := tx.Setting(ctx, clusterSetting)
		if err == nil {
			return json.Unmarshal(old, c)
		}
		if !core.IsNotFound(err) {
			return err
		}
		*c = cluster{ID: core.NewID(), CSRF: make([]byte, 32)}
		_, _ = rand.Read(c.CSRF) // never fails
		if c.Seal, err = keys.Seal(c.ID, []byte("flowlite")); err != nil {
			return err
		}
		return tx.PutSetting(ctx, clusterSetting, core.ToJSON(c))
	})
	if err != nil {
		return nil, err
	}
	if _, err := keys.Open(c.ID, c.Seal); err != nil {
		s.cfg.Log.Warn(
			"this server has another encryption key than the first server of the database had; secrets that one has saved cannot be read by the other. "+
				"Give all servers the same "+s.cfg.setting("EncryptionKey")+", with older keys after a comma",
			"key",
			keys.From(),
		)
	}
	return c, nil
}
