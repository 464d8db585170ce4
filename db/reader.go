package db

import (
	"context"
	"database/sql"
	"errors"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// dynamic runs a built query; each is called for every row.
type dynamic interface {
	rows(ctx context.Context, q queries.Query, each func(scan func(dest ...any) error) error) error
	exec(ctx context.Context, q queries.Query) error
}

// reader answers core.Reader from a pool or within a transaction.
type reader struct {
	q    row.Querier
	dyn  dynamic
	d    queries.Dialect
	fail func(err error, noun string) error // the engine's errors as core's

	splitReads bool // one long answer may be read by two connections
}

var _ core.Reader = (*reader)(nil)

func (r *reader) err(err error, noun string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return core.NotFound(noun)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if _, ok := errors.AsType[*core.Error](err); ok {
		return err
	}
	return r.fail(err, noun)
}

func (r *reader) ids(ctx context.Context, q queries.Query) (ids []core.UUID, err error) {
	err = r.dyn.rows(ctx, q, func(scan func(...any) error) error {
		var id core.UUID
		if err := scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	})
	return ids, r.err(err, "row")
}

func (r *reader) count(ctx context.Context, q queries.Query) (n int64, err error) {
	err = r.dyn.rows(ctx, q, func(scan func(...any) error) error { return scan(&n) })
	return n, r.err(err, "row")
}

// pad repeats the last id up to a power of two, so that lists of any length
// share a few prepared statements.
func pad[T any](ids []T) []T {
	n := 1
	for n < len(ids) {
		n *= 2
	}
	out := append(make([]T, 0, n), ids...)
	for len(out) < n {
		out = append(out, ids[len(ids)-1])
	}
	return out
}

// byIDs fetches rows and brings them into the order of ids.
func byIDs[K comparable, R, C any](ids []K, fetch func([]K) ([]R, error), conv func(*R) *C, id func(*R) K) ([]*C, error) {
	out := make([]*C, 0, len(ids))
	for len(ids) > 0 {
		part := ids[:min(len(ids), 512)]
		ids = ids[len(part):]
		rows, err := fetch(pad(part))
		if err != nil {
			return nil, err
		}
		at := make(map[K]*R, len(rows))
		for i := range rows {
			at[id(&rows[i])] = &rows[i]
		}
		for _, k := range part {
			if x := at[k]; x != nil {
				out = append(out, conv(x))
			}
		}
	}
	return out, nil
}

func each[R, C any](rows []R, err error, conv func(*R) *C) ([]*C, error) {
	if err != nil {
		return nil, err
	}
	out := make([]*C, len(rows))
	for i := range rows {
		out[i] = conv(&rows[i])
	}
	return out, nil
}

func lim(n int) int64 {
	if n <= 0 {
		return core.MaxLimit
	}
	return int64(n)
}

func decode(j core.JSON, v any) {
	if len(j) > 0 {
		_ = core.Unmarshal(j, v)
	}
}

// orNull stores a JSON null as NULL.
func orNull(j core.JSON) core.JSON {
	if j.IsNull() {
		return nil
	}
	return j
}

func jsonPtr[T any](v *T) core.JSON {
	if v == nil {
		return nil
	}
	return core.ToJSON(v)
}

func ptrJSON[T any](j core.JSON) *T {
	if j.IsNull() {
		return nil
	}
	v := new(T)
	decode(j, v)
	return v
}

// tx adds the writes.
type tx struct {
	reader
	runs runCache    // nil on Postgres
	st   *statements // of SQLite's writer
	pipe *pipeline   // nil on SQLite
}

// known is the cache, emptied if a statement has runsInvalid it.
func (t *tx) known() runCache {
	if t.st.runsInvalid {
		clear(t.runs)
		t.st.runsInvalid = false
	}
	return t.runs
}

var _ core.Tx = (*tx)(nil)

// one turns "no row was changed" into ENotFound.
func (t *tx) one(n int64, err error, noun string) error {
	if err == nil && n == 0 {
		return core.NotFound(noun)
	}
	return t.err(err, noun)
}
