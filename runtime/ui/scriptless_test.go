package ui_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// A browser that runs no scripts reads pages, filters, starts a run by the
// form, and sees a live page change by itself.
func TestBrowserWithoutJavaScript(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.Seed()
	b := h.Blank(t, uitest.Browser(t))
	c := b.Ctx
	b.Size(1280, 900)
	if _, err := chromedp.Call(c, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	visit := func(path string) {
		t.Helper()
		if err := chromedp.Do(c, chromedp.Navigate(h.Server.URL+path)); err != nil {
			t.Fatal(err)
		}
	}
	// What the tests evaluate runs even so; the page's own scripts do not.
	visit("/runs?state=failed")
	b.Want(`typeof window.htmx`, "undefined")
	b.Want(`[...document.querySelectorAll("tbody .badge")].every(x=>x.textContent.includes("Failed"))`, "true")
	visit("/deployments/" + h.Adder.ID.String() + "/run")
	b.JS(`(document.querySelector("[name='parameters.a']").value=40,[...document.querySelectorAll("[placeholder='add…']")].slice(0,3).forEach((x,i)=>x.value="more"+i),document.querySelector("#run-form").submit())`)
	b.Wait(`location.pathname.startsWith("/flow-runs/")`)
	b.Want(`!!document.querySelector("noscript")`, "true")
	id, err := core.ParseUUID(strings.TrimPrefix(b.JS("location.pathname"), "/flow-runs/"))
	h.Check(err)
	if got := string(h.Run(id).Parameters); !strings.Contains(got, `"regions":["eu","us","more0","more1","more2"]`) {
		t.Error("a list takes several new items: ", got)
	}
	ctx := h.Act(id)
	h.Complete(ctx, id, "42")
	b.Wait(`document.querySelector("#run-head .badge")?.textContent.trim()=="Completed"`) // the page loads itself anew
}

// Without JavaScript: filters submit, forms post, redirect and say what happened.
func TestNoJavaScript(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	jar, err := cookiejar.New(nil)
	h.Check(err)
	c := &http.Client{Jar: jar}
	r, err := c.PostForm(h.Server.URL+"/flow-runs/"+run.ID.String()+"/cancel", nil)
	h.Check(err)
	b, err := io.ReadAll(r.Body)
	h.Check(err)
	_ = r.Body.Close()
	uitest.Contains(t, string(b), "Cancelling "+run.Name, "Cancelled")
	_, body := h.Get("/runs?state=cancelled&range=all")
	uitest.Contains(t, body, run.Name)
	_, body = h.Get("/runs?state=failed&range=all")
	if strings.Contains(body, run.Name) {
		t.Error("the filter lets others through")
	}
}
