package ui_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestVariables(t *testing.T) {
	h := open(t)
	_, body := h.get("/variables")
	contains(t, body, "No variables yet", "No secrets yet")
	for _, bad := range []struct {
		form url.Values
		says string
	}{
		{url.Values{"name": {""}, "value": {"x"}}, "not valid"},
		{url.Values{"name": {"Big Name"}, "value": {"kept value"}}, "lowercase letters"},
		{url.Values{"name": {"n"}, "value": {"{"}, "as": {"json"}}, "This is not JSON"},
		{url.Values{"name": {"n"}, "value": {""}, "as": {"json"}}, "This is not JSON"},
		{url.Values{"name": {"n"}, "value": {strings.Repeat("x", 5001)}}, "at most 5000"},
	} {
		w := h.post("/variables/new", bad.form)
		if w.Code != 422 {
			t.Errorf("%v: %d", bad.form, w.Code)
		}
		contains(t, w.Body.String(), bad.says, "esum", "<html")
		if v := bad.form.Get("value"); len(v) > 3 {
			contains(t, w.Body.String(), v)
		}
	}
	for name, c := range map[string]struct{ as, value, want string }{
		"text": {"text", "15", `"15"`}, "number": {"json", "15", `15`}, "nothing": {"json", "null", `null`}, "lines": {"", "a\r\nb <b>", `"a\nb \u003cb\u003e"`},
		"object": {"json", ` {"a": [1, 2.50]} `, `{"a": [1, 2.50]}`},
	} {
		w := h.post("/variables/new", url.Values{"name": {name}, "as": {c.as}, "value": {c.value}, "tags": {"one, <two> ,"}})
		if w.Code != 303 {
			t.Fatal(name, w.Code, w.Body)
		}
		v, err := h.store.VariableByName(t.Context(), name)
		h.check(err)
		if v.Value.IsNull() { // as it is stored
			v.Value = core.JSON("null")
		}
		if string(v.Value) != c.want || len(v.Tags) != 2 || v.Tags[1] != "<two>" {
			t.Errorf("%s: %s %v", name, v.Value, v.Tags)
		}
	}
	if w := h.post("/variables/new", url.Values{"name": {"text"}, "value": {"x"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "already exists") {
		t.Errorf("a taken name: %d", w.Code)
	}
	_, body = h.get("/variables?q=nothing")
	contains(t, body, `data-copy="null"`)
	_, body = h.get("/variables?q=num")
	contains(t, body, ">number</a>")
	lacks(t, body, ">object</a>", "<two>")
	_, body = h.get("/variables?tag=%3Ctwo%3E")
	contains(t, body, ">number</a>", ">object</a>", "tag &lt;two&gt;")
	v, err := h.store.VariableByName(t.Context(), "number")
	h.check(err)
	path := "/variables/" + v.ID.String()
	_, body = h.get(path)
	contains(t, body, `value="json" checked`, "flowlite.Variable[int64](ctx, &#34;number&#34;)", "Variable.get(&#34;number&#34;)")
	if w := h.post(path, url.Values{"name": {"renamed"}, "as": {"text"}, "value": {"now text"}, "tags": {""}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	v, err = h.store.Variable(t.Context(), v.ID)
	h.check(err)
	if v.Name != "renamed" || string(v.Value) != `"now text"` || len(v.Tags) != 0 {
		t.Errorf("%+v %s", v, v.Value)
	}
	if w := h.post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	for _, gone := range []string{path, "/variables/x", "/secrets/" + v.ID.String(), "/secrets/x"} {
		if code, _ := h.get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
}

func TestVariablesArePaged(t *testing.T) {
	h := open(t)
	for i := range 60 {
		h.variable("v-"+string(rune('a'+i/26))+string(rune('a'+i%26)), "1")
	}
	_, body := h.get("/variables?q=v-")
	contains(t, body, "1–50</span>", ">v-aa</a>", `rel="next" href="/variables?page=2&amp;q=v-"`)
	lacks(t, body, ">v-ch</a>")
	_, body = h.get("/variables?q=v-&page=2")
	contains(t, body, "51–60</span>", ">v-ch</a>", `rel="prev"`)
	if code, body := h.get("/variables?page=99999999999999999999"); code != 200 {
		t.Errorf("%d %s", code, body)
	}
}

// The value of a secret is in no page, whatever is done with it.
func TestSecrets(t *testing.T) {
	h := open(t)
	const value, second = "tok-918273645", "-----BEGIN KEY-----\nabc\n-----END KEY-----"
	if w := h.post("/secrets/new", url.Values{"name": {"api-key"}, "value": {value}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	d, err := h.store.BlockDocumentByName(t.Context(), core.SecretBlock, "api-key")
	h.check(err)
	path := "/secrets/" + d.ID.String()
	for _, bad := range []struct {
		path string
		form url.Values
		says string
	}{
		{"/secrets/new", url.Values{"name": {"api-key"}, "value": {"x"}}, "a secret of this name already"},
		{"/secrets/new", url.Values{"name": {"Api Key"}, "value": {"x"}}, "lowercase letters"},
		{"/secrets/new", url.Values{"name": {""}, "value": {"x"}}, "Names must be provided"},
		{"/secrets/new", url.Values{"name": {"other"}, "value": {""}}, "Write the value."},
		{path, url.Values{"value": {"\r\n"}}, "Write the value."},
		{path, url.Values{"value": {"{"}, "as": {"json"}}, "This is not JSON"},
	} {
		if w := h.post(bad.path, bad.form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) {
			t.Errorf("%v: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	read := func(want string) {
		t.Helper()
		d, err := h.svc.BlockDocument(t.Context(), d.ID, true)
		h.check(err)
		if got := d.Data.Map()["value"]; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	}
	read(value)
	for _, page := range []string{"/variables", path, "/blocks", "/blocks/" + d.ID.String(), "/variables?q=api"} {
		code, body := h.get(page)
		if code != 200 {
			t.Errorf("%s: %d", page, code)
		}
		contains(t, body, "api-key")
		lacks(t, body, value)
	}
	_, body := h.get("/variables")
	contains(t, body, `data-copy="value, err := flowlite.Secret(ctx, &#34;api-key&#34;)"`, `data-copy="Secret.load(&#34;api-key&#34;).get()"`)
	if w := h.post(path, url.Values{"value": {strings.ReplaceAll(second, "\n", "\r\n") + "\r\n"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	read(second)
	if w := h.post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	if _, err := h.store.BlockDocument(t.Context(), d.ID); !core.IsNotFound(err) {
		t.Error(err)
	}
	hook := h.blockOf("webhook", "hook", `{"url":"https://a.test"}`)
	if w := h.post("/secrets/"+hook.ID.String(), url.Values{"value": {"x"}}); w.Code != 404 {
		t.Error("a block that is no secret was set as one:", w.Code)
	}
}

func TestVariablesInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/variables", 1280, 900)
	b.js(`document.querySelector('a[href$="/variables/new"]').click()`)
	b.wait(`!!document.querySelector("#variable-form") && !!window.htmx`)
	b.js(`(document.querySelector("[name=name]").value="order_limits",document.querySelector("[name=value]").value="{eu: 5}",document.querySelector("[name=as][value=json]").click(),document.querySelector("#variable-form .pri").click())`)
	b.wait(`document.activeElement.className=="esum"`)
	b.want(`document.querySelector("[name=value]").value`, "{eu: 5}")
	b.js(`(document.querySelector("[name=value]").value='{"eu": 5}',document.querySelector("#variable-form .pri").click())`)
	b.wait(`location.pathname=="/variables" && document.querySelector("tbody .json")?.textContent.includes('"eu"')`)
	b.js(`document.querySelector('a[href$="/secrets/new"]').click()`)
	b.wait(`!!document.querySelector("#secret-form") && !!window.htmx`)
	b.js(`(document.querySelector("[name=name]").value="api-key",document.querySelector("[name=value]").value="tok-918273645",document.querySelector("#secret-form .pri").click())`)
	b.wait(`document.querySelector("#toasts")?.textContent.includes("api-key is set")`)
	b.want(`document.documentElement.outerHTML.includes("tok-918273645")`, "false")
	b.wait(`!!window.htmx`)
	b.js(`(e=>{e.value="order";e.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=q]"))`)
	b.wait(`location.search=="?q=order" && document.querySelector("#variables")?.textContent.includes("No secret matches")`)
	b.js(`document.querySelector("#variables tbody a").click()`)
	b.wait(`!!document.querySelector(".confirm") && !!window.htmx`)
	b.want(`document.querySelector(".confirm button").checkVisibility()`, "false")
	b.js(`(document.querySelector(".confirm summary").click(),document.querySelector(".confirm button").click())`)
	b.wait(`location.pathname=="/variables" && document.querySelector("#variables")?.textContent.includes("No variables yet")`)
	b.wait(`!!window.htmx`)
	for _, key := range []string{"g", "c"} {
		b.js(`document.body.dispatchEvent(new KeyboardEvent("keydown",{key:"` + key + `",bubbles:true}))`)
	}
	b.wait(`location.pathname=="/concurrency"`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
