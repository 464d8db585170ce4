package queries_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// Every field of every filter changes the query that it belongs to, on both engines:
// a filter that a query ignores returns rows that nobody asked for.
func TestNoFilterIsIgnored(t *testing.T) {
	page := &core.Page{}
	for _, d := range []queries.Dialect{queries.SQLite, queries.Postgres} {
		walk(t, "flows", func(f core.Filters) queries.Query { return queries.Flows(d, f, page) })
		walk(t, "flow runs", func(f core.Filters) queries.Query { return queries.FlowRuns(d, f, page, nil) })
		walk(t, "task runs", func(f core.Filters) queries.Query { return queries.TaskRuns(d, f, page) })
		walk(t, "deployments", func(f core.Filters) queries.Query { return queries.Deployments(d, f, page) })
		walk(t, "lateness", func(f core.Filters) queries.Query { return queries.Lateness(d, f, 1) })
		walk(t, "history", func(f core.Filters) queries.Query {
			return queries.History(d, "flow_run", core.HistoryQuery{Filters: f, Start: 1, End: 2, Interval: 1}, nil, 1, 1)
		})
		walk(t, "task run history", func(f core.Filters) queries.Query {
			return queries.History(d, "task_run", core.HistoryQuery{Filters: f, Start: 1, End: 2, Interval: 1}, nil, 1, 1)
		})
		walk(t, "work pools", func(f core.WorkPoolFilter) queries.Query { return queries.WorkPools(d, &f, page) })
		walk(t, "work queues", func(f core.WorkQueueFilter) queries.Query { return queries.WorkQueues(d, core.UUID{}, &f, page) })
		walk(t, "workers", func(f core.WorkerFilter) queries.Query { return queries.Workers(d, core.UUID{}, &f, page) })
		walk(t, "logs", func(f core.LogFilter) queries.Query { return queries.Logs(d, &f, page) })
		walk(t, "artifacts", func(f core.ArtifactFilter) queries.Query { return queries.Artifacts(d, &f, page) })
		walk(t, "artifact collections", func(f core.ArtifactFilter) queries.Query { return queries.ArtifactCollections(d, &f, page) })
		walk(t, "variables", func(f core.VariableFilter) queries.Query { return queries.Variables(d, &f, page) })
		walk(t, "automations", func(f core.AutomationFilter) queries.Query { return queries.Automations(d, &f, page) })
		walk(t, "block types", func(f core.BlockFilters) queries.Query { return queries.BlockTypes(d, f, page) })
		walk(t, "block schemas", func(f core.BlockFilters) queries.Query { return queries.BlockSchemas(d, f, page) })
		walk(t, "block documents", func(f core.BlockFilters) queries.Query { return queries.BlockDocuments(d, f, page) })
		walk(t, "events", func(f core.EventFilter) queries.Query { return queries.Events(d, &f, page) })
		walk(t, "event counts", func(f core.EventFilter) queries.Query { return queries.EventCounts(d, &f, "event", 1, 1) })
	}
}

// unread are fields that a query has no use for, by the beginning of query and path.
var unread = map[string]string{
	"artifacts: LatestID":                    "an artifact is a version; collections have a latest one",
	"artifacts: Of.Work":                     "Prefect does not ask artifacts for pools or queues, nor do we",
	"artifact collections: Of.Work":          "as artifacts",
	"block types: Documents":                 "Prefect asks types for schemas alone",
	"block schemas: Documents":               "Prefect asks schemas for nothing else",
	"block schemas: Types":                   "Prefect asks schemas for nothing else",
	"block documents: Documents.IsAnonymous": "not set, it is false",
	"events: Order":                          "any other text than ASC is DESC",
	"event counts: Order":                    "counts have an order of their own",
	"event counts: Resource.Distinct":        "Prefect counts every event",
}

func isUnread(at string) bool {
	for prefix := range unread {
		if strings.HasPrefix(at, prefix) {
			return true
		}
	}
	return false
}

// walk sets each field of a filter, one at a time.
func walk[F any](t *testing.T, name string, query func(F) queries.Query) {
	t.Helper()
	var empty F
	without := fmt.Sprint(query(empty))
	for _, path := range leaves(reflect.TypeFor[F](), nil) {
		var f F
		set(reflect.ValueOf(&f).Elem(), path, false)
		before := fmt.Sprint(query(f))
		set(reflect.ValueOf(&f).Elem(), path, true)
		q := query(f)
		at := name + ": " + strings.Join(path, ".")
		if got := fmt.Sprint(q); q.Err == nil && (got == without || got == before) && !isUnread(at) {
			t.Errorf("%s is ignored\n%s", at, q.SQL)
		}
	}
}

// leaves are the paths of the fields of t that hold values.
func leaves(t reflect.Type, at []string) (out [][]string) {
	if len(at) > 6 {
		return nil // filters that hold each other
	}
	for f := range t.Fields() {
		if f.Name == "Operator" || !f.IsExported() || slices.Contains(at, f.Name) {
			continue
		}
		path := append(slices.Clone(at), f.Name)
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct {
			out = append(out, leaves(ft, path)...)
		} else {
			out = append(out, path)
		}
	}
	return out
}

// set makes the structs on the way to a field, and gives it a value.
func set(v reflect.Value, path []string, value bool) {
	for _, name := range path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.FieldByName(name)
	}
	if value {
		fill(v)
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Array:
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.SetMapIndex(reflect.ValueOf("x").Convert(v.Type().Key()), value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64, reflect.Int:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(7)
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(f)
		}
	}
}
