package db

import (
	"context"
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Each query that writes a table which flow runs are read from declares what it
// invalidates, and no other query does.
func TestQueriesDeclareWhatTheyInvalidate(t *testing.T) {
	store, err := Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := newPlans(t, store.(*sqliteStore))
	n := 0
	for name, text := range queryTexts(t) {
		n++
		writes := p.writeRuns(t, text)
		declared, ok := row.Invalidates[name]
		switch {
		case writes && !ok:
			t.Errorf("%s writes what flow runs are read from; declare what it invalidates beside the query", name)
		case !writes && ok:
			t.Errorf("%s declares that it invalidates %s, but writes nothing that flow runs are read from", name, declared)
		}
		if invalidatesRuns(text) != (declared == "flow_run") {
			t.Errorf("%s: invalidatesRuns is %t, declared is %q", name, invalidatesRuns(text), declared)
		}
	}
	if n < 150 {
		t.Errorf("only %d queries were found", n)
	}
}

// The statements that the conformance suite made the writer prepare, built ones
// included, invalidate cached runs if they can change them, and not otherwise.
func TestBuiltStatementsInvalidate(t *testing.T) {
	seen := map[string]bool{}
	dbtest.Run(t, func(t *testing.T) core.Store {
		store, err := Open(t.Context(), "sqlite::memory:")
		if err != nil {
			t.Fatal(err)
		}
		s := store.(*sqliteStore)
		return watched{s, func() {
			p := newPlans(t, s)
			for key := range s.st.m {
				if strings.HasPrefix(key.text, "-- name: ") || seen[key.text] {
					continue
				}
				seen[key.text] = true
				want := strings.HasPrefix(key.text, "ROLLBACK") || p.writeRuns(t, key.text) && !strings.HasPrefix(key.text, queries.InvalidatesByID)
				if invalidatesRuns(key.text) != want {
					t.Errorf("invalidatesRuns is %t for %s", !want, key.text)
				}
			}
		}}
	})
	inserts := 0
	for text := range seen {
		if strings.Contains(text, "INSERT INTO") {
			inserts++
		}
	}
	if inserts == 0 {
		t.Error("no built write was seen")
	}
}

// watched calls closing before the store closes.
type watched struct {
	*sqliteStore
	closing func()
}

func (w watched) Close() error {
	w.closing()
	return w.sqliteStore.Close()
}

// plans knows which tables a statement writes, from SQLite's own program for it,
// which includes what foreign keys make it do.
type plans struct {
	db     *sql.DB
	tables map[int64]string // by root page, of the tables and their indexes
	runs   map[string]bool  // the tables that a flow run is read from
}

func newPlans(t *testing.T, s *sqliteStore) *plans {
	t.Helper()
	p := &plans{db: s.readDB, tables: map[int64]string{}, runs: map[string]bool{}}
	rows, err := p.db.QueryContext(context.Background(), "SELECT rootpage, tbl_name FROM sqlite_master WHERE rootpage > 0")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var page int64
		var table string
		if err := rows.Scan(&page, &table); err != nil {
			t.Fatal(err)
		}
		p.tables[page] = table
	}
	_ = rows.Close()
	for _, table := range p.opened(t, "SELECT * FROM flow_run_full WHERE id = ?", "OpenRead") {
		p.runs[table] = true
	}
	if len(p.runs) < 4 {
		t.Fatalf("a flow run is read from %v", p.runs)
	}
	return p
}

func (p *plans) writeRuns(t *testing.T, text string) bool {
	t.Helper()
	for _, table := range p.opened(t, text, "OpenWrite", "Clear") {
		if p.runs[table] {
			return true
		}
	}
	return false
}

var parameter = regexp.MustCompile(`\?(\d*)`)

func (p *plans) opened(t *testing.T, text string, by ...string) (tables []string) {
	t.Helper()
	n := 0
	for _, mark := range parameter.FindAllStringSubmatch(text, -1) {
		at, err := strconv.Atoi(mark[1])
		if err != nil {
			at = n + 1
		}
		n = max(n, at)
	}
	rows, err := p.db.QueryContext(context.Background(), "EXPLAIN "+text, make([]any, n)...)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		var addr, p1, p2, p3, p5 int64
		var op string
		var p4, comment any
		if err := rows.Scan(&addr, &op, &p1, &p2, &p3, &p4, &p5, &comment); err != nil {
			t.Fatal(err)
		}
		for _, name := range by {
			if op != name {
				continue
			}
			page := p2
			if op == "Clear" {
				page = p1
			}
			tables = append(tables, p.tables[page])
		}
	}
	return tables
}

// queryTexts are the SQLite texts of queries/*.sql by the names of the queries.
func queryTexts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("sqlitedb/*.sql.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(l.Value)
			if rest, ok := strings.CutPrefix(text, "-- name: "); ok {
				name, _, _ := strings.Cut(rest, " ")
				texts[name] = text
			}
			return true
		})
	}
	return texts
}
