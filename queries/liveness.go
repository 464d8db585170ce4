package queries

import (
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// These are Postgres's: a SQLite file has one server. The clock is the
// database's, so that servers need not agree on the time.

// HoldLease takes or renews a lease, and returns a row if it is the holder's.
func HoldLease(name string, holder core.UUID, ttl time.Duration) Query {
	return Query{SQL: `INSERT INTO server_lease AS l (name, holder, expires)
VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
WHERE l.holder = excluded.holder OR l.expires <= clock_timestamp()
RETURNING 1`, Args: []any{name, holder, ttl.Milliseconds()}}
}

func ReleaseLease(name string, holder core.UUID) Query {
	return Query{SQL: `DELETE FROM server_lease WHERE name = $1 AND holder = $2`, Args: []any{name, holder}}
}

// Listen cannot take its channel as a parameter; it is a name of ours.
func Listen(channel string) string { return `LISTEN "` + channel + `"` }

// Notify sends texts in their order.
func Notify(channel string, texts []string) Query {
	return Query{SQL: `SELECT pg_notify($1, t) FROM unnest($2::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n`, Args: []any{channel, texts}}
}
