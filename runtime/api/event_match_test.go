package api

import (
	"encoding/json"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// TestMatches: a live event passes a filter exactly if the stored one does.
func TestMatches(t *testing.T) {
	w := memory(t)
	related := event("prefect.flow-run.Cancelling")
	related.Resource = map[string]string{"prefect.resource.id": "prefect.flow-run.1", "prefect.resource.name": "bold-cat"}
	related.Related = []map[string]string{
		{"prefect.resource.id": "prefect.flow.2", "prefect.resource.role": "flow", "prefect.resource.name": "etl"},
		{"prefect.resource.id": "prefect.tag.x", "prefect.resource.role": "tag"},
	}
	events := []*core.Event{related, event("other"), event("prefect.flow-run.Running")}
	if err := w.service.EmitEvents(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]int{
		`{}`: 3,
		// As every client sends it.
		`{"event":{"prefix":null,"exclude_prefix":null,"name":["prefect.flow-run.Cancelling"],"exclude_name":null},"resource":null,"related":null,"any_resource":null,"id":{"id":[]},"text":null,"order":"DESC"}`: 1,
		`{"id":{"id":["` + related.ID.String() + `"]}}`:                           1,
		`{"event":{"prefix":[],"name":[],"exclude_prefix":[],"exclude_name":[]}}`: 3,
		`{"event":{"prefix":["prefect."]}}`:                                       2,
		`{"event":{"exclude_prefix":["prefect."]}}`:                               1,
		`{"event":{"exclude_name":["other"]}}`:                                    2,
		`{"resource":{"id":[],"id_prefix":[]}}`:                                   3,
		`{"resource":{"id":["prefect.flow-run.1"]}}`:                              1,
		`{"resource":{"id_prefix":["prefect.flow"]}}`:                             1,
		`{"resource":{"labels":{"prefect.resource.name":"bold-*"}}}`:              1,
		`{"resource":{"labels":{"prefect.resource.name":["a","bold-cat"]}}}`:      1,
		`{"resource":{"labels":{"prefect.resource.name":"!bold-cat"}}}`:           0,
		`{"resource":{"labels":{"absent":"*"}}}`:                                  0,
		`{"any_resource":[]}`:                                                     3,
		`{"any_resource":{"id":["prefect.flow.2"]}}`:                              1,
		`{"any_resource":{"id":["test.1"]}}`:                                      2,
		`{"any_resource":[{"id":["test.1"]},{"id_prefix":["prefect.tag"]}]}`:      3,
		`{"related":{"id":["prefect.flow.2"],"role":["flow"]}}`:                   1,
		`{"related":{"id":["prefect.flow.2"],"role":["tag"]}}`:                    0,
		`{"related":{"role":[],"id":[]}}`:                                         1, // whoever is related
		`{"related":{"resources_in_roles":[["prefect.tag.x","tag"]]}}`:            1,
		`{"related":{"resources_in_roles":[["prefect.tag.x","flow"]]}}`:           0,
		`{"related":{"labels":{"prefect.resource.name":"etl"}}}`:                  1,
		`{"text":{"query":"bold-cat"}}`:                                           1,
		`{"text":{"query":""}}`:                                                   3,
		`{"occurred":{"until":"2020-01-01T00:00:00Z"}}`:                           0,
	} {
		var f core.EventFilter
		if err := json.Unmarshal([]byte(filter), &f); err != nil {
			t.Fatal(err)
		}
		live := 0
		for _, e := range events {
			if trigger.Passes(&f, e) {
				live++
			}
		}
		stored, err := w.store.CountEvents(t.Context(), &f)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		}
		if live != want || int(stored) != want {
			t.Errorf("%s: %d live, %d stored, want %d", filter, live, stored, want)
		}
	}
}
