package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// taskRun records a task run as an engine would: started, and ended if it has an end.
func (w *fixture) taskRun(run, name string, start core.Time, inputs string) core.UUID {
	w.Helper()
	id, _ := core.ParseUUID(run)
	t := &core.TaskRun{ID: core.NewID(), Name: name, TaskKey: name, DynamicKey: "0", FlowRunID: id, TaskInputs: core.JSON(inputs), RunCount: 1}
	state := &core.State{Type: core.Pending, Timestamp: core.Now()}
	if start != 0 {
		t.StartTime, t.EndTime = start, start.Add(time.Second)
		state = &core.State{Type: core.Completed, Timestamp: t.EndTime}
	}
	if err := w.service.RecordTaskRuns(w.Context(), []*core.TaskRunReport{{TaskRun: t, States: []*core.State{state}}}); err != nil {
		w.Fatal(err)
	}
	return t.ID
}

func ids(edges any) string {
	list, _ := edges.([]any)
	out := []string{}
	for _, e := range list {
		out = append(out, fmt.Sprint(at(e, "id")))
	}
	return strings.Join(out, " ")
}

// TestGraph: task runs by start, a sub-flow instead of its placeholder, edges
// once, artifacts at what made them.
func TestGraph(t *testing.T) {
	w := memory(t)
	run := w.run(w.flow("outer"), nil)
	w.state(201, run, "ACCEPT", "RUNNING", nil)
	id, now := run["id"].(string), core.Now()
	input := func(ids ...core.UUID) string {
		parts := []string{}
		for _, i := range ids {
			parts = append(parts, `{"input_type":"task_run","id":"`+i.String()+`"}`)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	a := w.taskRun(id, "a", now, `{}`)
	b := w.taskRun(id, "b", now.Add(2*time.Second), `{"x":`+input(a)+`,"y":`+input(a)+`,"z":[{"input_type":"constant"}],"odd":7}`)
	within := w.taskRun(id, "within", now.Add(3*time.Second), `{"__parents__":`+input(b)+`}`)
	waiting := w.taskRun(id, "waiting", 0, `{"x":`+input(b)+`}`)
	placeholder := w.post(201, "/task_runs/", object{"flow_run_id": id, "task_key": "inner", "dynamic_key": "0", "task_inputs": object{"x": []object{{"input_type": "task_run", "id": b.String()}}}})
	sub := w.run(w.flow("inner"), object{"parent_task_run_id": placeholder["id"], "name": "brave-fox"})
	w.state(201, sub, "ACCEPT", "RUNNING", nil)
	for _, artifact := range []object{
		{"key": "k", "type": "markdown", "data": "old", "flow_run_id": id, "task_run_id": a.String()},
		{"key": "k", "type": "markdown", "data": "new", "flow_run_id": id, "task_run_id": a.String()},
		{"type": "progress", "data": 50, "flow_run_id": id},
		{"type": "result", "data": "x", "flow_run_id": id},
	} {
		w.post(201, "/artifacts/", artifact)
	}

	g := w.get("/flow_runs/" + id + "/graph-v2")
	shaped(t, "graph", g)
	entries := at(g, "nodes").([]any)
	node := map[string]any{}
	var order []string
	for _, e := range entries {
		pair := e.([]any)
		shaped(t, "node", pair[1])
		equal(t, "id beside the node", pair[0], at(pair[1], "id"))
		label := at(pair[1], "label").(string)
		node[label], order = pair[1], append(order, label)
	}
	equal(t, "nodes", len(order), 4) // what waits is none
	equal(t, "kind", at(node["inner / brave-fox"], "kind"), "flow-run")
	equal(t, "sub-flow", at(node["inner / brave-fox"], "id"), sub["id"])
	equal(t, "parents of b", ids(at(node["b"], "parents")), a.String())
	equal(t, "parents of the sub-flow", ids(at(node["inner / brave-fox"], "parents")), b.String())
	equal(t, "children of a", ids(at(node["a"], "children")), b.String())
	equal(t, "children of b", ids(at(node["b"], "children")), sub["id"])
	equal(t, "around within", ids(at(node["within"], "encapsulating")), b.String())
	equal(t, "parents of within", ids(at(node["within"], "parents")), "")
	equal(t, "roots", at(g, "root_node_ids"), []string{a.String()})
	artifacts := at(node["a"], "artifacts").([]any)
	equal(t, "artifacts", len(artifacts), 2)
	shaped(t, "graph_artifact", artifacts[0])
	equal(t, "the older", at(artifacts[0], "is_latest"), false)
	equal(t, "the latest", at(artifacts[1], "is_latest"), true)
	equal(t, "its data", at(artifacts[1], "data"), nil)
	equal(t, "artifacts of the run", len(at(g, "artifacts").([]any)), 1)
	equal(t, "progress", at(g, "artifacts", 0, "data"), 50)
	equal(t, "states", names([]object{at(g, "states", 0).(object), at(g, "states", 1).(object)}, "type"), "[PENDING RUNNING]")

	later := w.get("/flow_runs/" + id + "/graph-v2?since=" + now.Add(2*time.Second).Time().Format("2006-01-02T15:04:05.000000Z"))
	equal(t, "nodes since", len(at(later, "nodes").([]any)), 3)
	unknown := core.NewID().String()
	equal(t, "unknown", at(w.do(404, "GET", "/flow_runs/"+unknown+"/graph-v2", nil), "exception_message"), "Flow run "+unknown+" not found")

	deps := w.list("/flow_runs/"+id+"/graph", nil)
	equal(t, "task runs", len(deps), 5)
	for _, d := range deps {
		shaped(t, "dependency", d)
		if d["id"] == waiting.String() {
			equal(t, "upstream", ids(d["upstream_dependencies"]), b.String())
		}
		if d["id"] == within.String() {
			equal(t, "upstream", ids(d["upstream_dependencies"]), b.String())
		}
	}
	w.do(404, "GET", "/flow_runs/"+unknown+"/graph", nil)
}

func TestLateness(t *testing.T) {
	w := memory(t)
	flow := w.flow("f")
	equal(t, "no runs", w.do(200, "POST", "/flow_runs/lateness", object{}), nil)
	past := core.Now().Add(-10 * time.Second).Time()
	w.run(flow, object{"state": object{"type": "SCHEDULED", "state_details": object{"scheduled_time": past}}})
	w.run(flow, object{"state": object{"type": "SCHEDULED", "state_details": object{"scheduled_time": core.Now().Add(time.Hour).Time()}}, "tags": []string{"later"}})
	if got, _ := w.do(200, "POST", "/flow_runs/lateness", object{}).(float64); got < 5 || got > 60 {
		t.Errorf("%v, want the average of 10 s and 0", got)
	}
	equal(t, "a run that is not due", w.do(200, "POST", "/flow_runs/lateness", object{"flow_runs": object{"tags": object{"all_": []string{"later"}}}}), 0)
	w.do(422, "POST", "/flow_runs/lateness", object{"flow_runs": object{"bogus": 1}})
}

func TestDownloadLogs(t *testing.T) {
	w := memory(t)
	run := w.run(w.flow("f"), object{"name": "calm-owl"})
	w.do(201, "POST", "/logs/", []object{
		{"name": "x", "level": 20, "message": "said \"hi\", twice", "timestamp": "2026-11-23T07:51:17.735551Z", "flow_run_id": run["id"]},
		{"name": "x", "level": 20, "message": "=HYPERLINK(\"http://x\")", "timestamp": "2026-11-23T07:51:17.9Z", "flow_run_id": run["id"]},
		{"name": "x", "level": 40, "message": "two\nlines", "timestamp": "2026-11-23T07:51:18Z", "flow_run_id": run["id"], "task_run_id": "01a20763-4bfb-7f42-8bfa-a466036f7683"},
	})
	status, head, body := w.send("GET", "/flow_runs/"+run["id"].(string)+"/logs/download", nil)
	id := run["id"].(string)
	want := "timestamp,level,flow_run_id,task_run_id,message\r\n" +
		"2026-11-23 07:51:17.735551+00:00,20," + id + ",,\"said \"\"hi\"\", twice\"\r\n" +
		"2026-11-23 07:51:17.900000+00:00,20," + id + ",,\"'=HYPERLINK(\"\"http://x\"\")\"\r\n" +
		"2026-11-23 07:51:18.000000+00:00,40," + id + ",01a20763-4bfb-7f42-8bfa-a466036f7683,\"two\r\nlines\"\r\n"
	if status != http.StatusOK || string(body) != want || head.Get("Content-Disposition") != "attachment; filename=calm-owl-logs.csv" {
		t.Errorf("%d %q %q", status, head.Get("Content-Disposition"), body)
	}
	w.do(404, "GET", "/flow_runs/"+core.NewID().String()+"/logs/download", nil)
}
