package api

import (
	"maps"
	"reflect"
	"testing"
)

// ignored are the keys that Prefect reads below a body and a struct of ours drops.
func ignored(w *wire, t reflect.Type, at string, seen map[*wire]bool, found *[]string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Implements(optType) {
		f, _ := t.FieldByName("V")
		ignored(w, f.Type, at, seen, found)
		return
	}
	w = w.model()
	switch w.Type {
	case "model", "parameters":
		if t.Kind() != reflect.Struct || seen[w] {
			return
		}
		seen[w] = true
		defer delete(seen, w)
		fields := map[string]reflect.Type{}
		jsonFields(t, fields)
		for _, f := range w.Fields {
			ft, ok := fields[f.Key]
			if !ok {
				*found = append(*found, at+"."+f.Key)
				continue
			}
			ignored(f, ft, at+"."+f.Key, seen, found)
		}
	case "list", "set", "dict":
		if k := t.Kind(); k == reflect.Slice && t != rawType || k == reflect.Map {
			ignored(w.Items, t.Elem(), at+"[]", seen, found)
		}
	case "union", "tagged":
		for _, c := range w.Choices {
			ignored(c, t, at, seen, found)
		}
	}
}

// unread are the keys that no effect of Prefect depends on.
var unread = map[string]string{
	"POST /v2/concurrency_limits/decrement-with-lease.occupancy_seconds": "the lease tells how long the slots were held",
	"POST /v2/concurrency_limits/decrement.create_if_missing":            "deprecated, and ignored by Prefect",
	"POST /v2/concurrency_limits/increment.create_if_missing":            "deprecated, and ignored by Prefect",
}

// TestNoKeyIsIgnored: what Prefect reads of a body, at any depth, is a field here.
// That queries look at each of these is a test of package queries.
func TestNoKeyIsIgnored(t *testing.T) {
	var found []string
	left := maps.Clone(unread)
	for _, g := range bare(Config{}).groups() {
		for _, o := range g.ops {
			plan := planFor(o.method, g.prefix+o.path, o.body)
			if plan == nil || plan.body == nil || o.body == nil {
				continue
			}
			body := o.body
			if reflect.PointerTo(body).Implements(batchedType) {
				body = body.Field(0).Type
			}
			ignored(plan.body, body, o.method+" "+g.prefix+o.path, map[*wire]bool{}, &found)
		}
	}
	for _, key := range found {
		if unread[key] == "" {
			t.Errorf("%s is read by Prefect and ignored here", key)
		}
		delete(left, key)
	}
	for key := range left {
		t.Errorf("%s is read: take it off the list", key)
	}
}
