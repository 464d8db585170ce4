package dbtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Engine is a kind of database to test with.
type Engine struct {
	Name string
	// URL names a new, empty database that is gone after the test.
	URL func(tb testing.TB) string
}

// Engines are SQLite and PostgreSQL. Where FLOWLITE_TEST_POSTGRES names no server,
// a test that asks for a PostgreSQL database is skipped; with CI set it fails.
func Engines(tb testing.TB) []Engine {
	tb.Helper()
	return []Engine{
		{"sqlite", func(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "x.db") }},
		{"postgres", func(tb testing.TB) string { return postgres(tb, server(tb)) }},
	}
}

func server(tb testing.TB) string {
	tb.Helper()
	at := os.Getenv("FLOWLITE_TEST_POSTGRES")
	switch {
	case at != "":
	case os.Getenv("CI") != "":
		tb.Fatal("CI is set, but FLOWLITE_TEST_POSTGRES names no PostgreSQL server")
	default:
		tb.Skip("FLOWLITE_TEST_POSTGRES names no PostgreSQL server")
	}
	return at
}

func postgres(tb testing.TB, server string) string {
	tb.Helper()
	at, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("test_%016x", rand.Uint64())
	Exec(tb, server, "CREATE DATABASE "+name)
	tb.Cleanup(func() { Exec(tb, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	at.Path = "/" + name
	return at.String()
}

// Exec runs a statement in the Postgres database at url.
func Exec(tb testing.TB, url, text string) {
	tb.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(context.Background(), text); err != nil {
		tb.Fatal(err)
	}
}

// SetReadOnly makes a PostgreSQL database read-only ("on"), or not ("off"), for
// the sessions that begin afterwards.
func SetReadOnly(tb testing.TB, dsn, setting string) {
	tb.Helper()
	asAdmin(tb, dsn, func(name string) string {
		return "ALTER DATABASE " + name + " SET default_transaction_read_only = " + setting
	})
}

// AllowConnections lets sessions begin in a PostgreSQL database, or not.
func AllowConnections(tb testing.TB, dsn string, yes bool) {
	tb.Helper()
	asAdmin(tb, dsn, func(name string) string {
		return "ALTER DATABASE " + name + " ALLOW_CONNECTIONS " + strconv.FormatBool(yes)
	})
}

// EndSessions ends all sessions of a PostgreSQL database.
func EndSessions(tb testing.TB, dsn string) {
	tb.Helper()
	asAdmin(tb, dsn, func(name string) string {
		return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'"
	})
}

// asAdmin runs a statement about a database from outside of it.
func asAdmin(tb testing.TB, dsn string, text func(name string) string) {
	tb.Helper()
	at, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	name := strings.TrimPrefix(at.Path, "/")
	at.Path = "/postgres"
	c, err := pgx.Connect(context.Background(), at.String())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(context.Background(), text(name)); err != nil {
		tb.Fatal(err)
	}
}
