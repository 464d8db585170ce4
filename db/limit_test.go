package db

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// btreeMost is the largest entry of a b-tree of PostgreSQL, in bytes.
const btreeMost = 2704

// notLimited are indexed texts that no client chooses.
var notLimited = map[string]string{
	"flow_run.state_type": "one of nine words", "task_run.state_type": "one of nine words", "server_lease.name": "the name of a service", "setting.key": "a name of ours",
}

// TestIndexedTexts: every text column that an index of PostgreSQL covers has a
// limit, and the entries of each index fit with all its texts at their limits.
func TestIndexedTexts(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		s, err := Open(t.Context(), e.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		rows, err := s.(*postgresStore).pool.Query(t.Context(), `
			SELECT i.indexrelid::regclass::text, c.relname, a.attname, format_type(a.atttypid, NULL)
			FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_am m ON m.amname = 'btree'
			JOIN pg_class x ON x.oid = i.indexrelid AND x.relam = m.oid
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
			WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'schema_version'`)
		if err != nil {
			t.Fatal(err)
		}
		size, used := map[string]int{}, map[string]bool{}
		for rows.Next() {
			var index, table, column, kind string
			if err := rows.Scan(&index, &table, &column, &kind); err != nil {
				t.Fatal(err)
			}
			switch name := table + "." + column; {
			case kind != "text":
				size[index] += 16 // nothing else is larger than a UUID
			case limits[name] != nil:
				used[name] = true
				size[index] += limits[name].Bytes + 8 // its own header, and alignment
			case notLimited[name] != "":
				size[index] += 64
			default:
				t.Errorf("%s is indexed by %s and has no limit", name, index)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for index, n := range size {
			if n += 16; n > btreeMost {
				t.Errorf("an entry of %s may have %d bytes; PostgreSQL takes %d", index, n, btreeMost)
			}
		}
		if len(used) < 25 {
			t.Errorf("only %d limits were looked at", len(used))
		}
		for name := range limits {
			if !used[name] {
				t.Errorf("%s has a limit and is in no index", name)
			}
		}
	}
}

// TestLimitsDocumented: docs/limits.md has a row for each limit of package core.
func TestLimitsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, l := range core.Limits {
		want = append(want, l.Row())
	}
	slices.Sort(want)
	for _, row := range slices.Compact(want) {
		if !strings.Contains(string(doc), row+"\n") {
			t.Errorf("docs/limits.md lacks the row %s", row)
		}
	}
	for line := range strings.Lines(string(doc)) {
		if strings.HasPrefix(line, "| ") && strings.HasSuffix(line, "` |\n") && !slices.Contains(want, strings.TrimSpace(line)) {
			t.Errorf("docs/limits.md has the row %s", line)
		}
	}
	for _, l := range slices.Collect(maps.Values(limits)) {
		if !slices.Contains(core.Limits, l) {
			t.Errorf("%s of %s is not in core.Limits", l.Field, l.Record)
		}
	}
}
