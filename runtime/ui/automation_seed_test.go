package ui_test

import (
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// block makes a block with a URL, of a schema that can do what is said.
func (h *house) block(slug, name, url string, capabilities ...string) *core.BlockDocument {
	h.t.Helper()
	ctx := h.t.Context()
	kind, err := h.store.BlockTypeBySlug(ctx, slug)
	if core.IsNotFound(err) {
		kind, err = h.svc.CreateBlockType(ctx, core.BlockTypeCreate{Name: slug, Slug: slug})
	}
	h.check(err)
	schema, _, err := h.svc.CreateBlockSchema(ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Capabilities: capabilities,
		Fields: map[string]core.JSON{"title": core.ToJSON(slug), "type": core.ToJSON("object"), "properties": core.JSON(`{"url":{"type":"string"}}`)}})
	h.check(err)
	d, err := h.svc.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: &name, BlockSchemaID: schema.ID, BlockTypeID: kind.ID, Data: map[string]core.JSON{"url": core.ToJSON(url)}})
	h.check(err)
	return d
}

func (h *house) automation(c core.AutomationWrite) *core.Automation {
	h.t.Helper()
	a, err := h.svc.CreateAutomation(h.t.Context(), c)
	h.check(err)
	return a
}

// automationPath is the page of an automation that has fired, among others.
func (h *house) automationPath() string {
	h.t.Helper()
	list, err := h.store.AllAutomations(h.t.Context())
	h.check(err)
	for _, a := range list {
		if a.Name == "Page me when ETL fails" {
			return "/automations/" + a.ID.String()
		}
	}
	hook := h.block("slack-webhook", "data-ops", "https://hooks.slack.example/services/T0/B0/x", "notify")
	event := func(posture string, expect ...string) *core.Trigger {
		return &core.Trigger{Type: core.TriggerEvent, Posture: posture, Expect: expect, Match: map[string]any{"prefect.resource.id": "prefect.flow-run.*"}}
	}
	etl := event(core.Reactive, "prefect.flow-run.Failed", "prefect.flow-run.Crashed")
	etl.MatchRelated = core.ToJSON(map[string]any{"prefect.resource.role": "flow", "prefect.resource.id": []string{"prefect.flow." + h.etl.FlowID.String()}})
	a := h.automation(core.AutomationWrite{Name: "Page me when ETL fails", Trigger: etl, Actions: []*core.AutomationAction{
		{Type: "send-notification", BlockDocumentID: hook.ID, Body: "{{ flow_run.name }} failed"}, {Type: "run-deployment", Source: "selected", DeploymentID: h.heartbeat.ID}}})
	long := event(core.Proactive, "prefect.flow-run.*")
	long.After, long.ForEach, long.Within = []string{"prefect.flow-run.Running"}, []string{"prefect.resource.id"}, core.Ptr(core.Seconds(7200))
	h.automation(core.AutomationWrite{Name: "Cancel what hangs", Trigger: long, Actions: []*core.AutomationAction{{Type: "cancel-flow-run"}}})
	orders := &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{"shop.orders.landed"}, Threshold: core.Ptr(int64(5)), Within: core.Ptr(core.Seconds(600))}
	stock := &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{"shop.stock.landed"}}
	h.automation(core.AutomationWrite{Name: "Nightly files", Enabled: core.Ptr(false), Trigger: &core.Trigger{Type: core.TriggerCompound, Require: core.JSON(`"all"`), Within: core.Ptr(core.Seconds(3600)), Triggers: []*core.Trigger{orders, stock}},
		Actions: []*core.AutomationAction{{Type: "run-deployment", Source: "selected", DeploymentID: h.etl.ID}, {Type: "resume-work-pool", Source: "inferred"}}})
	h.failedETL(h.now().Add(-3 * time.Minute))
	h.at(0)
	h.must(h.svc.EvaluateAutomations(h.t.Context()))
	return "/automations/" + a.ID.String()
}

// anEvent is the latest event whose name begins so.
func (h *house) anEvent(prefix string) *core.Event {
	h.t.Helper()
	es, err := h.store.Events(h.t.Context(), &core.EventFilter{Event: &core.EventName{Prefix: []string{prefix}}}, core.Page{Limit: 1})
	h.check(err)
	if len(es) == 0 {
		h.t.Fatal("no event", prefix)
	}
	return es[0]
}
