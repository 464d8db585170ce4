package db_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
)

func open(t *testing.T, url string) core.Store {
	t.Helper()
	s, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		dbtest.Run(t, func(t *testing.T) core.Store { return open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db")) })
	})
	t.Run("memory", func(t *testing.T) {
		dbtest.Run(t, func(t *testing.T) core.Store { return open(t, "sqlite::memory:") })
	})
	url := os.Getenv("FLOWLITE_TEST_POSTGRES")
	if url == "" && os.Getenv("CI") == "" {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		if url == "" {
			t.Fatal("CI is set, but FLOWLITE_TEST_POSTGRES names no database to test with")
		}
		dbtest.Run(t, func(t *testing.T) core.Store {
			c, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
				t.Fatal(err)
			}
			_ = c.Close(context.Background())
			return open(t, url)
		})
	})
}

func TestSecondProcessIsRefused(t *testing.T) {
	url := filepath.Join(t.TempDir(), "x.db")
	s := open(t, url)
	if _, err := db.Open(t.Context(), url); core.CodeOf(err) != core.EUnavailable {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.WriteFile(path, []byte("this is not a database, whatever its name says it is"), 0o600)
	if _, err := db.Open(t.Context(), path); core.CodeOf(err) != core.EUnavailable {
		t.Fatal(err)
	}
}
