package db

import (
	"context"
	"database/sql"
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

	mu sync.Mutex
	m  map[string]*sql.Stmt
}

// Dynamic filters make new texts; beyond this many some are prepared anew.
const maxStatements = 512

func (s *statements) get(text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[text]; st != nil {
		return st, nil
	}
	st, err := s.db.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	if len(s.m) >= maxStatements {
		for k, old := range s.m {
			_ = old.Close() // waits for its readers
			delete(s.m, k)
			break
		}
	}
	s.m[text] = st
	return st, nil
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
	return st.ExecContext(s.ctx(ctx), args...)
}

func (s *statements) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	return s.db.PrepareContext(ctx, text)
}

func (s *statements) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := s.get(text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(s.ctx(ctx), args...)
}

func (s *statements) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	st, err := s.get(text)
	if err != nil {
		return s.db.QueryRowContext(context.Background(), text, args...) // gives the same error from Scan
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
