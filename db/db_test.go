package db_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

func open(t *testing.T, url string) core.Store {
	t.Helper()
	s, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStore is the conformance suite; TestBuiltStatementsInvalidate runs it in memory.
func TestStore(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T) core.Store { return open(t, e.URL(t)) })
		})
	}
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
