package db

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Backup writes a SQLite database, as it stands at one moment, to a new file.
// A server may go on using it: this only reads. The file appears whole and
// checked or not at all. An existing one is EConflict unless replace is set.
func Backup(ctx context.Context, dsn, file string, replace bool) (size int64, err error) {
	path, err := backupPath(dsn)
	if err != nil {
		return 0, err
	}
	if !replace {
		if _, err := os.Stat(file); err == nil {
			return 0, core.Errorf(core.EConflict, "the file %s exists; name another", file)
		}
	}
	if realPath(path) == realPath(file) {
		return 0, core.Errorf(core.EInvalid, "%s is the database itself; name another file", file)
	}
	pool, err := readOnly(path)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	part, err := beside(file)
	if err != nil {
		return 0, err
	}
	defer os.Remove(part)
	if _, err := pool.ExecContext(ctx, queries.VacuumInto, part); err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, sqliteOpenError(path, err)
	}
	if err := Check(ctx, part); err != nil {
		return 0, err
	}
	return putInPlace(part, file)
}

// Restore makes a file that Backup wrote the database that dsn names. The file
// is checked first, and the database is the old or the new one, whenever this
// ends. A database that is there is EConflict unless replace is set, and
// EUnavailable while a server uses it.
func Restore(ctx context.Context, dsn, file string, replace bool) (err error) {
	path, err := backupPath(dsn)
	if err != nil {
		return err
	}
	if realPath(path) == realPath(file) {
		return core.Errorf(core.EInvalid, "%s is the database itself; name the file of a backup", file)
	}
	if _, err := os.Stat(path); err == nil && !replace {
		return core.Errorf(core.EConflict, "the database %s exists; it would be replaced by the backup", path)
	}
	if err := Check(ctx, file); err != nil {
		return err
	}
	lock, err := lockFile(path)
	if err != nil {
		return err
	}
	defer lock.Close()
	part, err := beside(path)
	if err != nil {
		return err
	}
	defer os.Remove(part)
	if err := copyFile(part, file); err != nil {
		return core.Errorf(core.EUnavailable, "restore to %s: %w", path, err)
	}
	if err := Check(ctx, part); err != nil { // that it arrived
		return err
	}
	settle(ctx, path)
	for _, suffix := range []string{"-wal", "-shm", "-journal"} { // of the old one: SQLite would take them for the new one's
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return core.Errorf(core.EUnavailable, "restore to %s: %w", path, err)
		}
	}
	_, err = putInPlace(part, path)
	return err
}

// Check returns why a SQLite file is no sound database of flowlite, of a
// version that this program knows; nil if it is. It may be in use.
func Check(ctx context.Context, dsn string) error {
	path, err := backupPath(dsn)
	if err != nil {
		return err
	}
	pool, err := readOnly(path)
	if err != nil {
		return err
	}
	defer pool.Close()
	var at int
	if err := pool.QueryRowContext(ctx, queries.SchemaVersion(queries.SQLite)).Scan(&at); err != nil {
		return sqliteOpenError(path, err)
	}
	files, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		return err
	}
	switch {
	case at == 0:
		return core.Errorf(core.EInvalid, "%s is no database of flowlite", path)
	case at > len(files):
		return core.Errorf(
			core.EUnavailable,
			"%s has schema version %d, but this flowlite knows only %d; use a newer flowlite",
			path,
			at,
			len(files),
		)
	}
	var found string
	if err := pool.QueryRowContext(ctx, queries.IntegrityCheck).Scan(&found); err != nil {
		return sqliteOpenError(path, err)
	}
	if found != "ok" {
		return core.Errorf(core.EUnavailable, "%s is damaged: %s; restore a backup", path, found)
	}
	var table, parent string
	var rowid, key sql.NullInt64
	switch err := pool.QueryRowContext(ctx, queries.ForeignKeyCheck).Scan(&table, &rowid, &parent, &key); {
	case err == nil:
		return core.Errorf(
			core.EUnavailable,
			"%s is damaged: a row of %s refers to one of %s that is not there; restore a backup",
			path,
			table,
			parent,
		)
	case !errors.Is(err, sql.ErrNoRows):
		return sqliteOpenError(path, err)
	}
	return nil
}

// backupPath returns EInvalid for what is no file.
func backupPath(dsn string) (string, error) {
	if dialectOf(dsn) == queries.Postgres {
		return "", core.Errorf(core.EInvalid, "a Postgres database has tools of its own for that")
	}
	path, _, err := sqlitePath(dsn)
	if err == nil && path == ":memory:" {
		err = core.Errorf(core.EInvalid, "a database in memory is no file; name one")
	}
	return path, err
}

func readOnly(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, core.Errorf(core.ENotFound, "there is no database %s", path)
	}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	return pool, nil
}

// beside makes an empty file next to the one that it will be.
func beside(file string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return "", core.Errorf(core.EUnavailable, "cannot write beside %s: %w", file, err)
	}
	return f.Name(), f.Close()
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// settle lets the old database take in its log, so that it is whole should
// this be as far as a restore comes; of a damaged one it cannot.
func settle(ctx context.Context, path string) {
	if _, err := os.Stat(path); err != nil {
		return
	}
	if pool, err := sql.Open("sqlite", fileName(path)+"?_pragma=busy_timeout(10000)"); err == nil {
		_, _ = pool.ExecContext(ctx, queries.Checkpoint)
		_ = pool.Close()
	}
}

// putInPlace renames a file once it is on the disk, and then its folder.
func putInPlace(part, file string) (size int64, err error) {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, file)
	}
	if err != nil {
		return 0, core.Errorf(core.EUnavailable, "write %s: %w", file, err)
	}
	if dir, err := os.Open(filepath.Dir(file)); err == nil {
		_ = dir.Sync() // not every system can
		_ = dir.Close()
	}
	return info.Size(), nil
}
