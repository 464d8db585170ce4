package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// CopiedTable is what Copy moved of a table. The checksum is of what the rows
// mean, in any order: source and target give the same, of whatever engine.
type CopiedTable struct {
	Table    string `json:"table"`
	Rows     int64  `json:"rows"`
	Checksum string `json:"checksum"`
	// Mended is how many values hold U+FFFD now where Postgres cannot store what
	// stood there: a NUL character, half a surrogate pair, or bytes that are no text.
	Mended int64 `json:"mended,omitempty"`
}

// Copy moves all that a database holds into one that is empty, of either
// engine. The source is read as it stands at one moment; the target is
// committed only once it was read back and every table's count and checksum
// are the source's: whatever happens before leaves it empty. What tables and
// columns there are is asked of the databases.
func Copy(ctx context.Context, from, to string, progress func(table string, done, total int)) (_ []CopiedTable, err error) {
	src, err := openSource(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("copy from: %w", err)
	}
	defer func() { err = errors.Join(err, src.close()) }()
	if err := src.distinct(ctx, to); err != nil {
		return nil, err
	}
	tables, err := catalog(ctx, src.d, src.rows)
	if err != nil {
		return nil, fmt.Errorf("copy from: %w", err)
	}
	target, err := OpenBulk(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	d := dialectOf(to)
	there, err := catalog(ctx, d, target.Rows)
	if err != nil {
		return nil, fmt.Errorf("copy to: %w", err)
	}
	if err := agree(tables, there, src.d, d); err != nil {
		return nil, err
	}
	c := &copying{ctx: ctx, src: src, target: target, lossy: d == queries.Postgres && src.d != d, progress: progress}
	var done []CopiedTable
	for _, t := range tables {
		one, err := c.table(t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		done = append(done, one)
	}
	progress("indexes", 0, 1)
	if err := target.Commit(ctx); err != nil {
		return nil, err
	}
	progress("indexes", 1, 1)
	return done, nil
}

type copying struct {
	ctx      context.Context
	src      *source
	target   Bulk
	lossy    bool
	progress func(string, int, int)
}

var errEnough = errors.New("no more rows are wanted")

func (c *copying) table(t *table) (CopiedTable, error) {
	out := CopiedTable{Table: t.name}
	var total int64
	if err := c.src.rows(c.ctx, queries.Query{SQL: queries.CountRows(t.name)}, func(scan func(...any) error) error { return scan(&total) }); err != nil {
		return out, err
	}
	c.progress(t.name, 0, max(1, int(total)))
	all := queries.Query{SQL: queries.AllRows(t.name, t.names(), t.key())}
	var read checksum
	var failed error
	n, err := c.target.Load(c.ctx, t.name, t.names(), func(yield func([]any) bool) {
		failed = c.src.rows(c.ctx, all, func(scan func(...any) error) error {
			row, err := t.scan(scan)
			if err != nil {
				return err
			}
			if c.lossy {
				out.Mended += int64(t.mend(row))
			}
			if err := read.add(t, row); err != nil {
				return err
			}
			if !yield(row) {
				return errEnough
			}
			if read.rows%10_000 == 0 {
				c.progress(t.name, int(read.rows), max(int(read.rows), int(total)))
			}
			return nil
		})
	})
	if failed != nil && !errors.Is(failed, errEnough) {
		return out, failed
	}
	if err != nil {
		return out, err
	}
	var written checksum
	err = c.target.Rows(c.ctx, all, func(scan func(...any) error) error {
		row, err := t.scan(scan)
		if err != nil {
			return err
		}
		return written.add(t, row)
	})
	switch {
	case err != nil:
		return out, fmt.Errorf("read back: %w", err)
	case n != total || written != read:
		return out, core.Errorf(core.EInternal, "%d rows were read and %d written, with the checksums %s and %s; nothing was kept", read.rows, written.rows, &read, &written)
	}
	c.progress(t.name, max(1, int(total)), max(1, int(total)))
	out.Rows, out.Checksum = n, read.String()
	return out, nil
}

// agree makes the kinds of the columns those of the engine that tells them
// apart, and refuses databases that differ in what they have.
func agree(from, to []*table, fromDialect, toDialect queries.Dialect) error {
	names := func(tables []*table) (all []string) {
		for _, t := range tables {
			for _, c := range t.columns {
				all = append(all, t.name+"."+c.name)
			}
		}
		slices.Sort(all)
		return all
	}
	have, want := names(from), names(to)
	var differ []string
	for _, n := range have {
		if !slices.Contains(want, n) {
			differ = append(differ, n)
		}
	}
	for _, n := range want {
		if !slices.Contains(have, n) {
			differ = append(differ, n)
		}
	}
	if len(differ) > 0 {
		return core.Errorf(core.EConflict, "the databases differ in %s; only what flowlite's own migrations made can be copied", strings.Join(differ, ", "))
	}
	if fromDialect == toDialect || fromDialect == queries.Postgres {
		return nil
	}
	for _, t := range from {
		other := to[slices.IndexFunc(to, func(o *table) bool { return o.name == t.name })]
		for i := range t.columns {
			c := &t.columns[i]
			c.kind = other.columns[slices.IndexFunc(other.columns, func(o column) bool { return o.name == c.name })].kind
		}
	}
	return nil
}
