package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
)

// written is a route that changes a record, with another value for each key
// that its body knows. What is not said must stay.
type written struct {
	of      any    // the body's type, nil for a map
	path    string // "" of the pattern's own
	read    string // where the record is read, "" at path
	base    object // what every body must have
	values  object
	changes map[string][]string // what a key changes beside its own field
	drops   []string            // keys of a PUT that are part of what it puts in place: left out, they are gone
	ours    []string            // keys that only flowlite's client may send
}

// wholeRecords are routes whose body is the record itself, not a change of some keys.
var wholeRecords = []string{
	"PUT /api/admin/storage", "PUT /api/results/{key...}", // one value
	"PATCH /api/flow_runs/{id}/labels",             // its keys are the labels
	"POST /api/flow_runs/", "POST /api/task_runs/", // an existing one is returned as it is
	"POST /api/flows/", "POST /api/concurrency_limits/", // all keys but tags are needed
}

// TestUnsaidStays sends each route that changes a record a body with one key
// only, for each key, and compares all other fields.
func TestUnsaidStays(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.URL(t))
			table := w.written()
			for _, o := range bare(Config{}).ops {
				upsert := o.Method == "POST" && o.Status == 200 && strings.HasSuffix(o.Path, "/") || strings.HasSuffix(o.Path,
					"/heartbeat")
				if o.Method != "PATCH" && o.Method != "PUT" && !upsert {
					continue
				}
				route := o.Method + " " + o.Path
				x, known := table[route]
				if !known {
					if !slices.Contains(wholeRecords, route) {
						t.Errorf("%s changes a record and is not tried", route)
					}
					continue
				}
				t.Run(strings.ReplaceAll(strings.TrimPrefix(route, "/api/"), "/", "_"), func(t *testing.T) { w.staysBut(t, o, x) })
			}
		})
	}
}

func (w *fixture) staysBut(t *testing.T, o Operation, x written) {
	for _, key := range bodyKeys(x.of) {
		if _, tried := x.values[key]; !tried && x.base[key] == nil {
			t.Errorf("no value to try key %s with", key)
		}
	}
	read := func() object {
		at := x.read
		if at == "" {
			at = x.path
		}
		if before, name, listed := strings.Cut(at, "#"); listed {
			var body any
			if strings.HasSuffix(before, "/filter") {
				body = object{}
			}
			for _, row := range w.list(before, body) {
				if row["name"] == name || row["id"] == name {
					return row
				}
			}
			t.Fatalf("%s has no %s", before, name)
		}
		return w.get(at)
	}
	for _, key := range append([]string{""}, slices.Sorted(maps.Keys(x.values))...) { // "": none
		before := read()
		body := maps.Clone(x.base)
		if body == nil {
			body = object{}
		}
		if key != "" {
			body[key] = x.values[key]
		}
		w.agent = ""
		if slices.Contains(x.ours, key) {
			w.agent = "flowlite"
		}
		if got, _, b := w.send(o.Method, x.path, body); got != o.Status {
			t.Errorf("%s: %d %s", key, got, b)
			continue
		}
		after := read()
		for field, was := range before {
			if may := append([]string{key, "updated"}, x.changes[key]...); slices.Contains(may,
				field) || slices.Contains(x.drops, field) || strings.HasPrefix(field, "estimated_") {
				continue
			}
			if now := after[field]; !reflect.DeepEqual(was, now) {
				t.Errorf("a body with only %q changed %s from %v to %v", key, field, was, now)
			}
		}
		if now, stored := after[key]; stored && len(x.changes[key]) == 0 && reflect.DeepEqual(before[key], now) && o.Method != "PUT" {
			t.Errorf("%s did not change from %v", key, now)
		}
	}
}

// bodyKeys are the JSON keys of a body's type.
func bodyKeys(v any) (keys []string) {
	if v == nil {
		return nil
	}
	t := reflect.TypeOf(v)
	for f := range t.Fields() {
		if f.Anonymous {
			keys = append(keys, bodyKeys(reflect.Zero(f.Type).Interface())...)
		} else if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			keys = append(keys, name)
		}
	}
	return keys
}

// written makes one record of each kind, with no field at its default.
func (w *fixture) written() map[string]written {
	w.Helper()
	id := func(o object) string { return o["id"].(string) }
	one := func(v any) object { return v.(object) }
	flow := w.post(201, "/flows/", object{"name": "f", "tags": []string{"a"}, "labels": object{"l": "1"}})
	template := object{"job_configuration": object{"a": "{{ a }}"}, "variables": object{"type": "object",
		"properties": object{"a": object{"type": "string"}}}}
	pool := w.post(201, "/work_pools/", object{"name": "p", "type": "process", "description": "old", "is_paused": true,
		"concurrency_limit": 3, "base_job_template": template})
	w.post(201, "/work_pools/", object{"name": "p2", "type": "process"})
	queue := one(w.do(201, "POST", "/work_pools/p/queues", object{"name": "q", "description": "old", "is_paused": true,
		"concurrency_limit": 3, "priority": 2, "filter": object{"tags": []string{"a"}}}))
	single := w.post(201, "/work_queues/", object{"name": "single", "description": "old", "is_paused": true, "concurrency_limit": 3})
	w.do(204, "POST", "/work_pools/p/workers/heartbeat", object{"name": "w", "heartbeat_interval_seconds": 7})
	kind, schema := w.register("kept", object{"title": "kept", "type": "object",
		"properties": object{"a": object{"type": "string"}, "b": object{"type": "string"}}})
	other := w.post(201, "/block_schemas/", object{"block_type_id": kind, "fields": object{"title": "kept", "type": "object",
		"properties": object{"c": object{"type": "string"}}}, "capabilities": []string{}})
	doc := w.post(201, "/block_documents/", object{"name": "doc", "block_type_id": kind, "block_schema_id": schema,
		"data": object{"a": "1"}})
	limit := w.post(201, "/v2/concurrency_limits/", object{"name": "l", "limit": 5, "active": true, "slot_decay_per_second": 0})
	shared := w.post(201, "/v2/concurrency_limits/", object{"name": "shared", "limit": 5})
	w.post(201, "/variables/", object{"name": "named", "value": 1, "tags": []string{"a"}})
	variable := w.post(201, "/variables/", object{"name": "v", "value": 1, "tags": []string{"a"}})
	trigger := object{"type": "event", "posture": "Reactive", "threshold": 1, "within": 0, "expect": []string{"x"}}
	automation := w.post(201, "/automations/", object{"name": "a", "description": "old", "tags": []string{"a"},
		"enabled": false, "trigger": trigger,
		"actions": []object{{"type": "do-nothing"}}, "actions_on_trigger": []object{{"type": "do-nothing"}},
		"actions_on_resolve": []object{{"type": "do-nothing"}}})
	search := object{"object": "flow", "property": "name", "type": "string", "operation": "equals", "value": "x"}
	saved := one(w.do(201, "PUT", "/saved_searches/", object{"name": "s", "filters": []object{search}}))
	// Two deployments alike: one is patched, one is posted again.
	deployed := object{"flow_id": flow["id"], "version": "1", "description": "old", "parameters": object{"x": 1},
		"paused": true, "tags": []string{"a"},
		"labels": object{"mine": "1"}, "concurrency_limit": 3,
		"concurrency_options": object{"collision_strategy": "CANCEL_NEW"}, "work_pool_name": "p", "work_queue_name": "q",
		"path": "/old", "job_variables": object{"a": "1"}, "pull_steps": []object{{"prefect.x": object{}}},
		"entrypoint": "a.py:old", "enforce_parameter_schema": false,
		"storage_document_id": doc["id"], "infrastructure_document_id": doc["id"],
		"parameter_openapi_schema": object{"type": "object", "properties": object{"x": object{"type": "integer"}}},
		"schedules": []object{{"schedule": object{"cron": "0 9 * * *", "timezone": "Europe/Berlin"}, "active": false,
			"slug": "s", "parameters": object{"x": 2}}}}
	deploy := func(name string) object {
		body := maps.Clone(deployed)
		body["name"] = name
		return w.post(201, "/deployments/", body)
	}
	patched, posted := deploy("patched"), deploy("posted")
	schedule := one(patched["schedules"].([]any)[0])
	deployment := object{"version": "2", "description": "new", "parameters": object{"x": 7}, "paused": false,
		"tags": []string{"b"}, "labels": object{"mine": "2"},
		"concurrency_options": object{"collision_strategy": "ENQUEUE"}, "path": "/new", "job_variables": object{"a": "2"},
		"pull_steps": []object{}, "entrypoint": "a.py:new",
		"enforce_parameter_schema": true, "parameter_openapi_schema": object{"type": "object",
			"properties": object{"x": object{"type": "integer"}, "y": object{}}},
		"storage_document_id": nil, "infrastructure_document_id": nil, "work_queue_name": "default", "work_pool_name": "p2",
		"version_info":      object{"type": "x", "version": "3"},
		"concurrency_limit": 4, "global_concurrency_limit_id": shared["id"], "schedules": []object{{"slug": "s",
			"schedule": object{"cron": "0 10 * * *"}}}}
	effects := map[string][]string{"work_pool_name": {"work_queue_name", "status", "last_polled"}, "work_queue_name": {"status",
		"last_polled"}, "concurrency_limit": {"global_concurrency_limit"},
		"global_concurrency_limit_id": {"global_concurrency_limit"}, "version_info": {"version"}}
	run := w.post(201, "/deployments/"+id(patched)+"/create_flow_run", object{"name": "r", "tags": []string{"a"},
		"parameters": object{"x": 1}, "job_variables": object{"a": "1"},
		"empirical_policy": object{"retries": 3, "retry_delay": 4}, "context": object{"k": 1}})
	w.do(204, "PATCH", "/flow_runs/"+id(run), object{"flow_version": "1", "infrastructure_pid": "1"})
	task := w.post(201, "/task_runs/", object{"flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0", "name": "t-0",
		"tags": []string{"a"}})
	artifact := w.post(201, "/artifacts/", object{"key": "k", "type": "markdown", "data": "old", "description": "old",
		"metadata_": object{"m": "1"}, "flow_run_id": run["id"]})
	queueValues := object{"name": "q3", "description": "new", "is_paused": false, "concurrency_limit": 4, "priority": 1,
		"last_polled": "2026-01-01T00:00:00Z", "filter": object{"tags": []string{"b"}}}
	samePlace := maps.Clone(queueValues)
	samePlace["name"] = "q" // it is in the path
	queueEffects := map[string][]string{"is_paused": {"status"}}
	return map[string]written{
		"PATCH /api/artifacts/{id}": {of: core.ArtifactUpdate{}, path: "/artifacts/" + id(artifact),
			values: object{"data": "new", "description": "new", "metadata_": object{"m": "2"}, "call": "c", "attempt": 1, "updates": 1},
			ours:   []string{"call", "attempt", "updates"}},
		"PATCH /api/automations/{id}": {of: core.AutomationUpdate{}, path: "/automations/" + id(automation),
			values: object{"enabled": true}},
		"PUT /api/automations/{id}": {of: core.AutomationWrite{}, path: "/automations/" + id(automation),
			base:  object{"name": "a", "trigger": trigger, "actions": []object{{"type": "do-nothing"}}},
			drops: []string{"description", "tags", "actions_on_trigger", "actions_on_resolve", "trigger"},
			values: object{"description": "new", "tags": []string{"b"}, "actions_on_trigger": []object{},
				"actions_on_resolve": []object{}, "enabled": false, "owner_resource": "x"}},
		"PATCH /api/block_documents/{id}": {of: core.BlockDocumentUpdate{}, path: "/block_documents/" + id(doc),
			changes: map[string][]string{"block_schema_id": {"block_schema"}, "merge_existing_data": {}},
			values:  object{"block_schema_id": other["id"], "data": object{"c": "2"}, "merge_existing_data": true}},
		"PATCH /api/block_types/{id}": {of: core.BlockTypeUpdate{}, path: "/block_types/" + kind,
			values: object{"logo_url": "http://x/a.png", "documentation_url": "http://x/b", "description": "new", "code_example": "y"}},
		"PATCH /api/deployments/{id}": {of: core.DeploymentUpdate{}, path: "/deployments/" + id(patched), values: deployment,
			changes: effects},
		"POST /api/deployments/": {of: core.DeploymentCreate{}, path: "/deployments/", read: "/deployments/" + id(posted),
			base:   object{"name": "posted", "flow_id": flow["id"]},
			values: deployment, changes: effects},
		"PATCH /api/deployments/{id}/schedules/{schedule}": {of: core.ScheduleUpdate{},
			path: "/deployments/" + id(patched) + "/schedules/" + id(schedule),
			read: "/deployments/" + id(patched) + "/schedules#" + id(schedule),
			values: object{"schedule": object{"cron": "0 11 * * *"}, "active": true, "max_scheduled_runs": 5,
				"parameters": object{"x": 3}, "slug": "s2", "replaces": "s2"}},
		"PATCH /api/flow_runs/{id}": {of: core.FlowRunUpdate{}, path: "/flow_runs/" + id(run), values: object{"name": "r2",
			"flow_version": "2", "parameters": object{"x": 2},
			"empirical_policy": object{"retries": 5}, "tags": []string{"b"}, "infrastructure_pid": "2",
			"job_variables": object{"a": "2"}, "priority": 3}},
		"PATCH /api/flows/{id}": {of: core.FlowUpdate{}, path: "/flows/" + id(flow),
			values: object{"tags": []string{"b"}}},
		"PATCH /api/task_runs/{id}": {of: core.TaskRunUpdate{}, path: "/task_runs/" + id(task),
			values: object{"name": "t-1"}},
		"PATCH /api/v2/concurrency_limits/{id}": {of: core.GlobalConcurrencyLimitUpdate{},
			path: "/v2/concurrency_limits/" + id(limit), values: object{"active": false, "name": "l2", "limit": 9,
				"active_slots": 2, "denied_slots": 3, "slot_decay_per_second": 0.000001}},
		"PATCH /api/variables/name/{name}": {of: core.VariableUpdate{}, path: "/variables/name/named",
			values: object{"value": 2, "tags": []string{"b"}, "name": "named"}, changes: map[string][]string{"name": {"name"}}},
		"PATCH /api/variables/{id}": {of: core.VariableUpdate{}, path: "/variables/" + id(variable),
			values: object{"value": 3, "tags": []string{"c"}, "name": "v2"}},
		"PATCH /api/work_pools/{name}": {of: core.WorkPoolUpdate{}, path: "/work_pools/" + pool["name"].(string),
			values: object{"description": "new", "is_paused": false, "concurrency_limit": 4,
				"base_job_template":     object{"job_configuration": object{}, "variables": object{}},
				"storage_configuration": object{"bundle_upload_step": object{"x": 1}}}, changes: queueEffects},
		"PATCH /api/work_pools/{name}/queues/{queue}": {of: core.WorkQueueUpdate{}, path: "/work_pools/p/queues/q",
			read: "/work_queues/" + id(queue), values: samePlace, changes: map[string][]string{"is_paused": {"status"},
				"name": {"name"}}},
		"PATCH /api/work_queues/{id}": {of: core.WorkQueueUpdate{}, path: "/work_queues/" + id(single),
			values: queueValues, changes: queueEffects},
		"PUT /api/saved_searches/": {of: core.SavedSearchCreate{}, path: "/saved_searches/",
			read: "/saved_searches/" + id(saved), base: object{"name": "s"},
			values: object{"name": "s", "filters": []object{search, search}}},
		"POST /api/work_pools/{name}/workers/heartbeat": {of: core.WorkerHeartbeat{}, path: "/work_pools/p/workers/heartbeat",
			read: "/work_pools/p/workers/filter#w", base: object{"name": "w"},
			values: object{"name": "w", "last_after": 0, "heartbeat_interval_seconds": 8, "flows": []string{"adder"}},
			changes: map[string][]string{"": {"last_heartbeat_time", "status"}, "name": {"last_heartbeat_time", "status"},
				"last_after": {"last_heartbeat_time", "status"}, "flows": {"last_heartbeat_time", "status"}, "heartbeat_interval_seconds": {"last_heartbeat_time", "status"}}},
	}
}
