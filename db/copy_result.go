package db

import (
	"context"
	"iter"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// ResultFiles are the results that lie beside a SQLite database.
type ResultFiles interface {
	core.ResultStore
	// Each gives every result, and when it was written.
	Each(ctx context.Context, each func(key string, data []byte, written core.Time) error) error
}

// filed gives the files as rows.
func (c *copying) filed(t *table) rowsOf {
	return func(each func([]any) error) error {
		return c.files.Each(c.ctx, func(key string, data []byte, written core.Time) error {
			values := map[string]any{"key": key, "content": data, "created": written}
			row := make([]any, len(t.columns))
			for i, col := range t.columns {
				row[i] = values[col.name]
			}
			return each(row)
		})
	}
}

// file writes rows as files: when the copy fails later they are of no harm, and
// the next one writes them again.
func (c *copying) file(t *table) func(iter.Seq[[]any]) (int64, error) {
	key, content := t.at("key"), t.at("content")
	return func(rows iter.Seq[[]any]) (n int64, err error) {
		for row := range rows {
			name, _ := row[key].(string)
			data, _ := row[content].([]byte)
			if err := c.files.Put(c.ctx, name, data); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
}

// refiled gives the rows with what their files hold.
func (c *copying) refiled(t *table, rows rowsOf) rowsOf {
	key, content := t.at("key"), t.at("content")
	return func(each func([]any) error) error {
		return rows(func(row []any) error {
			name, _ := row[key].(string)
			data, err := c.files.Get(c.ctx, name)
			if err != nil {
				return err
			}
			row[content] = data
			return each(row)
		})
	}
}

func (t *table) at(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
}
