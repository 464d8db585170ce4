package db

import (
	"context"

	"github.com/flowlite/flowlite/db/pgdb"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// clean makes the arguments of a statement what both engines can store, in
// place: every text and every JSON on its way into a database passes here. What
// is looked up is cleaned, too, and is found by the text that it was stored by.
// Returns EInvalid for JSON that core.CheckJSON refuses, and for more values than
// SQLite takes.
func clean(args []any) error {
	n := len(args)
	for i, a := range args {
		switch v := a.(type) {
		case string:
			if s := core.CleanText(v); s != v {
				args[i] = s
			}
		case *string:
			if v != nil {
				if s := core.CleanText(*v); s != *v {
					args[i] = &s
				}
			}
		case []string:
			n += len(v)
			args[i] = cleanAll(v)
		case []*string: // a column of many rows
			for j, s := range v {
				if s != nil {
					if c := core.CleanText(*s); c != *s {
						v[j] = &c
					}
				}
			}
		case queries.JSONColumn:
			for j, s := range v {
				if s != nil {
					if err := core.CheckJSON(core.JSON(*s)); err != nil {
						return err
					}
					v[j] = core.Ptr(string(core.CleanJSON(core.JSON(*s))))
				}
			}
		case []core.UUID:
			n += len(v)
		case core.Tags:
			args[i] = core.Tags(cleanAll(v))
		case core.JSON:
			if err := core.CheckJSON(v); err != nil {
				return err
			}
			if v != nil {
				args[i] = core.CleanJSON(v)
			}
		}
	}
	if n > queries.MaxArgs {
		return core.Errorf(core.EInvalid, "the request has lists of more than %d values; send several requests with fewer", queries.MaxArgs)
	}
	return nil
}

// cleanAll copies only what it changes.
func cleanAll(texts []string) []string {
	for i, s := range texts {
		if c := core.CleanText(s); c != s {
			texts = append(append(append([]string(nil), texts[:i]...), c), cleanAll(texts[i+1:])...)
			break
		}
	}
	return texts
}

// cleanPool cleans the arguments of what is asked outside of transactions.
type cleanPool struct {
	*pgxpool.Pool
	done *storeCounts
}

var _ pgdb.DBTX = cleanPool{}

func (p cleanPool) Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	if err := clean(args); err != nil {
		return pgconn.CommandTag{}, err
	}
	p.done.statements.Add(1)
	return p.Pool.Exec(ctx, text, args...)
}

func (p cleanPool) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	if err := clean(args); err != nil {
		return nil, err
	}
	p.done.statements.Add(1)
	return p.Pool.Query(ctx, text, args...)
}

func (p cleanPool) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	if err := clean(args); err != nil {
		return pipelineRow{err: err}
	}
	p.done.statements.Add(1)
	return p.Pool.QueryRow(ctx, text, args...)
}
