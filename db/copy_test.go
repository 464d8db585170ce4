package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func quiet(string, int, int) {}

// filled is a database with three rows in each table that there is: of a row
// every id is the same, so that all references hold; of the third what may be
// NULL is. as names a database whose columns tell their kind.
func filled(t *testing.T, as string) string {
	t.Helper()
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "a.db")
	kindOf := map[string]kind{}
	like, err := OpenBulk(ctx, as)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := catalog(ctx, dialectOf(as), like.Rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range tables {
		for _, c := range tab.columns {
			kindOf[tab.name+"."+c.name] = c.kind
		}
	}
	if err := like.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := OpenBulk(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	required := map[string]bool{}
	if err := b.Rows(ctx, queries.Query{SQL: `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE c."notnull" OR c.pk > 0`}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		required[name] = true
		return err
	}); err != nil {
		t.Fatal(err)
	}
	tables, err = catalog(ctx, queries.SQLite, b.Rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range tables {
		rows := func(yield func([]any) bool) {
			for i := range 3 {
				var row []any
				for _, c := range tab.columns {
					name := tab.name + "." + c.name
					if i == 2 && !required[name] {
						row = append(row, nil)
					} else {
						row = append(row, madeUp(kindOf[name], i))
					}
				}
				if !yield(row) {
					return
				}
			}
		}
		if _, err := b.Load(ctx, tab.name, tab.names(), rows); err != nil {
			t.Fatal(tab.name, err)
		}
	}
	if err := b.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	return path
}

func madeUp(k kind, i int) any {
	switch k {
	case kindUUID, kindBlob:
		return seedID(core.Time(1_700_000_000_000_000), 1, i)
	case kindTime:
		return core.Time(1_700_000_000_123_456 + i)
	case kindBool:
		return i%2 == 0
	case kindInt:
		return int64(i + 1)
	case kindFloat:
		return 0.1 + float64(i)
	case kindJSON:
		return core.JSON(fmt.Sprintf(`{"b" : [1e2, -0.50, 12345678901234567890, null, true], "a":"\u00e4 ' \\u0000 \ud83d\ude00 %d", "n":{"x":%d}}`, i, i))
	}
	return fmt.Sprintf(`"é '%d' \u0000 \"`, i)
}

// dump is what tables hold, JSON by its meaning.
func dump(t *testing.T, path string) map[string][][]any {
	t.Helper()
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	conn, err := raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tables, err := catalog(t.Context(), queries.SQLite, connRows{conn}.rows)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][][]any{}
	for _, tab := range tables {
		if err := (connRows{conn}).rows(t.Context(), queries.Query{SQL: queries.AllRows(tab.name, tab.names(), tab.key())}, func(scan func(...any) error) error {
			row := make([]any, len(tab.columns))
			into := make([]any, len(row))
			for i := range row {
				into[i] = &row[i]
			}
			err := scan(into...)
			for i := range row {
				var x any
				if s, text := row[i].(string); text && strings.HasPrefix(s, "{") && json.Unmarshal([]byte(s), &x) == nil {
					row[i] = x
				}
			}
			out[tab.name] = append(out[tab.name], row)
			return err
		}); err != nil {
			t.Fatal(tab.name, err)
		}
	}
	return out
}

func copied(t *testing.T, from, to string) map[string]CopiedTable {
	t.Helper()
	all, err := Copy(t.Context(), from, to, nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]CopiedTable{}
	for _, c := range all {
		if c.Rows == 0 || c.Mended != 0 {
			t.Errorf("%+v", c)
		}
		out[c.Table] = c
	}
	return out
}

// What is copied there and back is what it was: every table and column that
// the migrations made, whoever added it.
func TestCopyRoundTrip(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			like := e.URL(t)
			from, back := filled(t, like), filepath.Join(t.TempDir(), "c.db")
			there := copied(t, from, like)
			again := copied(t, like, back)
			if !reflect.DeepEqual(there, again) {
				t.Errorf("checksums differ:\n%v\n%v", there, again)
			}
			before, after := dump(t, from), dump(t, back)
			for name := range before {
				if len(before[name]) != 3 || !reflect.DeepEqual(before[name], after[name]) {
					t.Errorf("%s:\n%v\n%v", name, before[name], after[name])
				}
			}
			if len(before) < 30 || len(before) != len(after) || len(before) != len(there) {
				t.Errorf("%d tables, %d after, %d reported", len(before), len(after), len(there))
			}
			s, err := Open(t.Context(), like)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			logs := []*core.Log{{Name: "n", Message: "m", Timestamp: core.Now()}}
			if err := s.Write(t.Context(), func(tx core.Tx) error { return tx.InsertLogs(t.Context(), logs) }); err != nil || logs[0].Seq != 4 {
				t.Errorf("a log after the copy has number %d: %v", logs[0].Seq, err)
			}
		})
	}
}

func TestCopyOrder(t *testing.T) {
	b, err := OpenBulk(t.Context(), filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	tables, err := catalog(t.Context(), queries.SQLite, b.Rows)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return slices.IndexFunc(tables, func(t *table) bool { return t.name == name }) }
	for _, pair := range [][2]string{{"flow", "deployment"}, {"work_queue", "deployment"}, {"flow", "flow_run"}, {"task_run", "task_queue"}, {"block_schema", "block_document"}} {
		if at(pair[0]) < 0 || at(pair[0]) >= at(pair[1]) {
			t.Errorf("%v: %d, %d", pair, at(pair[0]), at(pair[1]))
		}
	}
}

// raw writes what only an older version could have written.
func raw(t *testing.T, path string, texts ...string) {
	t.Helper()
	c, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, text := range texts {
		if _, err := c.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

// Rows that cannot be copied are named, with the column and the reason.
func TestCopyNamesRows(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		if e.Name != "postgres" {
			continue
		}
		for _, c := range []struct{ name, change, says string }{
			{"text", `UPDATE flow SET name = hex(randomblob(1500))`, `table flow: the row id=[0-9a-f-]+ cannot be copied: its column name has 3000 bytes, .*at most 2500`},
			{"number", `UPDATE flow SET labels = '{"a":1e200000}'`, `table flow: the row id=[0-9a-f-]+ cannot be copied: .*column labels`},
		} {
			path := filepath.Join(t.TempDir(), "a.db")
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(t.Context(), func(tx core.Tx) error {
				_, _, err := tx.UpsertFlow(t.Context(), &core.Flow{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), Name: "f"})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			raw(t, path, c.change)
			if _, err := Copy(t.Context(), path, e.URL(t), nil, quiet); err == nil || !regexp.MustCompile(c.says).MatchString(err.Error()) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// What Postgres cannot store is replaced and told, not a reason to fail.
func TestCopyMends(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			path, to := filepath.Join(t.TempDir(), "a.db"), e.URL(t)
			s, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(t.Context(), func(tx core.Tx) error {
				if err := tx.PutSetting(t.Context(), "k", core.JSON(`"x"`)); err != nil {
					return err
				}
				return tx.InsertLogs(t.Context(), []*core.Log{{Name: "n", Message: "m", Timestamp: core.Now()}})
			}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			// What an older version has stored.
			raw(t, path, `UPDATE setting SET value = '"\u0000"' WHERE key = 'k'`, `UPDATE log SET message = CAST(x'610062ff' AS TEXT)`)
			all, err := Copy(t.Context(), path, to, nil, quiet)
			if err != nil {
				t.Fatal(err)
			}
			want, mended := "a\x00b\xff", int64(0)
			if e.Name == "postgres" {
				want, mended = "a\uFFFDb\uFFFD", 2
			}
			var n int64
			for _, c := range all {
				n += c.Mended
			}
			if s, err = Open(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			logs, err := s.Logs(t.Context(), nil, core.Page{})
			if err != nil || len(logs) != 1 || logs[0].Message != want || n != mended {
				t.Errorf("%v %+v, %d mended", err, logs, n)
			}
		})
	}
}

// What is given up, or arrives other than it left, leaves the target empty.
func TestCopyGivenUp(t *testing.T) {
	from := filled(t, filepath.Join(t.TempDir(), "like.db"))
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			to := e.URL(t)
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := Copy(ctx, from, to, nil, func(table string, _, _ int) {
				if table == "flow_run" {
					cancel()
				}
			}); err == nil {
				t.Fatal("a copy that was cancelled ends well")
			}
			b, err := OpenBulk(t.Context(), to)
			if err != nil {
				t.Fatal("the target is not empty:", err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	to := filepath.Join(t.TempDir(), "b.db")
	s, err := Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	raw, err := sql.Open("sqlite", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(`CREATE TRIGGER x AFTER INSERT ON variable BEGIN UPDATE variable SET tags = '["changed"]'; END`); err != nil {
		t.Fatal(err)
	}
	_ = raw.Close()
	if _, err := Copy(t.Context(), from, to, nil, quiet); core.CodeOf(err) != core.EInternal || !strings.Contains(err.Error(), "checksums") {
		t.Error("rows that changed on the way:", err)
	}
	if n := len(dump(t, to)); n != 0 {
		t.Errorf("%d tables of the target hold rows", n)
	}
}

func TestCopyRefuses(t *testing.T) {
	dir := t.TempDir()
	from, empty := filled(t, filepath.Join(dir, "like.db")), filepath.Join(dir, "empty.db")
	for _, c := range []struct {
		name, from, to, says string
		code                 core.Code
	}{
		{"no source", filepath.Join(dir, "none.db"), empty, "there is no database", core.ENotFound},
		{"itself", from, "sqlite:" + filepath.Join(filepath.Dir(from), ".", filepath.Base(from)), "to itself", core.EInvalid},
		{"full target", from, filled(t, filepath.Join(dir, "like.db")), "not empty", core.EConflict},
		{"other address", "mysql://x", empty, "is not known", core.EInvalid},
	} {
		if _, err := Copy(t.Context(), c.from, c.to, nil, quiet); core.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	s, err := Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Copy(t.Context(), from, empty, nil, quiet); core.CodeOf(err) != core.EUnavailable || !strings.Contains(err.Error(), "in use") {
		t.Error("a source that a server uses:", err)
	}
	_ = s.Close()
	raw, err := sql.Open("sqlite", from)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for version, says := range map[int]string{1: "flowlite db upgrade", 999: "newer flowlite", 0: "no database of flowlite"} {
		if _, err := raw.Exec(fmt.Sprint("PRAGMA user_version = ", version)); err != nil {
			t.Fatal(err)
		}
		if _, err := Copy(t.Context(), from, empty, nil, quiet); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("version %d: %v", version, err)
		}
	}
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			url := e.URL(t)
			if _, err := Copy(t.Context(), url, empty, nil, quiet); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "no database of flowlite") {
				t.Error("a Postgres database of others:", err)
			}
			s, err := Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			if _, err := Copy(t.Context(), url, url, nil, quiet); core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "to itself") {
				t.Error("Postgres to itself:", err)
			}
		}
	}
}
