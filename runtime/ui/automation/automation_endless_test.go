package automation_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// An automation whose runs would set it off again and again is refused; those
// that only look like it are not.
func TestEndlessAutomations(t *testing.T) {
	h := uitest.Open(t)
	for _, c := range []struct {
		name    string
		q       url.Values
		endless bool
	}{
		{"its own flow", url.Values{"kind": {"run"}, "run.states": {"Completed"}, "run.flows": {"etl"}, "a0.deployment": {"etl/nightly"}}, true},
		{"any run", url.Values{"kind": {"run"}, "run.states": {"Completed"}, "a0.deployment": {"etl/nightly"}}, true},
		{"any state", url.Values{"kind": {"run"}, "run.deployments": {"etl/nightly"}, "a0.deployment": {"etl/nightly"}}, true},
		{"the event's deployment", url.Values{"kind": {"run"}, "run.states": {"Running"}, "run.flows": {"etl"}, "a0.deployment": {""}}, true},
		{"its tag", url.Values{"kind": {"run"}, "run.states": {"Completed"}, "run.tags": {"prod"}, "a0.deployment": {"etl/nightly"}}, true},
		{"events by name", url.Values{"kind": {"event"}, "event.expect": {"prefect.flow-run.*"}, "a0.deployment": {"etl/nightly"}}, true},
		{"another flow", url.Values{"kind": {"run"}, "run.states": {"Completed"}, "run.flows": {"adder"}, "a0.deployment": {"etl/nightly"}}, false},
		{"another tag", url.Values{"kind": {"run"}, "run.states": {"Completed"}, "run.tags": {"other"}, "a0.deployment": {"etl/nightly"}}, false},
		{"failures", url.Values{"kind": {"run"}, "run.states": {"Failed", "Crashed"}, "run.flows": {"etl"}, "a0.deployment": {"etl/nightly"}}, false},
		{"one of many", url.Values{"kind": {"run"}, "run.states": {"Completed"}, "run.flows": {"etl"}, "run.threshold": {"5"}, "run.within": {"1h"}, "a0.deployment": {"etl/nightly"}}, false},
		{"a further condition", url.Values{"kind": {"event"}, "event.expect": {"prefect.flow-run.Completed"}, "event.after": {"shop.closed"}, "a0.deployment": {"etl/nightly"}}, false},
		{"a further label", url.Values{"kind": {"event"}, "event.expect": {"prefect.flow-run.Completed"}, "event.match": {`{"prefect.resource.name":"by-hand-*"}`}, "a0.deployment": {"etl/nightly"}}, false},
		{"a related resource", url.Values{"kind": {"event"}, "event.expect": {"prefect.flow-run.Completed"}, "event.match_related": {`{"prefect.resource.id":"prefect.flow.x"}`}, "a0.deployment": {"etl/nightly"}}, false},
		{"all but failures", url.Values{"kind": {"event"}, "event.expect": {"!prefect.flow-run.Failed"}, "a0.deployment": {"etl/nightly"}}, true},
		{"other events", url.Values{"kind": {"event"}, "event.expect": {"shop.*"}, "a0.deployment": {"etl/nightly"}}, false},
	} {
		c.q.Set("name", c.name)
		c.q.Set("a0.type", "run-deployment")
		w := h.Post("/automations/new", c.q)
		said := strings.Contains(w.Body.String(), "without an end")
		if w.Code == 422 != c.endless || said != c.endless {
			t.Errorf("%s: %d, refused as endless: %v", c.name, w.Code, said)
		}
	}
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	of := h.Emit("prefect.flow-run.Completed", "prefect.flow-run."+run.ID.String(), 0, `{}`)
	landed := h.Emit("shop.orders.landed", "shop.orders", 0, `{}`)
	for id, chosen := range map[string]string{of.ID.String(): `<option value="">Choose…</option>`, landed.ID.String(): `<option value="run-deployment" selected`} {
		if _, form := h.Get("/automations/new?event=" + id); !strings.Contains(form, chosen) {
			t.Errorf("an automation from event %s does not begin with %s", id, chosen)
		}
	}
}

// TestEndlessNotice checks that the page of an automation that a client of the API
// has stored says that it sets itself off.
func TestEndlessNotice(t *testing.T) {
	h := uitest.Open(t)
	d, err := h.Store.DeploymentByName(t.Context(), "etl", "nightly")
	h.Check(err)
	for state, endless := range map[string]bool{"Completed": true, "Failed": false} {
		a, err := h.Service.CreateAutomation(t.Context(), core.AutomationWrite{Name: state,
			Trigger: &core.Trigger{Posture: core.Reactive, Expect: []string{"prefect.flow-run." + state}},
			Actions: []*core.AutomationAction{{Type: "run-deployment", DeploymentID: d.ID}}})
		h.Check(err)
		if _, body := h.Get("/automations/" + a.ID.String()); strings.Contains(body, "sets it off again") != endless {
			t.Errorf("%s: the page says that it sets itself off: %t", state, !endless)
		}
	}
}

// The list tells of an action that failed, until the next firing goes well.
func TestListTellsOfFailedActions(t *testing.T) {
	h := uitest.Open(t)
	if w := h.Post("/automations/new", url.Values{"name": {"mine"}, "kind": {"event"}, "event.expect": {"a"}, "a0.type": {"do-nothing"}}); w.Code != 303 {
		t.Fatal(w.Code)
	}
	list, err := h.Store.AllAutomations(t.Context())
	h.Check(err)
	for _, x := range []struct {
		event  string
		ago    time.Duration
		failed bool
	}{
		{"prefect.automation.triggered", time.Minute, false},
		{"prefect.automation.action.failed", 59 * time.Second, true},
		{"prefect.automation.triggered", time.Second, false},
	} {
		h.Emit(x.event, list[0].Resource(), x.ago, `{}`)
		if _, body := h.Get("/automations"); strings.Contains(body, "an action failed") != x.failed {
			t.Errorf("after %s %s ago the list tells of a failure: %v", x.event, x.ago, !x.failed)
		}
	}
}
