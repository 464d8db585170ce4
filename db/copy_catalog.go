package db

import (
	"cmp"
	"context"
	"slices"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// kind is what a column's values are. SQLite tells only blob, int, float and
// text apart; Postgres all.
type kind string

const (
	kindUUID  kind = "uuid"
	kindTime  kind = "time"
	kindJSON  kind = "json"
	kindBool  kind = "bool"
	kindInt   kind = "int"
	kindFloat kind = "float"
	kindText  kind = "text"
	kindBlob  kind = "blob"
)

var kinds = map[string]kind{
	"uuid": kindUUID, "timestamp with time zone": kindTime, "jsonb": kindJSON, "json": kindJSON, "boolean": kindBool,
	"smallint": kindInt, "integer": kindInt, "bigint": kindInt, "real": kindFloat, "double precision": kindFloat,
	"text": kindText, "character varying": kindText, "bytea": kindBlob, "blob": kindBlob,
}

type column struct {
	name string
	kind kind
	key  int64 // place in the primary key; 0: not in it
}

type table struct {
	name    string
	columns []column
}

func (t *table) names() (out []string) {
	for _, c := range t.columns {
		out = append(out, c.name)
	}
	return out
}

func (t *table) key() (out []string) {
	var in []column
	for _, c := range t.columns {
		if c.key > 0 {
			in = append(in, c)
		}
	}
	slices.SortFunc(in, func(a, b column) int { return cmp.Compare(a.key, b.key) })
	for _, c := range in {
		out = append(out, c.name)
	}
	return out
}

type rowsFunc func(ctx context.Context, q queries.Query, each func(scan func(...any) error) error) error

// catalog is every table that holds data of ours, those that are referred to
// before those that refer.
func catalog(ctx context.Context, d queries.Dialect, rows rowsFunc) ([]*table, error) {
	var all []*table
	err := rows(ctx, queries.Query{SQL: queries.Columns(d)}, func(scan func(...any) error) error {
		var name, declared string
		var c column
		if err := scan(&name, &c.name, &declared, &c.key); err != nil {
			return err
		}
		var known bool
		if c.kind, known = kinds[declared]; !known {
			return core.Errorf(core.EInternal, "column %s of table %s is of type %s, which cannot be copied", c.name, name, declared)
		}
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, &table{name: name})
		}
		t := all[len(all)-1]
		t.columns = append(t.columns, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	parents := map[string][]string{}
	err = rows(ctx, queries.Query{SQL: queries.References(d)}, func(scan func(...any) error) error {
		var child, parent string
		if err := scan(&child, &parent); err != nil {
			return err
		}
		parents[child] = append(parents[child], parent)
		return nil
	})
	return parentsFirst(all, parents), err
}

func parentsFirst(all []*table, parents map[string][]string) (sorted []*table) {
	seen := map[string]bool{}
	var visit func(t *table)
	visit = func(t *table) {
		if seen[t.name] {
			return
		}
		seen[t.name] = true
		for _, p := range parents[t.name] {
			if i := slices.IndexFunc(all, func(t *table) bool { return t.name == p }); i >= 0 {
				visit(all[i])
			}
		}
		sorted = append(sorted, t)
	}
	for _, t := range all {
		visit(t)
	}
	return sorted
}
