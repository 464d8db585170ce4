package uitest

import (
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Block makes a block with a URL, of a schema that can do what is said.
func (h *Fixture) Block(slug, name, url string, capabilities ...string) *core.BlockDocument {
	h.T.Helper()
	ctx := h.T.Context()
	kind, err := h.Store.BlockTypeBySlug(ctx, slug)
	if core.IsNotFound(err) {
		kind, err = h.Service.CreateBlockType(ctx, core.BlockTypeCreate{Name: slug, Slug: slug})
	}
	h.Check(err)
	schema, _, err := h.Service.CreateBlockSchema(ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Capabilities: capabilities,
		Fields: map[string]core.JSON{"title": core.ToJSON(slug), "type": core.ToJSON("object"), "properties": core.JSON(`{"url":{"type":"string"}}`)}})
	h.Check(err)
	d, err := h.Service.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: &name, BlockSchemaID: schema.ID, BlockTypeID: kind.ID, Data: map[string]core.JSON{"url": core.ToJSON(url)}})
	h.Check(err)
	return d
}

func (h *Fixture) Automation(c core.AutomationWrite) *core.Automation {
	h.T.Helper()
	a, err := h.Service.CreateAutomation(h.T.Context(), c)
	h.Check(err)
	return a
}

// AutomationPath is the page of an automation that has fired, among others.
func (h *Fixture) AutomationPath() string {
	h.T.Helper()
	list, err := h.Store.AllAutomations(h.T.Context())
	h.Check(err)
	for _, a := range list {
		if a.Name == "Page me when ETL fails" {
			return "/automations/" + a.ID.String()
		}
	}
	hook := h.Block("slack-webhook", "data-ops", "https://hooks.slack.example/services/T0/B0/x", "notify")
	event := func(posture string, expect ...string) *core.Trigger {
		return &core.Trigger{Type: core.TriggerEvent, Posture: posture, Expect: expect, Match: map[string]any{"prefect.resource.id": "prefect.flow-run.*"}}
	}
	etl := event(core.Reactive, "prefect.flow-run.Failed", "prefect.flow-run.Crashed")
	etl.MatchRelated = core.ToJSON(map[string]any{"prefect.resource.role": "flow", "prefect.resource.id": []string{"prefect.flow." + h.ETL.FlowID.String()}})
	a := h.Automation(core.AutomationWrite{Name: "Page me when ETL fails", Trigger: etl, Actions: []*core.AutomationAction{
		{Type: "send-notification", BlockDocumentID: hook.ID, Body: "{{ flow_run.name }} failed"}, {Type: "run-deployment", Source: "selected", DeploymentID: h.Heartbeat.ID}}})
	long := event(core.Proactive, "prefect.flow-run.*")
	long.After, long.ForEach, long.Within = []string{"prefect.flow-run.Running"}, []string{"prefect.resource.id"}, core.Ptr(core.Seconds(7200))
	h.Automation(core.AutomationWrite{Name: "Cancel what hangs", Trigger: long, Actions: []*core.AutomationAction{{Type: "cancel-flow-run"}}})
	orders := &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{"shop.orders.landed"}, Threshold: core.Ptr(int64(5)), Within: core.Ptr(core.Seconds(600))}
	stock := &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{"shop.stock.landed"}}
	h.Automation(core.AutomationWrite{Name: "Nightly files", Enabled: core.Ptr(false), Trigger: &core.Trigger{Type: core.TriggerCompound, Require: core.JSON(`"all"`), Within: core.Ptr(core.Seconds(3600)), Triggers: []*core.Trigger{orders, stock}},
		Actions: []*core.AutomationAction{{Type: "run-deployment", Source: "selected", DeploymentID: h.ETL.ID}, {Type: "resume-work-pool", Source: "inferred"}}})
	h.failedETL(h.Now().Add(-3 * time.Minute))
	h.At(0)
	h.Must(h.Service.EvaluateAutomations(h.T.Context()))
	return "/automations/" + a.ID.String()
}

// AnEvent is the latest event whose name begins so.
func (h *Fixture) AnEvent(prefix string) *core.Event {
	h.T.Helper()
	es, err := h.Store.Events(h.T.Context(), &core.EventFilter{Event: &core.EventName{Prefix: []string{prefix}}}, core.Page{Limit: 1})
	h.Check(err)
	if len(es) == 0 {
		h.T.Fatal("no event", prefix)
	}
	return es[0]
}
