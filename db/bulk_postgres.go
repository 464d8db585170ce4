package db

import (
	"context"
	"iter"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
)

type postgresBulk struct {
	store   *postgresStore
	tx      pgx.Tx
	indexes []definition
	keys    []definition // how a foreign key is dropped, and made
	tables  []string
}

func bulkPostgres(ctx context.Context, s *postgresStore) (_ Bulk, err error) {
	b := &postgresBulk{store: s}
	defer func() {
		if err != nil {
			_ = b.Close()
		}
	}()
	if b.tx, err = s.pool.Begin(ctx); err != nil {
		return nil, postgresError(err, "Bulk load")
	}
	if _, err := b.tx.Exec(ctx, queries.PatientTransaction); err != nil {
		return nil, postgresError(err, "Bulk load")
	}
	rows, err := b.tx.Query(ctx, queries.Tables(queries.Postgres))
	if err != nil {
		return nil, postgresError(err, "Schema")
	}
	if b.tables, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, postgresError(err, "Schema")
	}
	var full []string
	for _, t := range b.tables {
		var some bool
		if err := b.tx.QueryRow(ctx, queries.AnyRow(t)).Scan(&some); err != nil {
			return nil, postgresError(err, "Table")
		}
		if some {
			full = append(full, t)
		}
	}
	if err := notEmpty(full); err != nil {
		return nil, err
	}
	if b.indexes, err = b.texts(ctx, queries.Secondary(queries.Postgres)); err != nil {
		return nil, err
	}
	if b.keys, err = b.texts(ctx, queries.ForeignKeys); err != nil {
		return nil, err
	}
	for _, k := range b.keys {
		if err := b.exec(ctx, k.name); err != nil {
			return nil, err
		}
	}
	for _, x := range b.indexes {
		if err := b.exec(ctx, queries.DropIndex(x.name)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *postgresBulk) exec(ctx context.Context, text string) error {
	if _, err := b.tx.Exec(ctx, text); err != nil {
		return postgresError(err, "Bulk load")
	}
	return nil
}

func (b *postgresBulk) texts(ctx context.Context, text string) ([]definition, error) {
	rows, err := b.tx.Query(ctx, text)
	if err != nil {
		return nil, postgresError(err, "Schema")
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (d definition, err error) {
		err = r.Scan(&d.name, &d.text)
		return d, err
	})
	if err != nil {
		return nil, postgresError(err, "Schema")
	}
	return out, nil
}

func (b *postgresBulk) Load(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (int64, error) {
	next, stop := iter.Pull(rows)
	defer stop()
	n, err := b.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		r, ok := next()
		if !ok {
			return nil, nil
		}
		return r, nil
	}))
	if err != nil {
		return n, postgresError(err, table)
	}
	return n, nil
}

func (b *postgresBulk) Rows(ctx context.Context, q queries.Query, each func(func(...any) error) error) error {
	return pgRows{b.tx}.rows(ctx, q, each)
}

// numbers lets sequences go on after the rows that brought their own.
func (b *postgresBulk) numbers(ctx context.Context) error {
	rows, err := b.tx.Query(ctx, queries.Sequences)
	if err != nil {
		return postgresError(err, "Schema")
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return postgresError(err, "Schema")
	}
	for _, text := range texts {
		if err := b.exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (b *postgresBulk) Commit(ctx context.Context) error {
	if err := b.numbers(ctx); err != nil {
		return err
	}
	for _, x := range b.indexes {
		if err := b.exec(ctx, x.text); err != nil {
			return err
		}
	}
	for _, k := range b.keys {
		if err := b.exec(ctx, k.text); err != nil {
			return core.Errorf(core.CodeOf(err), "a row refers to one that is not there: %w", err)
		}
	}
	if err := b.exec(ctx, "ANALYZE"); err != nil {
		return err
	}
	if err := b.tx.Commit(ctx); err != nil {
		return postgresError(err, "Bulk load")
	}
	return nil
}

func (b *postgresBulk) Close() error {
	if b.tx != nil {
		_ = b.tx.Rollback(context.Background()) // an error where it was committed
	}
	return b.store.Close()
}
