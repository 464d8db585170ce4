package db

import (
	"context"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

var _ core.ResultStore = results{}

// results keeps them in the database, where every server finds them.
type results struct{ s *postgresStore }

// Results is where a database's servers share results; nil for SQLite, whose
// one server keeps them as files.
func Results(s core.Store) core.ResultStore {
	if pg, ok := s.(*postgresStore); ok {
		return results{pg}
	}
	return nil
}

func (r results) Put(ctx context.Context, key string, data []byte) error {
	if err := core.MaxResultKey.Check(key); err != nil {
		return err
	}
	return r.s.err(r.s.dyn.exec(ctx, queries.PutResult(key, data, core.Now())), "Result")
}

func (r results) Get(ctx context.Context, key string) (data []byte, err error) {
	found := false
	err = r.s.dyn.rows(ctx, queries.Result(key), func(scan func(...any) error) error {
		found = true
		return scan(&data)
	})
	if err == nil && !found {
		return nil, core.NotFound("Result")
	}
	return data, r.s.err(err, "Result")
}

func (r results) GetUpTo(ctx context.Context, key string, most int64) (data []byte, size int64, err error) {
	found := false
	err = r.s.dyn.rows(ctx, queries.ResultUpTo(key, most), func(scan func(...any) error) error {
		found = true
		return scan(&size, &data)
	})
	if err == nil && !found {
		return nil, 0, core.NotFound("Result")
	}
	return data, size, r.s.err(err, "Result")
}

func (r results) DeleteAll(ctx context.Context, folder string) error {
	return r.s.err(r.s.dyn.exec(ctx, queries.DeleteResults(folder)), "Result")
}
