package ui_test

import (
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// facts are those of a server with one loop that fails and one that hangs.
func (h *house) facts() core.ServerFacts {
	now := core.Now()
	return core.ServerFacts{
		URL: "http://127.0.0.1:4200", Home: "/var/lib/flowlite", Results: "/var/lib/flowlite/results", KeyFrom: "FLOWLITE_ENCRYPTION_KEY",
		Auth: true, KeepEvents: 7 * 24 * time.Hour,
		Loops: []core.LoopProgress{
			{Name: "schedule", Every: 60, LastSuccess: now.Add(-12 * time.Second)},
			{Name: "late", Every: 5, LastSuccess: now.Add(-2 * time.Minute), LastError: "dial tcp 10.4.9.3:5432: connection refused"},
			{Name: "leases", Every: 2, LastSuccess: now.Add(-4 * time.Minute)},
			{Name: "foreman", Every: 15, LastSuccess: now.Add(-3 * time.Second), Elsewhere: true},
		},
	}
}

func (h *house) variable(name, value string, tags ...string) *core.Variable {
	h.t.Helper()
	v, err := h.svc.CreateVariable(h.t.Context(), core.VariableCreate{Name: name, Value: core.Some(core.JSON(value)), Tags: tags})
	h.check(err)
	return v
}

func (h *house) secret(name, value string) *core.BlockDocument {
	h.t.Helper()
	d, err := h.svc.CreateSecret(h.t.Context(), name, core.ToJSON(value))
	h.check(err)
	return d
}

func (h *house) block(slug, name, data string) *core.BlockDocument {
	h.t.Helper()
	ctx := h.t.Context()
	h.check(h.svc.RegisterBlocks(ctx))
	t, err := h.store.BlockTypeBySlug(ctx, slug)
	h.check(err)
	schemas, err := h.store.BlockSchemas(ctx, core.BlockFilters{Schemas: &core.BlockSchemaFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{t.ID}}}}, core.Page{Limit: 1})
	h.check(err)
	m := map[string]core.JSON{}
	for k, v := range core.JSON(data).Map() {
		m[k] = core.ToJSON(v)
	}
	d, err := h.svc.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: &name, Data: m, BlockSchemaID: schemas[0].ID, BlockTypeID: t.ID})
	h.check(err)
	return d
}

func (h *house) artifact(key, kind string, data core.JSON, run core.UUID) *core.Artifact {
	h.t.Helper()
	a, err := h.svc.CreateArtifact(h.t.Context(), core.ArtifactCreate{Key: &key, Type: &kind, Data: data, FlowRunID: run})
	h.check(err)
	return a
}

func (h *house) limit(name string, slots int64, decay float64) *core.GlobalConcurrencyLimit {
	h.t.Helper()
	l, err := h.svc.CreateGlobalLimit(h.t.Context(), core.GlobalConcurrencyLimitCreate{Name: name, Limit: slots, SlotDecayPerSecond: decay})
	h.check(err)
	return l
}

// hold takes a slot by lease for a run.
func (h *house) hold(limit, kind string, id core.UUID) core.UUID {
	h.t.Helper()
	g, err := h.svc.AcquireSlots(h.t.Context(), core.SlotRequest{Slots: 1, Names: []string{limit}, LeaseDuration: 300,
		Holder: core.ToJSON(map[string]string{"type": kind, "id": id.String()})})
	h.check(err)
	return g.LeaseID
}

// thingsPages fills what runs stand on, and names the pages of it.
func (h *house) thingsPages(run *core.FlowRun) map[string]string {
	h.t.Helper()
	v := h.variable("order_limits", `{"eu": 500, "us": 1200, "currencies": ["EUR", "USD"], "strict": true}`, "orders", "prod")
	h.variable("model_name", `"claims-triage-2026-11"`, "prod")
	h.variable("retry_minutes", `15`)
	s := h.secret("shop-api-token", "tok-918273645")
	h.secret("warehouse-password", "hunter2-hunter2")
	hook := h.block("webhook", "alerts", `{"url":"https://hooks.example.test/T0/B1/xyz","headers":{"Authorization":"Bearer abcdef"},"verify":true}`)
	h.block("local-file-system", "lake", `{"basepath":"/srv/lake"}`)
	rows := func(n string) core.JSON {
		return core.ToJSON(`[{"region":"eu","orders":9120,"refunds":31},{"region":"us","orders":` + n + `,"refunds":58},{"region":"apac","orders":2080,"refunds":4}]`)
	}
	before := h.artifact("row-counts", "table", rows("6650"), run.ID)
	h.artifact("row-counts", "table", rows("6700"), core.UUID{})
	table := h.artifact("row-counts", "table", rows("7004"), run.ID)
	text := h.artifact("orders-summary", "markdown", core.ToJSON("### Orders\n\n**17,980** orders from 24 partitions.\n\n- 190 without a country"), run.ID)
	newer := h.artifact("orders-summary", "markdown", core.ToJSON("### Orders\n\n**18,204** orders from 24 partitions.\n\n- 212 without a country\n- [dashboard](https://bi.example.test/orders)"), run.ID)
	db := h.limit("warehouse-connections", 3, 0)
	h.limit("geocoder", 50, 2.5)
	h.hold("warehouse-connections", "flow_run", run.ID)
	ts, err := h.store.TaskRunsOf(h.t.Context(), run.ID, core.UUID{}, 10)
	h.check(err)
	h.hold("warehouse-connections", "task_run", ts[0].ID)
	h.hold("warehouse-connections", "", core.UUID{})
	h.must(h.svc.IncrementSlots(h.t.Context(), core.SlotRequest{Slots: 20, Names: []string{"geocoder"}}))
	h.must(h.svc.SetTagLimit(h.t.Context(), core.TagLimitCreate{Tag: "gpu", Limit: 2}))
	h.must(h.svc.TakeTagSlots(h.t.Context(), []string{"gpu"}, ts[1].ID))
	return map[string]string{
		"variables": "/variables", "variable": "/variables/" + v.ID.String(), "variable-new": "/variables/new",
		"secret": "/secrets/" + s.ID.String(), "secret-new": "/secrets/new",
		"blocks": "/blocks", "block": "/blocks/" + hook.ID.String(), "block-edit": "/blocks/" + hook.ID.String() + "?edit=1", "block-types": "/blocks/new", "block-new": "/blocks/new?type=webhook",
		"artifacts": "/artifacts", "artifacts-all": "/artifacts?view=all", "artifact": "/artifacts/" + table.ID.String(),
		"artifact-rows": "/artifacts/" + table.ID.String() + "?with=" + before.ID.String(), "artifact-lines": "/artifacts/" + newer.ID.String() + "?with=" + text.ID.String(),
		"concurrency": "/concurrency", "limit": "/concurrency/" + db.ID.String(), "limit-new": "/concurrency/new",
		"settings": "/settings",
	}
}

// lacks fails where a page says what it must not.
func lacks(t interface {
	Helper()
	Errorf(format string, args ...any)
}, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(body, w) {
			t.Errorf("page says %q", w)
		}
	}
}
