package api

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestAutomations(t *testing.T) {
	w := newWorld(t, "sqlite::memory:")
	deployment := "00000000-0000-4000-8000-000000000001"
	create := func(name, owner string) object {
		a := w.post(201, "/automations/", object{"name": name, "description": "d", "enabled": true, "owner_resource": owner,
			"trigger": object{"type": "event", "match": object{"prefect.resource.id": "prefect.flow-run.*"}, "match_related": object{}, "after": []string{},
				"expect": []string{"prefect.flow-run.Failed"}, "for_each": []string{}, "posture": "Reactive", "threshold": 1, "within": 0},
			"actions": []object{{"type": "run-deployment", "source": "selected", "deployment_id": deployment}}})
		shaped(t, "automation", a)
		shaped(t, "event_trigger", a["trigger"])
		return a
	}
	a := create("one", "")
	equal(t, "action", at(a, "actions", 0), object{"type": "run-deployment", "source": "selected", "deployment_id": deployment, "parameters": nil, "job_variables": nil})
	id := a["id"].(string)
	create("two", "prefect.deployment.x")

	equal(t, "all", names(w.list("/automations/filter", ""), "name"), []string{"one", "two"})
	equal(t, "by name", names(w.list("/automations/filter", object{"sort": "UPDATED_DESC", "automations": object{"name": object{"any_": []string{"two"}}, "created": nil}}), "name"), []string{"two"})
	equal(t, "by id and tags, as newer clients ask", names(w.list("/automations/filter", object{"automations": object{"id": object{"any_": []string{id}}, "name": nil, "created": nil, "tags": nil}}), "name"), []string{"one"})
	w.do(422, "POST", "/automations/filter", object{"automations": object{"bogus": 1}})
	equal(t, "count", w.do(200, "POST", "/automations/count", ""), 2.0)

	w.do(204, "PATCH", "/automations/"+id, object{"enabled": false})
	equal(t, "off", w.get("/automations/" + id)["enabled"], false)
	w.do(422, "PATCH", "/automations/"+id, object{"enabled": nil})
	compound := object{"type": "compound", "within": 30, "require": "all", "triggers": []object{{"posture": "Reactive", "expect": []string{"x"}}, {"posture": "Proactive", "expect": []string{"y"}}}}
	w.do(204, "PUT", "/automations/"+id, object{"name": "uno", "trigger": compound, "actions": []object{{"type": "do-nothing"}}})
	put := w.get("/automations/" + id)
	shaped(t, "compound_trigger", put["trigger"])
	equal(t, "replaced", []any{put["name"], put["enabled"], at(put, "trigger", "triggers", 1, "within"), at(put, "actions", 0)}, []any{"uno", false, 10.0, object{"type": "do-nothing"}})

	equal(t, "related by action", names(w.list("/automations/related-to/prefect.deployment."+deployment, nil), "name"), []string{"two"})
	equal(t, "related by owner", names(w.list("/automations/related-to/prefect.deployment.x", nil), "name"), []string{"two"})
	w.do(202, "DELETE", "/automations/owned-by/prefect.deployment.nobody", nil)
	w.do(202, "DELETE", "/automations/owned-by/prefect.deployment.x", nil)
	equal(t, "count", w.do(200, "POST", "/automations/count", ""), 1.0)

	w.do(204, "DELETE", "/automations/"+id, nil)
	gone := object{"exception_message": "Automation not found"}
	for _, method := range []string{"GET", "DELETE"} {
		equal(t, method, w.do(404, method, "/automations/"+id, nil), gone)
	}
	equal(t, "PATCH", w.do(404, "PATCH", "/automations/"+id, object{"enabled": true}), gone)
	w.do(404, "GET", "/automations/nonsense", nil)
}

func TestAutomationFaults(t *testing.T) {
	w := newWorld(t, "sqlite::memory:")
	good := object{"posture": "Reactive", "expect": []string{"a"}}
	nothing := []object{{"type": "do-nothing"}}
	for _, body := range []object{
		{"name": "x"},
		{"name": "x", "trigger": object{"type": "event"}, "actions": nothing},
		{"name": "x", "trigger": good, "actions": []object{{"type": "run-deployment"}}},
		{"name": "x", "trigger": good, "actions": []object{{"type": "send-notification", "block_document_id": "00000000-0000-4000-8000-000000000000", "body": "{{ bad"}}},
		{"name": "x", "trigger": object{"posture": "Reactive", "match": "x"}, "actions": nothing},
		{"name": "x", "trigger": good, "actions": nothing, "enabled": "x"},
		{"name": 5, "trigger": good, "actions": nothing},
		{"name": "x", "trigger": good, "actions": []any{nil}},
		{"name": "x", "trigger": nil, "actions": nil},
	} {
		answer := w.do(http.StatusUnprocessableEntity, "POST", "/automations/", body)
		if loc, _ := at(answer, "exception_detail", 0, "loc").([]any); len(loc) < 2 || loc[0] != "body" {
			t.Errorf("%v: %v", body, answer)
		}
	}
}

// TestEndlessAutomationWarning checks that an automation that sets itself off is
// stored, as in Prefect, and that each answer that stores it says so.
func TestEndlessAutomationWarning(t *testing.T) {
	w := newWorld(t, "sqlite::memory:")
	flow := w.post(201, "/flows/", object{"name": "etl"})["id"].(string)
	d := w.post(201, "/deployments/", object{"name": "nightly", "flow_id": flow})["id"].(string)
	body := func(state string, enabled bool) object {
		return object{"name": "again", "enabled": enabled,
			"trigger": object{"type": "event", "expect": []string{"prefect.flow-run." + state}, "posture": "Reactive", "threshold": 1,
				"match_related": object{"prefect.resource.role": "flow", "prefect.resource.id": "prefect.flow." + flow}},
			"actions": []object{{"type": "run-deployment", "source": "selected", "deployment_id": d}}}
	}
	var id string
	for _, c := range []struct {
		method, path string
		body         object
		warned       bool
	}{
		{"POST", "/automations/", body("Failed", true), false},
		{"PUT", "", body("Completed", true), true},
		{"PATCH", "", object{"enabled": false}, false},
		{"PATCH", "", object{"enabled": true}, true},
		{"PUT", "", body("Completed", false), false},
		{"POST", "/automations/", body("Completed", true), true},
	} {
		path := c.path
		if path == "" {
			path = "/automations/" + id
		}
		status, header, answer := w.send(c.method, path, c.body)
		if status > 204 || (header.Get(WarningHeader) != "") != c.warned {
			t.Errorf("%s %v: %d, warning %q", c.method, c.body, status, header.Get(WarningHeader))
		}
		var made struct{ ID string }
		if json.Unmarshal(answer, &made) == nil {
			id = made.ID
		}
	}
}
