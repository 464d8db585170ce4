package db

import (
	"context"
	"iter"
	"strings"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Bulk fills a database that holds nothing yet, all in one transaction: what
// happens before Commit leaves it empty. Secondary indexes and foreign keys are
// made and checked at the end, several times faster than row by row.
type Bulk interface {
	// Load adds rows to a table and returns how many. The values of a row are in
	// the order of the columns, of the types that the columns have in package row.
	Load(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (int64, error)
	// Rows reads what was loaded, within the transaction.
	Rows(ctx context.Context, q queries.Query, each func(scan func(dest ...any) error) error) error
	// Commit returns an error where a row refers to one that is not there.
	Commit(ctx context.Context) error
	// Close gives up what was not committed.
	Close() error
}

// OpenBulk opens the database that dsn names, as Open does. Nobody else may
// use it until Close. A database that holds rows is EConflict.
func OpenBulk(ctx context.Context, dsn string) (Bulk, error) {
	s, err := Open(ctx, dsn) // makes the schema
	if err != nil {
		return nil, err
	}
	switch s := s.(type) {
	case *sqliteStore:
		return bulkSQLite(ctx, s)
	case *postgresStore:
		return bulkPostgres(ctx, s)
	}
	_ = s.Close()
	return nil, core.Errorf(core.EInternal, "no bulk load for the engine %s", s.Engine())
}

func notEmpty(full []string) error {
	if len(full) == 0 {
		return nil
	}
	return core.Errorf(core.EConflict, "the database is not empty (%s); name one that is new", strings.Join(full, ", "))
}

type definition struct{ name, text string }
