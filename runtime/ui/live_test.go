package ui_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/flowlite/flowlite/runtime/core"
)

func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent(k)); err != nil {
			b.t.Fatal(err)
		}
	}
}

// eventually is for what the page does not show.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline, tick := time.After(15*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never true:", what)
		}
	}
}

// Keys: / and Ctrl-K find, Escape closes, g r goes to the runs, j moves in the timeline.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	h := open(t)
	running, _, _, _ := h.seed()
	b := h.tab(t, browser(t), "/flow-runs/"+running.ID.String(), 1280, 900)
	slash := func() { // pressed by chromedp it would also be typed into the field that it opens
		b.js(`document.body.dispatchEvent(new KeyboardEvent("keydown",{key:"/",bubbles:true}))`)
		b.wait(`document.querySelector("#palette").open`)
	}
	slash()
	b.press("refund")
	b.wait(`document.querySelector("#pal-results a")?.textContent.includes("refund-approval/support")`)
	b.press(kb.Escape)
	b.wait(`!document.querySelector("#palette").open`)
	b.press("j")
	b.want(`document.activeElement.dataset.row`, "0")
	b.press("j", "j")
	b.want(`document.activeElement.dataset.row`, "2")
	b.want(`document.querySelectorAll(".edge.hot").length>0`, "true")
	b.press("k")
	b.want(`document.activeElement.dataset.row`, "1")
	b.press(kb.Tab)
	b.want(`document.activeElement.matches(":focus-visible")`, "true")
	b.js(`document.querySelector("[name=log]").focus()`)
	b.press("batch 7", kb.Enter)
	b.wait(`document.querySelectorAll("#log .msg").length==1`)
	b.want(`document.activeElement.name+location.search`, "log?log=batch+7")
	b.js(`document.activeElement.blur()`)
	b.press("g", "r")
	b.wait(`location.pathname=="/runs" && !!window.htmx`)
	slash()
	b.press("work pools")
	b.wait(`document.querySelector("#pal-results a")?.textContent.includes("Work pools")`)
	b.press(kb.Enter)
	b.wait(`location.pathname=="/work-pools"`)
}

// Eight tabs over HTTP/1.1: at most four streams, so that the eighth still
// loads; a hidden tab gives its stream back and takes one again when shown.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := browser(t)
	var tabs []*tab
	for range 8 {
		b := h.tab(t, ctx, "/runs", 1280, 900)
		b.wait(`document.querySelector("#live").dataset.state!=""`)
		tabs = append(tabs, b)
	}
	up := func() (n int) {
		for _, b := range tabs {
			if b.js(`document.querySelector("#live").dataset.state`) == "up" {
				n++
			}
		}
		return n
	}
	eventually(t, "four tabs have a stream", func() bool { return up() == 4 && h.ui.Streams() == 4 })
	hide := func(b *tab, v bool) {
		b.js(fmt.Sprintf(`(()=>{Object.defineProperty(document,"hidden",{get:()=>%t,configurable:true});document.dispatchEvent(new Event("visibilitychange"))})()`, v))
	}
	for _, b := range tabs {
		hide(b, true)
	}
	eventually(t, "hidden tabs have no stream", func() bool { return h.ui.Streams() == 0 })
	hide(tabs[0], false)
	eventually(t, "the tab that is shown again has one", func() bool { return h.ui.Streams() == 1 })
}

// A stream that is cut comes back by itself, after the last line that was seen.
func TestStreamResumes(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	b := h.tab(t, browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	line := 0
	write := func(n int) {
		for range n {
			line++
			h.log(run.ID, 20, "flow", "line %d", line)
		}
	}
	write(30)
	b.wait(`document.querySelectorAll("#log .msg").length==30`)
	b.js(`(()=>{window.downs=0;new MutationObserver(()=>{if(document.querySelector("#live").dataset.state=="down")window.downs++}).observe(document.querySelector("#live"),{attributes:true})})()`)
	h.srv.CloseClientConnections()
	write(30)
	b.wait(`window.downs>0`)
	b.wait(`document.querySelectorAll("#log .msg").length==60`)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	b.want(`[...document.querySelectorAll("#log .ln")].every((a,i)=>+a.textContent==i+1)`, "true")
	h.complete(ctx, run.ID, "1")
	b.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed"`)
}

// The timeline refreshes itself in the view that the reader chose, and keeps
// an open group open.
func TestTimelineKeepsItsView(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, _, big, _ := h.seed()
	b := h.tab(t, browser(t), "/flow-runs/"+big.ID.String(), 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	refreshed := func() {
		b.wait(`!!window.htmx`)
		b.js(`(()=>{window.swaps=0;document.addEventListener("htmx:after:swap",()=>window.swaps++);htmx.trigger(document.body,"tl")})()`)
		b.wait(`window.swaps>0`)
	}
	b.js(`[...document.querySelectorAll(".tl-names a")].find(a=>a.textContent.includes("backfill_partition")).click()`)
	b.wait(`document.querySelectorAll(".tl-names li").length>50`)
	refreshed()
	b.want(`document.querySelectorAll(".tl-names li").length>50`, "true")
	b.js(`document.querySelectorAll('#timeline .seg a')[1].click()`)
	b.wait(`!!document.querySelector(".tl.lanes")`)
	b.wait(`location.search.includes("view=lanes")`)
	refreshed()
	b.want(`!!document.querySelector(".tl.lanes")`, "true")
}

// Filters are in the address, and Back brings the list before them.
func TestFiltersAndBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.seed()
	b := h.tab(t, browser(t), "/runs", 1280, 900)
	all := b.js(`document.querySelectorAll("tbody tr").length`)
	b.js(`document.querySelector('[name=state][value=failed]').click()`)
	b.wait(`location.search.includes("state=failed")`)
	b.wait(`document.querySelectorAll("tbody tr").length<` + all)
	if err := chromedp.Do(b.ctx, chromedp.NavigateBack()); err != nil {
		t.Fatal(err)
	}
	b.wait(`location.search=="" && document.querySelectorAll("tbody tr").length==` + all)
	b.want(`document.querySelector('[name=state][value=failed]').checked`, "false")
}

// A browser that runs no scripts reads pages, filters, starts a run by the
// form, and sees a live page change by itself.
func TestBrowserWithoutJavaScript(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.seed()
	c, cancel := chromedp.NewContext(browser(t))
	c, c2 := context.WithTimeout(c, 60*time.Second)
	t.Cleanup(func() { c2(); cancel() })
	b := &tab{t: t, h: h, ctx: c}
	b.size(1280, 900)
	if _, err := chromedp.Call(c, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	visit := func(path string) {
		t.Helper()
		if err := chromedp.Do(c, chromedp.Navigate(h.srv.URL+path)); err != nil {
			t.Fatal(err)
		}
	}
	// What the tests evaluate runs even so; the page's own scripts do not.
	visit("/runs?state=failed")
	b.want(`typeof window.htmx`, "undefined")
	b.want(`[...document.querySelectorAll("tbody .badge")].every(x=>x.textContent.includes("Failed"))`, "true")
	visit("/deployments/" + h.adder.ID.String() + "/run")
	b.js(`(document.querySelector("[name='parameters.a']").value=40,[...document.querySelectorAll("[placeholder='add…']")].slice(0,3).forEach((x,i)=>x.value="more"+i),document.querySelector("#run-form").submit())`)
	b.wait(`location.pathname.startsWith("/flow-runs/")`)
	b.want(`!!document.querySelector("noscript")`, "true")
	id, err := core.ParseUUID(strings.TrimPrefix(b.js("location.pathname"), "/flow-runs/"))
	h.check(err)
	if got := string(h.run(id).Parameters); !strings.Contains(got, `"regions":["eu","us","more0","more1","more2"]`) {
		t.Error("a list takes several new items: ", got)
	}
	ctx := h.act(id)
	h.complete(ctx, id, "42")
	b.wait(`document.querySelector("#run-head .badge")?.textContent.trim()=="Completed"`) // the page loads itself anew
}

// The budget: 50 KB of script and style, 30 KB for a page, gzipped.
func TestBudget(t *testing.T) {
	h := open(t)
	zipped := func(b []byte) int {
		var o bytes.Buffer
		w, _ := gzip.NewWriterLevel(&o, 9)
		_, _ = w.Write(b)
		_ = w.Close()
		return o.Len()
	}
	total := 0
	for _, f := range []string{"app.css", "app.js", "htmx.min.js", "hx-sse.min.js"} {
		b, err := os.ReadFile(filepath.Join("../../views/static", f))
		h.check(err)
		total += zipped(b)
	}
	t.Logf("script and style: %d bytes", total)
	if total > 50<<10 {
		t.Errorf("script and style are %d bytes gzipped; at most 50 KB", total)
	}
	for name, path := range h.pages(h.seed()) {
		_, body := h.get(path)
		if n := zipped([]byte(body)); n > 30<<10 {
			t.Errorf("%s is %d bytes gzipped; at most 30 KB", name, n)
		}
	}
}
