package pgconfig

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Source is a PostgreSQL database, and the schema in it that has the tables.
type Source struct {
	url  string
	like *pgxpool.Config
	// Schema has the tables; empty: the first one of the search path.
	Schema string
}

// URL is the database at an address.
func URL(dsn string) Source { return Source{url: dsn} }

// Like is the database that a program's own pool connects to. Connections are made
// as that pool makes them: address, credentials, TLS, BeforeConnect. Nothing else of
// the program's hooks is called, and its connections stay as they are.
func Like(pool *pgxpool.Config, schema string) Source {
	return Source{like: pool, Schema: schema}
}

// Config is that of a new pool of connections, which read and write core's types.
func (s Source) Config() (*pgxpool.Config, error) {
	cfg := s.like
	if cfg == nil {
		var err error
		if cfg, err = pgxpool.ParseConfig(s.url); err != nil {
			return nil, core.Errorf(core.EInvalid, "the database address cannot be read: %s", core.URLFault(s.url, err))
		}
	} else {
		cfg = cfg.Copy()
		cfg.BeforeAcquire = nil //nolint:staticcheck // a program may still use it
		cfg.PrepareConn, cfg.AfterRelease, cfg.BeforeClose, cfg.ConnConfig.Tracer = nil, nil, nil, nil
		cfg.ConnConfig.OnNotice, cfg.ConnConfig.OnNotification = nil, nil
		cfg.MinConns, cfg.MinIdleConns = 0, 0
	}
	FindPrimary(&cfg.ConnConfig.Config)
	cfg.AfterConnect = s.setUp
	return cfg, nil
}

func (s Source) setUp(ctx context.Context, conn *pgx.Conn) error {
	RegisterTypes(conn)
	if s.Schema == "" {
		return nil
	}
	_, err := conn.Exec(ctx, queries.SetSearchPath, pgx.Identifier{s.Schema}.Sanitize())
	return err
}

// Channel is the name under which the servers of the schema send each other
// messages: PostgreSQL keeps the channels of databases apart, not those of schemas.
func (s Source) Channel() string {
	if s.Schema == "" {
		return "flowlite"
	}
	return "flowlite:" + s.Schema
}

// Foreign says that connections are made as a program makes its own.
func (s Source) Foreign() bool { return s.like != nil }

// Fault is why the database cannot be connected to, without its credentials.
func (s Source) Fault(err error) string {
	if s.like != nil {
		return core.HideCredentials(err.Error())
	}
	return core.URLFault(s.url, err)
}
