package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/queries"
)

// statements is a sqlc DBTX that prepares each text once.
type statements struct {
	db interface {
		PrepareContext(context.Context, string) (*sql.Stmt, error)
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}
	// direct is the writer's, nil for readers. With it the caller's context is
	// kept out of the driver: a cancelled statement makes SQLite roll back the
	// whole transaction, other callers' work included.
	direct *direct
	// shrink, of readers, empties the page caches of all connections. They are
	// one in this build of SQLite: a connection that is idle may keep the room of
	// one that works, which then reads each page anew, in three times the time,
	// and nothing but this ends it.
	shrink      func()
	done        *storeCounts
	wrote       bool // a statement changed something; only the writer looks
	runsInvalid bool // and what it knows of flow runs may not be so any more
	wide        bool // the transaction has a large cache

	mu sync.Mutex
	m  map[statementKey]*statement
}

type statementKey struct {
	text string
	rows bool // gives rows; only the writer makes a difference
}

// statement counts who uses it, so that it is not closed between being handed
// out and being run.
type statement struct {
	*sql.Stmt
	direct      driver.StmtExecContext // instead, for a statement that gives no rows
	reads       bool                   // cannot change anything
	invalidates bool                   // changes what is known of flow runs
	users       int
	evicted     bool
}

// Dynamic filters make new texts; beyond this many some are prepared anew.
const maxStatements = 512

func (s *statements) get(text string, rows bool) (*statement, error) {
	s.done.statements.Add(1)
	key := statementKey{text, rows || s.direct == nil}
	s.mu.Lock()
	if st := s.m[key]; st != nil {
		st.users++
		s.mu.Unlock()
		return st, nil
	}
	s.mu.Unlock()
	// Not under the lock: it may wait for a connection of the pool.
	fresh := &statement{users: 1, reads: reads(text), invalidates: s.direct != nil && invalidatesRuns(text)}
	var err error
	if !key.rows {
		fresh.direct, err = s.direct.prepare(unnumbered(text))
	} else {
		fresh.Stmt, err = s.db.PrepareContext(context.Background(), unnumbered(text))
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[key]; st != nil {
		_ = fresh.Close()
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
	s.m[key] = fresh
	return fresh, nil
}

// widen gives the writer's transaction a large cache, and narrow ends that after it.
func (s *statements) widen(ctx context.Context) error {
	if s.wide {
		return nil
	}
	s.wide = true
	_, err := s.ExecContext(ctx, queries.SQLitePages(widePages))
	return err
}

func (s *statements) narrow() {
	if s.wide {
		s.wide = false
		_, _ = s.ExecContext(context.Background(), queries.SQLitePages(writerPages))
	}
}

// close is for when nobody runs any more: SQLite keeps a connection open,
// and its log beside the file, as long as a statement of it is.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.m {
		_ = st.Close()
	}
	clear(s.m)
}

func (st *statement) Close() error {
	if st.direct != nil {
		return st.direct.(driver.Stmt).Close()
	}
	return st.Stmt.Close()
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
	if s.direct != nil {
		return context.Background()
	}
	return ctx
}

func (s *statements) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if err := clean(args); err != nil {
		return nil, err
	}
	st, err := s.get(text, false)
	if err != nil {
		return nil, err
	}
	defer s.put(st)
	if s.direct == nil {
		return st.ExecContext(ctx, args...)
	}
	s.runsInvalid = s.runsInvalid || st.invalidates
	result, err := s.direct.exec(st.direct, args)
	if err == nil && !s.wrote {
		n, _ := result.RowsAffected()
		s.wrote = n > 0
	}
	return result, err
}

func (s *statements) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	return s.db.PrepareContext(ctx, text)
}

func (s *statements) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if err := clean(args); err != nil {
		return nil, err
	}
	st, err := s.get(text, true)
	if err != nil {
		return nil, err
	}
	defer s.put(st)
	if s.direct != nil && !st.reads {
		s.wrote, s.runsInvalid = true, s.runsInvalid || st.invalidates
	}
	return st.QueryContext(s.ctx(ctx), args...) //nolint:sqlclosecheck // put gives the statement back
}

func (s *statements) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	_ = clean(args) // fails for JSON only, which no statement that gives one row takes
	st, err := s.get(text, true)
	if err != nil {
		return s.db.QueryRowContext(context.Background(), text, args...) // gives the same error from Scan
	}
	defer s.put(st)
	if s.direct != nil && !st.reads {
		s.wrote, s.runsInvalid = true, s.runsInvalid || st.invalidates
	}
	return st.QueryRowContext(s.ctx(ctx), args...)
}

// longRead is from when on a read is worth cleaning up after.
const longRead = 20 * time.Millisecond

func (s *statements) rows(ctx context.Context, q queries.Query, each func(scan func(...any) error) error) error {
	if q.Err != nil {
		return q.Err
	}
	if s.shrink != nil {
		began := time.Now()
		defer func() { // after the rows are closed
			if time.Since(began) > longRead {
				s.shrink()
			}
		}()
	}
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
