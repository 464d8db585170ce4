package data_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestVariables(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/variables")
	uitest.Contains(t, body, "No variables yet", "No secrets yet")
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
		w := h.Post("/variables/new", bad.form)
		if w.Code != 422 {
			t.Errorf("%v: %d", bad.form, w.Code)
		}
		uitest.Contains(t, w.Body.String(), bad.says, "esum", "<html")
		if v := bad.form.Get("value"); len(v) > 3 {
			uitest.Contains(t, w.Body.String(), v)
		}
	}
	for name, c := range map[string]struct{ as, value, want string }{
		"text": {"text", "15", `"15"`}, "number": {"json", "15", `15`}, "nothing": {"json", "null", `null`}, "lines": {"", "a\r\nb <b>", `"a\nb \u003cb\u003e"`},
		"object": {"json", ` {"a": [1, 2.50]} `, `{"a": [1, 2.50]}`},
	} {
		w := h.Post("/variables/new", url.Values{"name": {name}, "as": {c.as}, "value": {c.value}, "tags": {"one, <two> ,"}})
		if w.Code != 303 {
			t.Fatal(name, w.Code, w.Body)
		}
		v, err := h.Store.VariableByName(t.Context(), name)
		h.Check(err)
		if v.Value.IsNull() { // as it is stored
			v.Value = core.JSON("null")
		}
		if string(v.Value) != c.want || len(v.Tags) != 2 || v.Tags[1] != "<two>" {
			t.Errorf("%s: %s %v", name, v.Value, v.Tags)
		}
	}
	if w := h.Post("/variables/new", url.Values{"name": {"text"}, "value": {"x"}}); w.Code != 422 || !strings.Contains(w.Body.String(), "already exists") {
		t.Errorf("a taken name: %d", w.Code)
	}
	_, body = h.Get("/variables?q=nothing")
	uitest.Contains(t, body, `data-copy="null"`)
	_, body = h.Get("/variables?q=num")
	uitest.Contains(t, body, ">number</a>")
	lacks(t, body, ">object</a>", "<two>")
	_, body = h.Get("/variables?tag=%3Ctwo%3E")
	uitest.Contains(t, body, ">number</a>", ">object</a>", "tag &lt;two&gt;")
	v, err := h.Store.VariableByName(t.Context(), "number")
	h.Check(err)
	path := "/variables/" + v.ID.String()
	_, body = h.Get(path)
	uitest.Contains(t, body, `value="json" checked`, "flowlite.Variable[int64](ctx, &#34;number&#34;)", "Variable.get(&#34;number&#34;)")
	if w := h.Post(path, url.Values{"name": {"renamed"}, "as": {"text"}, "value": {"now text"}, "tags": {""}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	v, err = h.Store.Variable(t.Context(), v.ID)
	h.Check(err)
	if v.Name != "renamed" || string(v.Value) != `"now text"` || len(v.Tags) != 0 {
		t.Errorf("%+v %s", v, v.Value)
	}
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	for _, gone := range []string{path, "/variables/x", "/secrets/" + v.ID.String(), "/secrets/x"} {
		if code, _ := h.Get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
}

func TestVariablesArePaged(t *testing.T) {
	h := uitest.Open(t)
	for i := range 60 {
		h.Variable("v-"+string(rune('a'+i/26))+string(rune('a'+i%26)), "1")
	}
	_, body := h.Get("/variables?q=v-")
	uitest.Contains(t, body, "1–50</span>", ">v-aa</a>", `rel="next" href="/variables?page=2&amp;q=v-"`)
	lacks(t, body, ">v-ch</a>")
	_, body = h.Get("/variables?q=v-&page=2")
	uitest.Contains(t, body, "51–60</span>", ">v-ch</a>", `rel="prev"`)
	if code, body := h.Get("/variables?page=99999999999999999999"); code != 200 {
		t.Errorf("%d %s", code, body)
	}
}

// The value of a secret is in no page, whatever is done with it.
func TestSecrets(t *testing.T) {
	h := uitest.Open(t)
	const value, second = "tok-918273645", "-----BEGIN KEY-----\nabc\n-----END KEY-----"
	if w := h.Post("/secrets/new", url.Values{"name": {"api-key"}, "value": {value}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	d, err := h.Store.BlockDocumentByName(t.Context(), core.SecretBlock, "api-key")
	h.Check(err)
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
		if w := h.Post(bad.path, bad.form); w.Code != 422 || !strings.Contains(w.Body.String(), bad.says) {
			t.Errorf("%v: %d, want %q", bad.form, w.Code, bad.says)
		}
	}
	read := func(want string) {
		t.Helper()
		d, err := h.Service.BlockDocument(t.Context(), d.ID, true)
		h.Check(err)
		if got := d.Data.Map()["value"]; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	}
	read(value)
	for _, page := range []string{"/variables", path, "/blocks", "/blocks/" + d.ID.String(), "/variables?q=api"} {
		code, body := h.Get(page)
		if code != 200 {
			t.Errorf("%s: %d", page, code)
		}
		uitest.Contains(t, body, "api-key")
		lacks(t, body, value)
	}
	_, body := h.Get("/variables")
	uitest.Contains(t, body, `data-copy="value, err := flowlite.Secret(ctx, &#34;api-key&#34;)"`, `data-copy="Secret.load(&#34;api-key&#34;).get()"`)
	if w := h.Post(path, url.Values{"value": {strings.ReplaceAll(second, "\n", "\r\n") + "\r\n"}}); w.Code != 303 {
		t.Fatal(w.Code, w.Body)
	}
	read(second)
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	if _, err := h.Store.BlockDocument(t.Context(), d.ID); !core.IsNotFound(err) {
		t.Error(err)
	}
	hook := h.BlockOf("webhook", "hook", `{"url":"https://a.test"}`)
	if w := h.Post("/secrets/"+hook.ID.String(), url.Values{"value": {"x"}}); w.Code != 404 {
		t.Error("a block that is no secret was set as one:", w.Code)
	}
}

func TestVariablesInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/variables", 1280, 900)
	b.JS(`document.querySelector('a[href$="/variables/new"]').click()`)
	b.Wait(`!!document.querySelector("#variable-form") && !!window.htmx`)
	b.JS(`(document.querySelector("[name=name]").value="order_limits",document.querySelector("[name=value]").value="{eu: 5}",document.querySelector("[name=as][value=json]").click(),document.querySelector("#variable-form .pri").click())`)
	b.Wait(`document.activeElement.className=="esum"`)
	b.Want(`document.querySelector("[name=value]").value`, "{eu: 5}")
	b.JS(`(document.querySelector("[name=value]").value='{"eu": 5}',document.querySelector("#variable-form .pri").click())`)
	b.Wait(`location.pathname=="/variables" && document.querySelector("tbody .json")?.textContent.includes('"eu"')`)
	b.JS(`document.querySelector('a[href$="/secrets/new"]').click()`)
	b.Wait(`!!document.querySelector("#secret-form") && !!window.htmx`)
	b.JS(`(document.querySelector("[name=name]").value="api-key",document.querySelector("[name=value]").value="tok-918273645",document.querySelector("#secret-form .pri").click())`)
	b.Wait(`document.querySelector("#toasts")?.textContent.includes("api-key is set")`)
	b.Want(`document.documentElement.outerHTML.includes("tok-918273645")`, "false")
	b.Wait(`!!window.htmx`)
	b.JS(`(e=>{e.value="order";e.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=q]"))`)
	b.Wait(`location.search=="?q=order" && document.querySelector("#variables")?.textContent.includes("No secret matches")`)
	b.JS(`document.querySelector("#variables tbody a").click()`)
	b.Wait(`!!document.querySelector(".confirm") && !!window.htmx`)
	b.Want(`document.querySelector(".confirm button").checkVisibility()`, "false")
	b.JS(`(document.querySelector(".confirm summary").click(),document.querySelector(".confirm button").click())`)
	b.Wait(`location.pathname=="/variables" && document.querySelector("#variables")?.textContent.includes("No variables yet")`)
	b.Wait(`!!window.htmx`)
	for _, key := range []string{"g", "c"} {
		b.JS(`document.body.dispatchEvent(new KeyboardEvent("keydown",{key:"` + key + `",bubbles:true}))`)
	}
	b.Wait(`location.pathname=="/concurrency"`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
