// Package bustest is the conformance suite of Bus and of Liveness: each
// implementation keeps the same promises, between the servers of a database and
// through an outage of what connects them.
package bustest

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/db/pgconfig"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/bus/redisbus"
	"github.com/flowlite/flowlite/runtime/core"
)

// RedisURL is the server that FLOWLITE_TEST_REDIS names; "" skips what needs
// it. With CI set a missing server fails the test.
func RedisURL(tb testing.TB) string {
	tb.Helper()
	at := os.Getenv("FLOWLITE_TEST_REDIS")
	if at == "" && os.Getenv("CI") != "" {
		tb.Fatal("CI is set, but FLOWLITE_TEST_REDIS names no Redis to test with")
	}
	return at
}

// Postgres is a new database with flowlite's tables; without a server the test
// is skipped.
func Postgres(tb testing.TB) string {
	tb.Helper()
	engines := dbtest.Engines(tb)
	at := engines[slices.IndexFunc(engines, func(e dbtest.Engine) bool { return e.Name == "postgres" })].URL(tb)
	store, err := db.Open(context.Background(), at)
	if err != nil {
		tb.Fatal(err)
	}
	_ = store.Close()
	return at
}

// Backend is a backend that servers can join.
type Backend struct {
	Name string
	// Bus is that of one more server.
	Bus func(tb testing.TB, o bus.Options) Server
	// Liveness is that of one more server; nil if the backend has none to share.
	Liveness func(tb testing.TB) core.Liveness
	Proxy    *Proxy // nil: there is nothing that could break
}

// Server is what the suite uses of a bus.
type Server interface {
	core.Bus
	Status() bus.Status
}

// Backends are new backends of each kind. A test on one whose server is missing is
// skipped; with CI set it fails.
func Backends(tb testing.TB) map[string]func(testing.TB) *Backend {
	tb.Helper()
	return map[string]func(testing.TB) *Backend{"memory": memory, "postgres": postgres, "redis": redis}
}

// memory is one process: its servers are one.
func memory(tb testing.TB) *Backend {
	b := bus.NewMemory()
	tb.Cleanup(func() { _ = b.Close() })
	return &Backend{Name: "memory", Bus: func(testing.TB, bus.Options) Server { return b }}
}

func postgres(tb testing.TB) *Backend {
	at, proxy := Through(tb, Postgres(tb))
	return &Backend{Name: "postgres", Proxy: proxy,
		Bus: func(tb testing.TB, o bus.Options) Server {
			return opened(tb, func(ctx context.Context) (*bus.Linked, error) { return bus.NewPostgres(ctx, pgconfig.URL(at), o) })
		},
		Liveness: func(tb testing.TB) core.Liveness { return rows(tb, at) },
	}
}

// redis is behind the proxy, the database is not.
func redis(tb testing.TB) *Backend {
	server := RedisURL(tb)
	if server == "" {
		tb.Skip("FLOWLITE_TEST_REDIS names no Redis server")
	}
	at, proxy := Through(tb, server)
	namespace := core.NewID().String()
	database := Postgres(tb)
	return &Backend{Name: "redis", Proxy: proxy,
		Bus: func(tb testing.TB, o bus.Options) Server {
			return opened(tb, func(ctx context.Context) (*bus.Linked, error) { return redisbus.At(at).Bus(ctx, namespace, o) })
		},
		Liveness: func(tb testing.TB) core.Liveness {
			l, err := redisbus.At(at).Liveness(namespace, rows(tb, database), slog.New(slog.DiscardHandler))
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(l.Close)
			return l
		},
	}
}

func opened(tb testing.TB, open func(context.Context) (*bus.Linked, error)) *bus.Linked {
	tb.Helper()
	b, err := open(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.Close() })
	return b
}

func rows(tb testing.TB, at string) core.Liveness {
	tb.Helper()
	l, err := bus.NewPostgresLiveness(context.Background(), pgconfig.URL(at))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.Close)
	return l
}

// Log keeps what is logged.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// Count is how often the log says something.
func (l *Log) Count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// Logger writes into the log.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Soon fails the test unless something becomes true.
func Soon(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-end.C:
			tb.Fatalf("not within 30 s: %s", what)
		}
	}
}
