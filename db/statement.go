package db

import (
	"context"
	"database/sql"
	"strings"
	"sync"

	"github.com/flowlite/flowlite/queries"
)

// statements is a sqlc DBTX that prepares each text once.
type statements struct {
	db interface {
		PrepareContext(context.Context, string) (*sql.Stmt, error)
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}
	// detached keeps the caller's context out of the driver: a cancelled
	// statement makes SQLite roll back the whole transaction, other callers'
	// work included.
	detached bool
	wrote    bool // a statement changed something; only the writer looks
	spoilt   bool // and what it knows of flow runs may not be so any more

	mu sync.Mutex
	m  map[string]*statement
}

// statement counts who uses it, so that it is not closed between being handed
// out and being run.
type statement struct {
	*sql.Stmt
	reads   bool // cannot change anything
	spoils  bool // changes what is known of flow runs
	users   int
	evicted bool
}

// Dynamic filters make new texts; beyond this many some are prepared anew.
const maxStatements = 512

func (s *statements) get(text string) (*statement, error) {
	s.mu.Lock()
	if st := s.m[text]; st != nil {
		st.users++
		s.mu.Unlock()
		return st, nil
	}
	s.mu.Unlock()
	// Not under the lock: it may wait for a connection of the pool.
	prepared, err := s.db.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[text]; st != nil {
		_ = prepared.Close()
		st.users++
		return st, nil
	}
	if len(s.m) >= maxStatements {
		for k, old := range s.m {
			delete(s.m, k)
			if old.evicted = true; old.users == 0 {
				_ = old.Close() // rows that are still read keep it until they are closed
			}
			break
		}
	}
	st := &statement{Stmt: prepared, users: 1, reads: reads(text), spoils: s.detached && spoils(text)}
	s.m[text] = st
	return st, nil
}

func reads(text string) bool {
	for strings.HasPrefix(text, "--") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return strings.HasPrefix(text, "SELECT")
}

func (s *statements) put(st *statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.users--; st.evicted && st.users == 0 {
		_ = st.Close()
	}
}

func (s *statements) ctx(ctx context.Context) context.Context {
	if s.detached {
		return context.Background()
	}
	return ctx
}

func (s *statements) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := s.get(text)
	if err != nil {
		return nil, err
	}
	defer s.put(st)
	if st.spoils {
		s.spoilt = true
	}
	result, err := st.ExecContext(s.ctx(ctx), args...)
	if s.detached && err == nil && !s.wrote {
		n, _ := result.RowsAffected()
		s.wrote = n > 0
	}
	return result, err
}

func (s *statements) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	return s.db.PrepareContext(ctx, text)
}

func (s *statements) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := s.get(text)
	if err != nil {
		return nil, err
	}
	defer s.put(st)
	if s.detached && !st.reads {
		s.wrote, s.spoilt = true, s.spoilt || st.spoils
	}
	return st.QueryContext(s.ctx(ctx), args...)
}

func (s *statements) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	st, err := s.get(text)
	if err != nil {
		return s.db.QueryRowContext(context.Background(), text, args...) // gives the same error from Scan
	}
	defer s.put(st)
	if s.detached && !st.reads {
		s.wrote, s.spoilt = true, s.spoilt || st.spoils
	}
	return st.QueryRowContext(s.ctx(ctx), args...)
}

func (s *statements) rows(ctx context.Context, q queries.Query, each func(scan func(...any) error) error) error {
	rows, err := s.QueryContext(ctx, q.SQL, q.Args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *statements) exec(ctx context.Context, q queries.Query) error {
	_, err := s.ExecContext(ctx, q.SQL, q.Args...)
	return err
}
