package ui_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui"
)

// facts are those of a server with one loop that fails and one that hangs.
func (h *house) facts() core.ServerFacts {
	now := core.Now()
	return core.ServerFacts{
		URL: "http://127.0.0.1:4200", Home: "/var/lib/flowlite", Results: "/var/lib/flowlite/results", KeyFrom: "FLOWLITE_ENCRYPTION_KEY",
		Auth: true, KeepRuns: 90 * 24 * time.Hour, KeepEvents: 7 * 24 * time.Hour, KeepLogs: -1,
		Flows: h.folder.Load(),
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

func (h *house) blockOf(slug, name, data string) *core.BlockDocument {
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
	hook := h.blockOf("webhook", "alerts", `{"url":"https://hooks.example.test/T0/B1/xyz","headers":{"Authorization":"Bearer abcdef"},"verify":true}`)
	h.blockOf("local-file-system", "lake", `{"basepath":"/srv/lake"}`)
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

// Every address of these pages goes through the base path.
func TestThingsBelowABasePath(t *testing.T) {
	h := open(t)
	running, _, _, _ := h.seed()
	u := ui.New(ui.Config{Service: h.svc, Store: h.store, Version: "0", BasePath: "/flowlite", Facts: h.facts})
	address := regexp.MustCompile(`(?:href|action|src|hx-get|hx-post|hx-sse:connect)="(/[^"]*)"`)
	for name, path := range h.thingsPages(running) {
		w := httptest.NewRecorder()
		u.ServeHTTP(w, httptest.NewRequest("GET", "/flowlite"+path, nil))
		all := address.FindAllStringSubmatch(w.Body.String(), -1)
		if w.Code != 200 || len(all) < 20 {
			t.Errorf("%s: %d, %d addresses", name, w.Code, len(all))
		}
		for _, m := range all {
			if !strings.HasPrefix(m[1], "/flowlite/") {
				t.Errorf("%s: %s", name, m[0])
			}
		}
	}
}

// What others name is text.
func TestHostileThings(t *testing.T) {
	h := open(t)
	const evil = `"><script>x</script><img src=x onerror=alert(1)>`
	ctx := t.Context()
	v := h.variable("v", string(core.ToJSON(evil)), evil)
	a := h.artifact("k", evil, core.ToJSON(evil), core.UUID{})
	b := h.artifact("k", "table", core.ToJSON([]map[string]string{{evil: evil}}), core.UUID{})
	c := h.artifact("k", "table", core.ToJSON([]map[string]string{{evil: evil + "2"}}), core.UUID{})
	img := h.artifact("i", "image", core.ToJSON("javascript:alert(1)"), core.UUID{})
	tag, err := h.svc.SetTagLimit(ctx, core.TagLimitCreate{Tag: evil, Limit: 3})
	h.check(err)
	l := h.limit("l", 3, 0)
	h.must(h.svc.AcquireSlots(ctx, core.SlotRequest{Slots: 1, Names: []string{"l"}, LeaseDuration: 300, Holder: core.ToJSON(map[string]string{"type": evil})}))
	kind, err := h.svc.CreateBlockType(ctx, core.BlockTypeCreate{Name: "Evil", Slug: "evil", Description: core.Ptr(evil)})
	h.check(err)
	schema, _, err := h.svc.CreateBlockSchema(ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Version: core.Ptr(evil), Capabilities: core.Tags{evil},
		Fields: map[string]core.JSON{"type": core.JSON(`"object"`), "title": core.ToJSON(evil), "properties": core.ToJSON(map[string]any{evil: map[string]any{"type": "string", "description": evil, "default": evil}})}})
	h.check(err)
	d, err := h.svc.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: core.Ptr("d"), BlockSchemaID: schema.ID, BlockTypeID: kind.ID, Data: map[string]core.JSON{evil: core.ToJSON(evil)}})
	h.check(err)
	for _, path := range []string{
		"/variables", "/variables/" + v.ID.String(), "/artifacts", "/artifacts?view=all", "/artifacts/" + a.ID.String(), "/artifacts/" + b.ID.String(), "/artifacts/" + c.ID.String() + "?with=" + b.ID.String(),
		"/artifacts/" + img.ID.String(), "/artifacts/" + a.ID.String() + "?with=" + b.ID.String(), "/concurrency", "/concurrency/" + tag.ID.String(), "/concurrency/" + l.ID.String(),
		"/blocks", "/blocks/new", "/blocks/new?type=evil", "/blocks/" + d.ID.String(), "/blocks/" + d.ID.String() + "?edit=1",
	} {
		code, body := h.get(path)
		if code != 200 {
			t.Errorf("%s: %d", path, code)
		}
		lacks(t, body, "<script>", "<img", `href="javascript:`)
	}
}
