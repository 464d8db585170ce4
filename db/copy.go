package db

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
// columns there are is asked of the databases. Results are files beside a SQLite
// database and rows of a Postgres one: between the two, files says where.
func Copy(
	ctx context.Context,
	from, to string,
	files ResultFiles,
	progress func(table string, done, total int),
) (_ []CopiedTable, err error) {
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
	if src.d != d {
		c.files = files
	}
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
	files    ResultFiles // nil: results are rows on both sides, or stay where they are
	progress func(string, int, int)
}

var errEnough = errors.New("no more rows are wanted")

// rowsOf gives each row of a table.
type rowsOf func(each func(row []any) error) error

func (c *copying) table(t *table) (CopiedTable, error) {
	var total int64
	if err := c.src.rows(
		c.ctx,
		queries.Query{SQL: queries.CountRows(t.name)},
		func(scan func(...any) error) error { return scan(&total) },
	); err != nil {
		return CopiedTable{}, err
	}
	all := queries.Query{SQL: queries.AllRows(t.name, t.names(), t.key())}
	of := func(rows rowsFunc) rowsOf {
		return func(each func([]any) error) error {
			return rows(c.ctx, all, func(scan func(...any) error) error {
				row, err := t.scan(scan)
				if err != nil {
					return err
				}
				return each(row)
			})
		}
	}
	read, written := of(c.src.rows), of(c.target.Rows)
	load := func(rows iter.Seq[[]any]) (int64, error) { return c.target.Load(c.ctx, t.name, t.names(), rows) }
	if t.name == "result" && c.files != nil {
		if c.src.d == queries.SQLite {
			total, read = anyNumber, c.filed(t)
		} else {
			load, written = c.file(t), c.refiled(t, read)
		}
	}
	return c.move(t, total, read, load, written)
}

// anyNumber of rows are read.
const anyNumber = -1

// move loads what is read, and reads back what was written.
func (c *copying) move(t *table, total int64, read rowsOf, load func(iter.Seq[[]any]) (int64, error), written rowsOf) (CopiedTable, error) {
	out := CopiedTable{Table: t.name}
	c.progress(t.name, 0, max(1, int(total)))
	var from, to checksum
	var failed error
	n, err := load(func(yield func([]any) bool) {
		failed = read(func(row []any) error {
			if c.lossy {
				out.Mended += int64(t.mend(row))
				if err := t.tooLong(row); err != nil {
					return err
				}
			}
			if err := from.add(t, row); err != nil {
				return err
			}
			if !yield(row) {
				return errEnough
			}
			if from.rows%10_000 == 0 {
				c.progress(t.name, int(from.rows), max(int(from.rows), int(total)))
			}
			return nil
		})
	})
	if failed != nil && !errors.Is(failed, errEnough) {
		return out, failed
	}
	if err != nil {
		return out, t.blame(err, read)
	}
	err = written(func(row []any) error { return to.add(t, row) })
	switch {
	case err != nil:
		return out, fmt.Errorf("read back: %w", err)
	case n != total && total != anyNumber || to != from:
		return out, core.Errorf(
			core.EInternal,
			"%d rows were read and %d written, with the checksums %s and %s; nothing was kept",
			from.rows,
			to.rows,
			&from,
			&to,
		)
	}
	c.progress(t.name, max(1, int(n)), max(1, int(n)))
	out.Rows, out.Checksum = n, from.String()
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
		return core.Errorf(
			core.EConflict,
			"the databases differ in %s; only what flowlite's own migrations made can be copied",
			strings.Join(differ, ", "),
		)
	}
	if fromDialect == toDialect || fromDialect == queries.Postgres {
		return nil
	}
	for _, t := range from {
		other := to[slices.IndexFunc(to, func(o *table) bool { return o.name == t.name })]
		for i := range t.columns {
			c := &t.columns[i]
			c.kind = other.columns[other.at(c.name)].kind
		}
	}
	return nil
}
