package data_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestBlocks(t *testing.T) {
	h := uitest.Open(t)
	h.Check(h.Service.RegisterBlocks(t.Context()))
	_, body := h.Get("/blocks")
	uitest.Contains(t, body, "No blocks yet")
	_, body = h.Get("/blocks/new")
	uitest.Contains(t, body, "/blocks/new?type=webhook", "Local File System")
	_, body = h.Get("/blocks/new?type=webhook")
	uitest.Contains(t, body, `name="url"`, `autocomplete="off" spellcheck="false"`, "Webhook URL", `name="block_name"`)
	for _, bad := range []struct {
		form url.Values
		says string
	}{
		{url.Values{"block_name": {""}, "url": {"https://a.test"}}, "Names must be provided"},
		{url.Values{"block_name": {"A B"}, "url": {"https://a.test/kept"}}, "lowercase letters"},
		{url.Values{"block_name": {"alerts"}}, "Required."},
		{url.Values{"block_name": {"alerts"}, "url": {"x"}, "headers": {"{"}}, "Not valid JSON"},
	} {
		bad.form.Set("block_type", "webhook")
		w := h.Post("/blocks/new?type=webhook", bad.form)
		if w.Code != 422 {
			t.Errorf("%v: %d", bad.form, w.Code)
		}
		uitest.Contains(t, w.Body.String(), bad.says, "esum", ">\n"+bad.form.Get("url")+"</textarea>")
	}
	make := url.Values{"block_type": {"webhook"}, "block_name": {"alerts"}, "url": {"https://a.test/xyz"}, "headers": {`{"Authorization":"Bearer abc"}`}, "method": {"PUT"}, "verify": {"false"}, "allow_private_urls": {"true"}}
	w := h.Post("/blocks/new?type=webhook", make)
	if w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	path := w.Header().Get("Location")
	id, err := core.ParseUUID(strings.TrimPrefix(path, "/blocks/"))
	h.Check(err)
	if m := h.Opened(id); m["url"] != "https://a.test/xyz" || m["verify"] != false || m["method"] != "PUT" {
		t.Error(m)
	}
	if w := h.Post("/blocks/new?type=webhook", make); w.Code != 422 || !strings.Contains(w.Body.String(), "already exists") {
		t.Errorf("a taken name: %d", w.Code)
	}
	for _, page := range []string{"/blocks", path, path + "?edit=1"} {
		code, body := h.Get(page)
		if code != 200 {
			t.Errorf("%s: %d", page, code)
		}
		uitest.Contains(t, body, "alerts")
		lacks(t, body, "a.test/xyz", "Bearer abc")
	}
	_, body = h.Get("/blocks?type=local-file-system")
	uitest.Contains(t, body, "No block matches")
	r := httptest.NewRecorder()
	h.UI.ServeHTTP(r, httptest.NewRequest("GET", "/blocks/block/"+id.String(), nil))
	if r.Header().Get("Location") != path {
		t.Error(r.Header())
	}
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	for _, gone := range []string{path, path + "?edit=1", "/blocks/x", "/blocks/new?type=nothing"} {
		if code, _ := h.Get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
}

// An edit keeps the secrets whose masks come back, what the form does not show,
// numbers to the last digit, and the blocks that stand in the block.
func TestEditBlockKeepsTheRest(t *testing.T) {
	h := uitest.Open(t)
	ctx := t.Context()
	inner := h.Secret("token", "inner-secret")
	kind, err := h.Service.CreateBlockType(ctx, core.BlockTypeCreate{Name: "Warehouse", Slug: "warehouse"})
	h.Check(err)
	fields := map[string]core.JSON{}
	for k, v := range core.JSON(`{"title":"Warehouse","type":"object","block_type_slug":"warehouse","secret_fields":["password","token.value"],"properties":{
	 "host":{"type":"string"},"port":{"type":"integer","default":5432},"password":{"type":"string","minLength":12,"format":"password"},"quota":{"type":"integer"},
	 "options":{"type":"object","properties":{"ssl":{"type":"boolean"}}},"token":{"$ref":"#/definitions/Secret"}},"required":["host"],
	 "definitions":{"Secret":{"type":"object","block_type_slug":"secret","properties":{"value":{"type":"string"}}}}}`).Map() {
		fields[k] = core.ToJSON(v)
	}
	schema, _, err := h.Service.CreateBlockSchema(ctx, core.BlockSchemaCreate{Fields: fields, BlockTypeID: kind.ID})
	h.Check(err)
	d, err := h.Service.CreateBlockDocument(ctx, core.BlockDocumentCreate{Name: core.Ptr("main"), BlockSchemaID: schema.ID, BlockTypeID: kind.ID, Data: map[string]core.JSON{
		"host": core.JSON(`"a.test"`), "port": core.JSON(`5432`), "password": core.JSON(`"correct-horse-battery"`), "quota": core.JSON(`1234567890123456789`),
		"options": core.JSON(`{"ssl":true,"sslmode":"verify-full"}`), "block_type_slug": core.JSON(`"warehouse"`), "token": core.ToJSON(map[string]any{"$ref": map[string]any{"block_document_id": inner.ID}})}})
	h.Check(err)
	path := "/blocks/" + d.ID.String()
	_, body := h.Get(path)
	uitest.Contains(t, body, "secret/token", `/blocks/`+inner.ID.String(), "********")
	lacks(t, body, "inner-secret", "correct-horse")
	_, body = h.Get(path + "?edit=1")
	uitest.Contains(t, body, `name="host" value="a.test"`, ">\n********</textarea>", "Leave ******** to keep", "Other blocks stay where they stand in it: token")
	shown := url.Values{"host": {"b.test"}, "port": {""}, "password": {"********"}, "quota": {value(t, body, "quota")}, "options.ssl": {"false"}}
	if w := h.Post(path, shown); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	stored, err := h.Service.BlockDocument(ctx, d.ID, true)
	h.Check(err)
	for _, want := range []string{`"host":"b.test"`, `"password":"correct-horse-battery"`, `"quota":1234567890123456789`, `"sslmode":"verify-full"`, `"ssl":false`, `"block_type_slug":"warehouse"`, `"token":{"value":"inner-secret"}`} {
		if !strings.Contains(string(stored.Data), want) {
			t.Errorf("%s lacks %s", stored.Data, want)
		}
	}
	if strings.Contains(string(stored.Data), "5432") || stored.References["token"].Document.ID != inner.ID {
		t.Errorf("%s %+v", stored.Data, stored.References)
	}
	shown.Set("password", "too short")
	shown.Del("port")
	if w := h.Post(path, shown); w.Code != 422 || !strings.Contains(w.Body.String(), "At least 12 characters") {
		t.Errorf("%d", w.Code)
	}
	shown.Set("password", "another-long-password")
	if w := h.Post(path, shown); w.Code != 303 || h.Opened(d.ID)["password"] != "another-long-password" {
		t.Errorf("%d %v", w.Code, h.Opened(d.ID))
	}
}

// value is what a form shows in a field.
func value(t *testing.T, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `name="`+name+`" value="`)
	if !ok {
		t.Fatalf("no field %s", name)
	}
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

func TestBlockInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.Check(h.Service.RegisterBlocks(t.Context()))
	b := h.Tab(t, uitest.Browser(t), "/blocks", 1280, 900)
	b.JS(`document.querySelector('a[href$="/blocks/new"]').click()`)
	b.Wait(`!!document.querySelector('a[href$="type=webhook"]')`)
	b.JS(`document.querySelector('a[href$="type=webhook"]').click()`)
	b.Wait(`!!document.querySelector("#block-form") && !!window.htmx`)
	b.JS(`(document.querySelector("[name=url]").value="https://a.test/xyz",document.querySelector("#block-form .pri").click())`)
	b.Wait(`document.activeElement.className=="esum"`)
	b.Want(`document.querySelector("[name=url]").value`, "https://a.test/xyz")
	b.JS(`(document.querySelector("[name=block_name]").value="alerts",document.querySelector("#block-form .pri").click())`)
	b.Wait(`document.querySelector("h1")?.textContent=="webhook/alerts"`)
	b.Want(`document.documentElement.outerHTML.includes("a.test/xyz")`, "false")
	b.JS(`document.querySelector('a[href$="?edit=1"]').click()`)
	b.Wait(`document.querySelector("[name=url]")?.value=="********" && !!window.htmx`)
	b.JS(`(document.querySelector("[name=verify][value=false]").click(),document.querySelector("#block-form .pri").click())`)
	b.Wait(`document.querySelector("#toasts")?.textContent.includes("saved") && document.querySelector("h1")?.textContent=="webhook/alerts"`)
	d, err := h.Store.BlockDocumentByName(t.Context(), "webhook", "alerts")
	h.Check(err)
	if m := h.Opened(d.ID); m["url"] != "https://a.test/xyz" || m["verify"] != false {
		t.Error(m)
	}
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
