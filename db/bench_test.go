package db_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
)

// The floor: one durable commit of one small row, without us.
func BenchmarkFloor(b *testing.B) {
	c, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "x.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	c.SetMaxOpenConns(1)
	if _, err := c.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"); err != nil {
		b.Fatal(err)
	}
	st, err := c.Prepare("INSERT INTO t (v) VALUES (?)")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := st.Exec("x"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetFlowRunState(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s, err := db.Open(b.Context(), filepath.Join(b.TempDir(), "x.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			runs := newRuns(b, s, writers)
			b.ResetTimer()
			var wg sync.WaitGroup
			for w, r := range runs {
				wg.Go(func() {
					for range (b.N + writers - 1 - w) / writers {
						r.State = core.StateCreate{Type: core.Running}.State(r.StateTimestamp + 1)
						if err := s.Write(b.Context(), func(tx core.Tx) error { return tx.SetFlowRunState(b.Context(), r) }); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func newRuns(tb testing.TB, s core.Store, n int) (runs []*core.FlowRun) {
	f := &core.Flow{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), Name: "f"}
	err := s.Write(tb.Context(), func(tx core.Tx) error {
		runs = nil
		if _, _, err := tx.UpsertFlow(tb.Context(), f); err != nil {
			return err
		}
		for range n {
			r := &core.FlowRun{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), Name: "r", FlowID: f.ID, State: core.StateCreate{Type: core.Pending}.State(core.Now())}
			if _, err := tx.InsertFlowRun(tb.Context(), r); err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return runs
}

func TestManyWriters(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "x.db"))
	defer func() { _ = s.Close() }()
	var wg sync.WaitGroup
	for _, r := range newRuns(t, s, 32) {
		wg.Go(func() {
			for range 20 {
				r.State = core.StateCreate{Type: core.Running}.State(r.StateTimestamp + 1)
				if err := s.Write(t.Context(), func(tx core.Tx) error { return tx.SetFlowRunState(t.Context(), r) }); err != nil {
					t.Error(err)
				}
				if _, err := s.FlowRun(t.Context(), r.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	c, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if _, err := db.Open(t.Context(), path); core.CodeOf(err) != core.EUnavailable {
		t.Fatal(err)
	}
}
