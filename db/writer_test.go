package db

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func openFile(t *testing.T) *sqliteStore {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*sqliteStore)
}

// Ops share a commit, but one that fails after it wrote takes nobody with it.
func TestFailedOpsAreUndoneAlone(t *testing.T) {
	s := openFile(t)
	failed := errors.New("no")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			err := s.Write(t.Context(), func(tx core.Tx) error {
				if err := tx.PutSetting(t.Context(), fmt.Sprint(i), core.ToJSON(i)); err != nil || i%5 != 0 {
					return err
				}
				return failed
			})
			if (i%5 == 0) != errors.Is(err, failed) {
				t.Errorf("op %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i := range 200 {
		if _, err := s.Setting(t.Context(), fmt.Sprint(i)); (i%5 == 0) != core.IsNotFound(err) {
			t.Errorf("setting %d: %v", i, err)
		}
	}
}

// More texts than are kept, by several readers: none gets a closed statement.
func TestEvictedStatementsOutliveTheirUse(t *testing.T) {
	s := openFile(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2 * maxStatements {
				q := queries.Query{SQL: fmt.Sprintf("SELECT %d", i)}
				err := s.dyn.rows(t.Context(), q, func(scan func(...any) error) error { var n int; return scan(&n) })
				if err != nil {
					t.Errorf("%s: %v", q.SQL, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Closed cleanly, all is in the one file: no log is left beside it.
func TestCloseLeavesOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(tx core.Tx) error { return tx.PutSetting(t.Context(), "a", core.ToJSON(1)) }); err != nil {
		t.Fatal(err)
	}
	log := path + "-wal"
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", log, err)
	}
}

func TestUnnumbered(t *testing.T) {
	for text, want := range map[string]string{
		"a = ?1 AND b = ?2": "a = ? AND b = ?", "a = ?1 OR b = ?1": "a = ?1 OR b = ?1", "a = ?2, b = ?1": "a = ?2, b = ?1",
		"a = ? AND b = ?": "a = ? AND b = ?", "SELECT 1": "SELECT 1",
	} {
		if got := unnumbered(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
