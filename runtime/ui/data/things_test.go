package data_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

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
	h := uitest.Open(t)
	running, _, _, _ := h.Seed()
	u := ui.New(ui.Config{Services: uitest.Services(h.Service), Store: ui.StoreOf(h.Store), Version: "0", BasePath: "/flowlite", Facts: h.Facts})
	address := regexp.MustCompile(`(?:href|action|src|hx-get|hx-post|hx-sse:connect)="(/[^"]*)"`)
	for name, path := range h.ThingsPages(running) {
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
	h := uitest.Open(t)
	const evil = `"><script>x</script><img src=x onerror=alert(1)>`
	ctx := t.Context()
	v := h.Variable("v", string(core.ToJSON(evil)), evil)
	a := h.Artifact("k", evil, core.ToJSON(evil), core.UUID{})
	b := h.Artifact("k", "table", core.ToJSON([]map[string]string{{evil: evil}}), core.UUID{})
	c := h.Artifact("k", "table", core.ToJSON([]map[string]string{{evil: evil + "2"}}), core.UUID{})
	img := h.Artifact("i", "image", core.ToJSON("javascript:alert(1)"), core.UUID{})
	tag, err := h.Service.SetTagLimit(ctx, core.TagLimitCreate{Tag: evil, Limit: 3})
	h.Check(err)
	l := h.Limit("l", 3, 0)
	h.Must(h.Service.AcquireSlots(ctx, core.SlotRequest{Slots: 1, Names: []string{"l"}, LeaseDuration: 300, Holder: core.ToJSON(map[string]string{"type": evil})}))
	kind, err := h.Service.CreateBlockType(ctx, core.BlockTypeCreate{Name: "Evil", Slug: "evil", Description: core.Ptr(evil)})
	h.Check(err)
	schema, _, err := h.Service.CreateBlockSchema(ctx, core.BlockSchemaCreate{BlockTypeID: kind.ID, Version: core.Ptr(evil), Capabilities: core.Tags{evil},
		Fields: map[string]core.JSON{"type": core.JSON(`"object"`), "title": core.ToJSON(evil), "properties": core.ToJSON(map[string]any{evil: map[string]any{"type": "string", "description": evil, "default": evil}})}})
	h.Check(err)
	d, err := h.Service.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: core.Ptr("d"), BlockSchemaID: schema.ID, BlockTypeID: kind.ID, Data: map[string]core.JSON{evil: core.ToJSON(evil)}})
	h.Check(err)
	for _, path := range []string{
		"/variables", "/variables/" + v.ID.String(), "/artifacts", "/artifacts?view=all", "/artifacts/" + a.ID.String(), "/artifacts/" + b.ID.String(), "/artifacts/" + c.ID.String() + "?with=" + b.ID.String(),
		"/artifacts/" + img.ID.String(), "/artifacts/" + a.ID.String() + "?with=" + b.ID.String(), "/concurrency", "/concurrency/" + tag.ID.String(), "/concurrency/" + l.ID.String(),
		"/blocks", "/blocks/new", "/blocks/new?type=evil", "/blocks/" + d.ID.String(), "/blocks/" + d.ID.String() + "?edit=1",
	} {
		code, body := h.Get(path)
		if code != 200 {
			t.Errorf("%s: %d", path, code)
		}
		lacks(t, body, "<script>", "<img", `href="javascript:`)
	}
}
