package importer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/api"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/importer"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

type object = map[string]any

// server is one that speaks the API: as source it stands for Prefect.
type server struct {
	*client.Client
	t *testing.T
}

func newServer(t *testing.T) *server {
	t.Helper()
	store, err := db.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := bus.NewMemory()
	service := local.New(local.Config{Templates: jinja.New(), Store: store, Bus: b})
	_ = service.Start(t.Context())
	srv := httptest.NewServer(api.New(api.Config{
		Runs: service.Service, Limits: service.Limits, Blocks: service.Blocks, Automations: service.Automations, Variables: service.Variables,
		Artifacts: service.Artifacts, SavedSearches: service.SavedSearches, Logs: service.Logs, Events: service.Events, Retention: service.Trimmer, Store: api.StoreOf(store), Bus: b}))
	t.Cleanup(func() {
		srv.Close()
		_ = service.Stop(context.Background())
		_ = b.Close()
		_ = store.Close()
	})
	s := &server{client.New(client.Config{URL: srv.URL + "/api", Patience: -1}), t}
	s.do("POST", "/block_types/install_system_block_types", nil)
	return s
}

func (s *server) do(method, path string, body any) any {
	s.t.Helper()
	raw, err := s.Raw(s.t.Context(), method, path, body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	var out any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			s.t.Fatal(err)
		}
	}
	return out
}

func (s *server) post(path string, body any) object {
	s.t.Helper()
	o, _ := s.do("POST", path, body).(object)
	return o
}

// column is one value of every row of a list, sorted.
func (s *server) column(path, key string) string {
	s.t.Helper()
	var out []string
	for _, r := range s.do("POST", path, object{}).([]any) {
		out = append(out, fmt.Sprint(r.(object)[key]))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (s *server) is(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func fill(s *server) (runID string) {
	flow := s.post("/flows/", object{"name": "etl", "tags": []string{"f"}})["id"].(string)
	s.post("/work_pools/", object{"name": "procs", "type": "process", "concurrency_limit": 4})
	s.post("/work_pools/procs/queues/", object{"name": "high", "priority": 1, "concurrency_limit": 2})
	s.do("PATCH", "/work_pools/procs/queues/default", object{"concurrency_limit": 9})
	s.post("/variables/", object{"name": "env", "value": object{"a": 1}, "tags": []string{"x"}})
	s.post("/v2/concurrency_limits/", object{"name": "shared", "limit": 3})
	s.post("/v2/concurrency_limits/", object{"name": "rate", "limit": 2, "slot_decay_per_second": 0.5})
	s.post("/concurrency_limits/", object{"tag": "slow", "concurrency_limit": 5})
	shared := s.do("GET", "/v2/concurrency_limits/shared", nil).(object)["id"]
	own := s.post("/deployments/", object{"name": "own", "flow_id": flow, "work_pool_name": "procs", "work_queue_name": "high", "entrypoint": "etl.py:etl",
		"parameters": object{"n": 4}, "parameter_openapi_schema": object{}, "concurrency_limit": 2, "concurrency_options": object{"collision_strategy": "CANCEL_NEW"},
		"schedules": []object{{"schedule": object{"cron": "0 3 * * *", "timezone": "Europe/Paris"}, "active": false, "slug": "nightly"}}})
	event := object{"type": "event", "posture": "Reactive", "threshold": 1, "expect": []string{"prefect.flow-run.Failed"},
		"match_related": object{"prefect.resource.id": "prefect.deployment." + own["id"].(string)}}
	s.post("/automations/", object{"name": "again", "enabled": false, "trigger": object{"type": "compound", "require": "any", "within": 60, "triggers": []object{event}},
		"actions": []object{{"type": "run-deployment", "source": "selected", "deployment_id": own["id"]}}})
	s.post("/deployments/", object{"name": "sharing", "flow_id": flow, "work_pool_name": "procs", "parameter_openapi_schema": object{}, "global_concurrency_limit_id": shared})

	kind := s.do("GET", "/block_types/slug/secret", nil).(object)["id"]
	schemas := s.do("POST", "/block_schemas/filter", object{"block_schemas": object{"block_type_id": object{"any_": []any{kind}}}}).([]any)
	s.post("/block_documents/", object{"name": "tok", "block_type_id": kind, "block_schema_id": schemas[0].(object)["id"], "data": object{"value": "s3cr3t"}})

	run := s.post("/flow_runs/", object{"flow_id": flow, "name": "past", "tags": []string{"r"}, "parameters": object{"n": 1}})["id"].(string)
	set := func(state string) {
		s.post("/flow_runs/"+run+"/set_state", object{"state": object{"type": state}})
	}
	set("RUNNING")
	task := s.post("/task_runs/", object{"flow_run_id": run, "task_key": "t", "dynamic_key": "0", "name": "t-0"})["id"].(string)
	s.post("/task_runs/"+task+"/set_state", object{"state": object{"type": "COMPLETED"}, "force": true})
	set("COMPLETED")
	s.do("POST", "/logs/", []object{{"name": "x", "level": 20, "message": "hello", "timestamp": core.Now().String(), "flow_run_id": run}})
	s.post("/artifacts/", object{"key": "report", "type": "markdown", "data": "# hi", "flow_run_id": run})
	s.post("/flow_runs/", object{"flow_id": flow, "name": "live"})
	return run
}

func run(t *testing.T, from, to *server) map[string]*importer.Part {
	t.Helper()
	var steps []string
	parts, err := importer.Run(t.Context(), importer.Config{From: from, To: to, Since: time.Hour, Progress: func(kind string, done, total int) {
		if done > total {
			t.Errorf("%s: %d of %d", kind, done, total)
		}
		steps = append(steps, kind)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(steps, "deployments") {
		t.Errorf("progress was told of %v", steps)
	}
	byKind := map[string]*importer.Part{}
	for _, p := range parts {
		byKind[p.Kind] = p
	}
	return byKind
}

func TestImport(t *testing.T) {
	from, to := newServer(t), newServer(t)
	past := fill(from)
	// What is here already stays as it is.
	to.post("/variables/", object{"name": "env", "value": "mine"})
	want := map[string][2]int{"flows": {1, 0}, "work pools": {1, 0}, "work queues": {2, 0}, "variables": {0, 1}, "block types": {0, 1},
		"block documents": {1, 0}, "concurrency limits": {2, 0}, "tag limits": {1, 0}, "deployments": {2, 0}, "automations": {1, 0}, "flow runs": {1, 0}}
	for round := range 2 {
		parts := run(t, from, to)
		for kind, n := range want {
			if round == 1 { // and again
				n = [2]int{0, n[0] + n[1]}
			}
			if p := parts[kind]; p.Created != n[0] || p.Kept != n[1] {
				t.Errorf("round %d: %s: created %d, kept %d, want %v; skipped %v", round, kind, p.Created, p.Kept, n, p.Skipped)
			}
		}
		if s := parts["flow runs"].Skipped; len(s) != 1 || !strings.Contains(s[0].Why, "not ended") {
			t.Errorf("skipped runs: %v", s)
		}
	}
	for _, list := range [][2]string{{"/flows/filter", "name"}, {"/work_pools/procs/queues/filter", "concurrency_limit"}, {"/work_pools/procs/queues/filter", "priority"},
		{"/v2/concurrency_limits/filter", "limit"}, {"/concurrency_limits/filter", "concurrency_limit"},
		{"/deployments/filter", "entrypoint"}, {"/deployments/filter", "parameters"}, {"/deployments/filter", "work_queue_name"}, {"/deployments/filter", "concurrency_options"},
		{"/logs/filter", "message"}, {"/artifacts/filter", "data"}} {
		to.is(list[0]+" "+list[1], to.column(list[0], list[1]), from.column(list[0], list[1]))
	}
	to.is("kept", to.column("/variables/filter", "value"), "mine")
	d := to.do("GET", "/deployments/name/etl/own", nil).(object)
	schedule := d["schedules"].([]any)[0].(object)
	to.is("schedule", fmt.Sprintf("%v %v %v", schedule["schedule"].(object)["cron"], schedule["active"], schedule["slug"]), "0 3 * * * false nightly")
	to.is("own limit", fmt.Sprint(d["global_concurrency_limit"].(object)["limit"]), "2")
	to.is("label", d["labels"].(object)["prefect.flow.id"].(string), d["flow_id"].(string))
	to.is("shared limit", to.do("GET", "/deployments/name/etl/sharing", nil).(object)["global_concurrency_limit"].(object)["name"].(string), "shared")
	auto := to.do("POST", "/automations/filter", object{}).([]any)[0].(object)
	to.is("automation", fmt.Sprint(auto["enabled"], auto["actions"].([]any)[0].(object)["deployment_id"] == d["id"],
		strings.Contains(fmt.Sprint(auto["trigger"]), "prefect.deployment."+d["id"].(string))), "false true true")
	doc := to.do("GET", "/block_types/slug/secret/block_documents/name/tok?include_secrets=true", nil).(object)
	to.is("secret", fmt.Sprint(doc["data"]), "map[value:s3cr3t]")

	a, b := from.do("GET", "/flow_runs/"+past, nil).(object), to.do("GET", "/flow_runs/"+past, nil).(object)
	for _, key := range []string{"id", "name", "created", "start_time", "end_time", "total_run_time", "run_count", "state_id", "state_name", "tags", "parameters", "empirical_policy"} {
		to.is(key, fmt.Sprint(b[key]), fmt.Sprint(a[key]))
	}
	for _, path := range []string{"/flow_run_states/?flow_run_id=" + past} {
		to.is(path, fmt.Sprint(len(to.do("GET", path, nil).([]any))), fmt.Sprint(len(from.do("GET", path, nil).([]any))))
	}
	to.is("tasks", to.column("/task_runs/filter", "id")+to.column("/task_runs/filter", "state_name"), from.column("/task_runs/filter", "id")+from.column("/task_runs/filter", "state_name"))
}

// What the target refuses is told and does not end the import.
func TestImportTellsWhatItSkips(t *testing.T) {
	from, to := newServer(t), newServer(t)
	from.post("/work_pools/", object{"name": "p", "type": "process"})
	refusing := refusal{to, "/work_pools/"}
	flow := from.post("/flows/", object{"name": "f"})["id"]
	from.post("/deployments/", object{"name": "d", "flow_id": flow, "work_pool_name": "p", "parameter_openapi_schema": object{}})
	parts, err := importer.Run(t.Context(), importer.Config{From: from, To: refusing})
	if err != nil {
		t.Fatal(err)
	}
	skipped := map[string][]importer.Skip{}
	for _, p := range parts {
		if len(p.Skipped) > 0 {
			skipped[p.Kind] = p.Skipped
		}
	}
	if s := skipped["work pools"]; len(s) != 1 || s[0].Name != "p" || s[0].Why != "reserved" {
		t.Errorf("pools: %+v", s)
	}
	if s := skipped["deployments"]; len(s) != 1 || s[0].Name != "f/d" {
		t.Errorf("the pool of the deployment is missing: %+v", s)
	}
	_, err = importer.Run(t.Context(), importer.Config{From: old{}, To: to})
	if core.CodeOf(err) != core.EInvalid || !strings.Contains(err.Error(), "2.19.0") {
		t.Errorf("an old server: %v", err)
	}
}

// refusal forbids one path.
type refusal struct {
	*server
	path string
}

func (r refusal) Raw(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	if method == "POST" && path == r.path {
		return nil, core.Errorf(core.EForbidden, "reserved")
	}
	return r.server.Raw(ctx, method, path, body)
}

type old struct{}

func (old) Raw(context.Context, string, string, any) (json.RawMessage, error) {
	return json.RawMessage(`"2.19.0"`), nil
}
