package api

import (
	"context"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// TestResultsForPrefect: a Prefect client takes a state's data for the result
// itself, while ours know an envelope; records of Prefect's own stay as they are.
func TestResultsForPrefect(t *testing.T) {
	w := memory(t)
	flow := w.flow("f")
	large := core.JSON(`{"rows":[1,2,3]}`)
	if err := w.service.PutResult(context.Background(), "run/large.json", large); err != nil {
		t.Fatal(err)
	}
	record := object{"storage_key": "/s/1", "serializer": object{"type": "json"}}
	for _, c := range []struct {
		name             string
		data, bare, list any // list: as a filter answers
	}{
		{"small", object{"type": "flowlite", "value": 5}, 5.0, 5.0},
		{"an object", object{"type": "flowlite", "value": object{"a": "b"}}, object{"a": "b"}, object{"a": "b"}},
		{"large", object{"type": "flowlite", "key": "run/large.json"}, object{"rows": []any{1.0, 2.0, 3.0}}, object{"type": "flowlite", "key": "run/large.json"}},
		{"gone", object{"type": "flowlite", "key": "run/gone.json"}, object{"type": "flowlite", "key": "run/gone.json"}, object{"type": "flowlite", "key": "run/gone.json"}},
		{"Prefect's own", record, record, record},
		{"none", nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := w.run(flow, nil)
			w.state(201, run, "ACCEPT", "RUNNING", nil)
			w.state(201, run, "ACCEPT", "COMPLETED", object{"data": c.data})
			path := "/flow_runs/" + run["id"].(string)
			filter := object{"flow_runs": object{"id": object{"any_": []any{run["id"]}}}}
			for agent, want := range map[string][2]any{
				"":                          {c.data, c.data},
				"prefect/3.4.9 (API 0.8.4)": {c.bare, c.list},
				"prefect/3.8.8 (API 0.8.4)": {c.bare, c.list},
			} {
				w.agent = agent
				got := at(w.get(path), "state", "data")
				row := at(w.do(200, "POST", "/flow_runs/filter", filter), 0, "state", "data")
				w.agent = ""
				equal(t, agent+" one", string(core.ToJSON(got)), string(core.ToJSON(want[0])))
				equal(t, agent+" list", string(core.ToJSON(row)), string(core.ToJSON(want[1])))
			}
		})
	}
}
