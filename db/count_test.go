package db_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Where no filter says which, SQLite counts the pages of an index, and does not
// go through its rows.
func TestCountsOfAllReadNoRows(t *testing.T) {
	file := t.TempDir() + "/x.db"
	if err := open(t, "sqlite:"+file).Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	for name, q := range map[string]queries.Query{
		"flow_run": queries.FlowRuns(queries.SQLite, core.Filters{}, nil, nil), "task_run": queries.TaskRuns(queries.SQLite, core.Filters{}, nil),
		"deployment": queries.Deployments(queries.SQLite, core.Filters{}, nil),
	} {
		rows, err := raw.QueryContext(t.Context(), "EXPLAIN "+q.SQL, q.Args...)
		if err != nil {
			t.Fatal(err)
		}
		var program []string
		for rows.Next() {
			cells := make([]any, 8)
			into := make([]any, 8)
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			program = append(program, cells[1].(string))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(program, " "); !strings.Contains(text, "Count") || strings.Contains(text, "Next") {
			t.Errorf("all of %s are counted by %s", name, text)
		}
	}
}
