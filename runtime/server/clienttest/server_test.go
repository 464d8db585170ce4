package clienttest

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// database is an engine; open gives the URL of an empty database of it.
type database struct {
	name string
	open func(t *testing.T) string
}

func databases(t *testing.T) []database {
	t.Helper()
	all := []database{{"sqlite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "flowlite.db") }}}
	base := os.Getenv("FLOWLITE_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI is set, but FLOWLITE_TEST_POSTGRES names no database to test with")
		}
		return all
	}
	return append(all, database{"postgres", func(t *testing.T) string { return freshPostgres(t, base) }})
}

// freshPostgres makes a database of its own, since the store's tests empty the
// one that base names.
func freshPostgres(t *testing.T, base string) string {
	t.Helper()
	name := "clients_" + strings.ReplaceAll(core.NewID().String(), "-", "")
	exec := func(ctx context.Context, sql string) {
		c, err := pgx.Connect(ctx, base)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.Background())
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(t.Context(), "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// startServer starts what `flowlite up` starts, without a flows folder.
func startServer(t *testing.T, d database) *server.Server {
	t.Helper()
	log := &errorLog{}
	s, err := server.New(server.Config{
		Port: -1, Home: t.TempDir(), WorkDir: t.TempDir(), DatabaseURL: d.open(t), Worker: true, DrainGrace: time.Second,
		Version: "test", Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if text := log.String(); text != "" {
			t.Errorf("the server logged errors:\n%s", text)
		}
	})
	return s
}

type errorLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *errorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
