// Package pgconfig sets up connections to PostgreSQL, for the database and for
// the message bus.
package pgconfig

import (
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// FindPrimary makes a client of several hosts connect to the one that accepts
// writes. A single host is used as it is: while it only reads, reads go on.
func FindPrimary(cfg *pgconn.Config) {
	several := slices.ContainsFunc(cfg.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != cfg.Host || f.Port != cfg.Port })
	if several && cfg.ValidateConnect == nil {
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}
