package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/db/sqlitedb"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/private"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

type sqliteStore struct {
	reader
	*writer
	writeDB, readDB *sql.DB
	conn            *sql.Conn
	lock            *os.File
	path            string
	temp            string // directory of an in-memory database
}

var _ core.Store = (*sqliteStore)(nil)

// What a connection caches: the file's pages are in the system's memory anyway,
// and a reader forgets its own with each commit. Megabytes more made nothing
// faster.
const (
	writerPages = 1000                         // kB
	writerCache = "&_pragma=cache_size(-1000)" // as writerPages
	readerCache = "&_pragma=cache_size(-512)"
)

// A transaction of many rows changes the same pages of an index again and again. Pages
// that the cache has no room for are written to the log each time, and read back.
const (
	wideFrom  = 500 // flow runs
	widePages = 64_000
)

// plain_text is core.PlainText for queries.
func init() { //nolint:gochecknoinits // the driver's functions are those of all connections
	sqlite.MustRegisterDeterministicScalarFunction(
		"plain_text",
		1,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			if text, ok := args[0].(string); ok {
				return core.PlainText(text), nil
			}
			return args[0], nil
		},
	)
}

func openSQLite(ctx context.Context, path, sync string) (_ core.Store, err error) {
	s := &sqliteStore{}
	defer func() {
		if err != nil {
			_ = s.closeFiles()
		}
	}()
	if path == ":memory:" {
		// SQLite's own in-memory databases lock readers against the writer, so
		// this is a file that nobody syncs, gone at Close.
		if s.temp, err = os.MkdirTemp("", "flowlite-memory-"); err != nil {
			return nil, core.Errorf(core.EUnavailable, "make a temporary database: %w", err)
		}
		path, sync = filepath.Join(s.temp, "flowlite.db"), "OFF"
	}
	s.path = path
	name := fileName(path)
	pragmas := "_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=temp_store(memory)&_pragma=synchronous(" + sync +
		")&_pragma=journal_mode(wal)&_pragma=journal_size_limit(67108864)"
	if s.lock, err = lockFile(path); err != nil {
		return nil, err
	}
	// The files beside it get the mode of the database from SQLite.
	err = errors.Join(private.File(path), private.Existing(path+"-wal", path+"-shm", path+".lock"))
	if err != nil {
		return nil, sqliteOpenError(path, err)
	}
	own := &direct{}
	if own.Connector, err = sqlite.NewConnector(
		name + "?" + pragmas + "&_pragma=wal_autocheckpoint(8000)&_txlock=immediate" + writerCache,
	); err != nil {
		return nil, err
	}
	s.writeDB = sql.OpenDB(own)
	s.writeDB.SetMaxOpenConns(1)
	if s.conn, err = s.writeDB.Conn(ctx); err != nil {
		return nil, sqliteOpenError(path, err)
	}
	if err = migrateSQLite(ctx, s.conn); err != nil {
		return nil, sqliteOpenError(path, err)
	}
	w := &statements{db: s.conn, m: map[statementKey]*statement{}, direct: own}
	t := &tx{reader: reader{q: sqlitedb.New(w), dyn: w, d: queries.SQLite, fail: sqliteError}, runs: runCache{}, st: w}
	s.writer = newWriter(w, t)
	w.done = &s.writer.done
	if s.readDB, err = sql.Open("sqlite", name+"?"+pragmas+"&_pragma=query_only(1)"+readerCache); err != nil {
		return nil, err
	}
	n := max(2, runtime.GOMAXPROCS(0))
	s.readDB.SetMaxOpenConns(n)
	s.readDB.SetMaxIdleConns(n)
	if err = s.readDB.PingContext(ctx); err != nil {
		return nil, sqliteOpenError(path, err)
	}
	r := &statements{db: s.readDB, m: map[statementKey]*statement{}, done: w.done}
	r.shrink = func() {
		if s.readDB.Stats().Idle > 0 { // nobody waits for it
			_, _ = s.readDB.ExecContext(context.Background(), "PRAGMA shrink_memory")
		}
	}
	s.reader = reader{q: sqlitedb.New(r), dyn: r, d: queries.SQLite, fail: sqliteError, splitReads: true}
	return s, nil
}

// fileName is a path as the driver takes it.
func fileName(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

func sqliteVersion(ctx context.Context, c interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (v int, err error) {
	err = c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v)
	return v, err
}

func migrateSQLite(ctx context.Context, c *sql.Conn) error {
	for {
		more, err := migrate("sqlite", func(known int) (int, error) {
			at, err := sqliteVersion(ctx, c)
			if err == nil && at > known {
				err = newerSchema(at, known)
			}
			return at, err
		}, func(v int, text string) error {
			_, err := c.ExecContext(ctx, "BEGIN IMMEDIATE;\n"+text+"\nPRAGMA user_version = "+strconv.Itoa(v)+";\nCOMMIT;")
			if err != nil {
				_, _ = c.ExecContext(context.Background(), "ROLLBACK")
			}
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

func (s *sqliteStore) Engine() string { return "sqlite" }

// Shared is false: the lock on the file keeps other processes out.
func (s *sqliteStore) Shared() bool { return false }

// Facts count the log that is not yet part of the file, too.
func (s *sqliteStore) Facts(ctx context.Context) (*core.StoreFacts, error) {
	f := &core.StoreFacts{Location: s.path}
	if s.temp != "" {
		f.Location = "memory"
	}
	for _, file := range []string{s.path, s.path + "-wal"} {
		info, err := os.Stat(file)
		if err == nil {
			f.Bytes += info.Size()
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, core.Errorf(core.EUnavailable, "look at the database's file: %w", err)
		}
	}
	var err error
	f.Version, err = sqliteVersion(ctx, s.readDB)
	return f, s.err(err, "Database")
}

func (s *sqliteStore) Stats() core.StoreStats {
	out, pool := s.done.stats(), s.readDB.Stats()
	out.InUse, out.Idle, out.MaxConnections, out.Waits = int64(pool.InUse), int64(pool.Idle), int64(pool.MaxOpenConnections), pool.WaitCount
	if info, err := os.Stat(s.path + "-wal"); err == nil {
		out.WALBytes = info.Size()
	}
	return out
}

func (s *sqliteStore) Ping(ctx context.Context) error {
	return s.Write(ctx, func(tx core.Tx) error { return tx.PutSetting(ctx, "ping", core.ToJSON(core.Now())) })
}

func (s *sqliteStore) Close() error {
	s.stop()
	return s.closeFiles()
}

func (s *sqliteStore) closeFiles() error {
	var errs []error
	if s.readDB != nil {
		errs = append(errs, s.readDB.Close())
	}
	if s.writer != nil {
		s.st.close()
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
	if s.writeDB != nil {
		errs = append(errs, s.writeDB.Close())
	}
	if s.lock != nil {
		_ = s.lock.Close()
		s.lock = nil
	}
	if s.temp != "" {
		errs = append(errs, os.RemoveAll(s.temp))
	}
	return errors.Join(errs...)
}

func sqliteOpenError(path string, err error) error {
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	var why string
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			why = "the file is damaged or not a SQLite database; restore a backup, or name another file"
		case sqlite3.SQLITE_READONLY:
			why = "it cannot be written; check the permissions of the file and its directory"
		case sqlite3.SQLITE_CANTOPEN:
			why = "the file cannot be opened or made; check that its directory exists and can be written"
		case sqlite3.SQLITE_FULL:
			why = "the disk is full; make room"
		}
	}
	if why == "" {
		why = err.Error()
	}
	return &core.Error{Code: core.EUnavailable, Message: "database " + path + ": " + why, Err: err}
}

func sqliteError(err error, noun string) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		if errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "database is closed") {
			return errClosed
		}
		return &core.Error{Code: core.EInternal, Message: noun + ": " + err.Error(), Err: err}
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return &core.Error{Code: core.EConflict, Message: noun + " already exists", Err: err}
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return &core.Error{Code: core.EConflict, Message: noun + " refers to something that does not exist", Err: err}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return &core.Error{Code: core.EUnavailable, Message: "the database's disk is full; make room", Err: err}
	case sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_CORRUPT,
		sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_BUSY,
		sqlite3.SQLITE_LOCKED:
		return &core.Error{Code: core.EUnavailable, Message: "the database cannot answer: " + err.Error(), Err: err}
	}
	return &core.Error{Code: core.EInternal, Message: noun + ": " + err.Error(), Err: err}
}
