package trigger_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

func TestEndless(t *testing.T) {
	d := &core.Deployment{ID: core.NewID(), FlowID: core.NewID(), Name: "nightly", FlowName: "etl", Tags: core.Tags{"prod"}}
	flow := `{"prefect.resource.role":"flow","prefect.resource.id":"prefect.flow.` + d.FlowID.String() + `"}`
	on := func(expect ...string) *core.Trigger {
		return &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Threshold: core.Ptr(int64(1)), Expect: expect}
	}
	with := func(t *core.Trigger, change func(t *core.Trigger)) *core.Trigger { change(t); return t }
	completed := func() *core.Trigger { return on("prefect.flow-run.Completed") }
	for _, c := range []struct {
		name     string
		trigger  *core.Trigger
		inferred bool
		want     bool
	}{
		{name: "any run", trigger: completed(), want: true},
		{name: "any event", trigger: on(), want: true},
		{name: "any but failures", trigger: on("!prefect.flow-run.Failed"), want: true},
		{name: "failures", trigger: on("prefect.flow-run.Failed", "prefect.flow-run.Crashed")},
		{name: "other events", trigger: on("shop.*")},
		{name: "its flow", trigger: with(completed(), func(t *core.Trigger) { t.MatchRelated = core.JSON(flow) }), want: true},
		{name: "its flow and tag", trigger: with(completed(), func(t *core.Trigger) {
			t.MatchRelated = core.JSON(`[` + flow + `,{"prefect.resource.role":"tag","prefect.resource.id":["prefect.tag.dev","prefect.tag.prod"]}]`)
		}), want: true},
		{name: "another tag", trigger: with(completed(), func(t *core.Trigger) {
			t.MatchRelated = core.JSON(`{"prefect.resource.role":"tag","prefect.resource.id":"prefect.tag.dev"}`)
		})},
		{name: "every flow but another", trigger: with(completed(), func(t *core.Trigger) {
			t.MatchRelated = core.JSON(`{"prefect.resource.role":"flow","prefect.resource.id":"!prefect.flow.x"}`)
		}), want: true},
		{name: "one run", trigger: with(completed(), func(t *core.Trigger) { t.Match = map[string]any{"prefect.resource.id": "prefect.flow-run.7"} })},
		{name: "runs that no automation made", trigger: with(completed(), func(t *core.Trigger) {
			t.MatchRelated = core.JSON(`{"prefect.resource.role":"creator","prefect.resource.id":"!prefect.automation.*"}`)
		}), inferred: true},
		{name: "another flow, whichever it is", trigger: with(completed(), func(t *core.Trigger) {
			t.MatchRelated = core.JSON(`{"prefect.resource.role":"flow","prefect.resource.id":"prefect.flow.x"}`)
		}), inferred: true, want: true},
		{name: "one in five", trigger: with(completed(), func(t *core.Trigger) { t.Threshold = core.Ptr(int64(5)) })},
		{name: "three states of each run", trigger: with(on("prefect.flow-run.*"), func(t *core.Trigger) { t.Threshold = core.Ptr(int64(3)) }), want: true},
		{name: "no run", trigger: with(completed(), func(t *core.Trigger) { t.Posture = core.Proactive })},
		{name: "after another event", trigger: with(completed(), func(t *core.Trigger) { t.After = []string{"shop.closed"} })},
		{name: "any of two", trigger: &core.Trigger{Type: core.TriggerCompound, Require: core.JSON(`"any"`), Triggers: []*core.Trigger{on("shop.*"), completed()}}, want: true},
		{name: "both of two", trigger: &core.Trigger{Type: core.TriggerCompound, Require: core.JSON(`"all"`), Triggers: []*core.Trigger{on("shop.*"), completed()}}},
	} {
		a := &core.AutomationAction{Type: "run-deployment", DeploymentID: d.ID}
		of := d
		if c.inferred {
			a.Source, of = "inferred", nil
		}
		if got := trigger.Endless(c.trigger, a, of); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
		if trigger.Endless(c.trigger, &core.AutomationAction{Type: "cancel-flow-run"}, of) {
			t.Errorf("%s: an action that starts no run is endless", c.name)
		}
	}
}
