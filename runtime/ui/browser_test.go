package ui_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/flowlite/flowlite/runtime/core"
)

var shots = flag.String("shots", "", "a folder to put pictures of every page into")

// chromium is where Debian has it; the browser tests need it.
const chromium = "/usr/bin/chromium"

type tab struct {
	t   *testing.T
	h   *house
	ctx context.Context
	mu  sync.Mutex
	log []string
}

// browser starts Chromium; flags are names and values of more of its flags.
func browser(t *testing.T, flags ...string) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors, chromedp.ExecPath(chromium))
	for _, f := range []string{"disable-quic", "disable-component-update", "disable-background-networking", "hide-scrollbars"} {
		opts = append(opts, chromedp.Flag(f, true))
	}
	for i := 0; i < len(flags); i += 2 {
		opts = append(opts, chromedp.Flag(flags[i], flags[i+1]))
	}
	dir, err := os.MkdirTemp("", "flowlite-chromium-") // it leaves files of its own behind
	if err != nil {
		t.Fatal(err)
	}
	root, c1 := chromedp.NewExecAllocator(context.Background(), append(opts, chromedp.Env("TMPDIR="+dir))...)
	ctx, c2 := chromedp.NewContext(root)
	t.Cleanup(func() { c2(); c1(); _ = os.RemoveAll(dir) })
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

func (h *house) tab(t *testing.T, ctx context.Context, path string, width, height int64) *tab {
	t.Helper()
	c, cancel := chromedp.NewContext(ctx)
	c, c2 := context.WithTimeout(c, 5*time.Minute)
	t.Cleanup(func() { c2(); cancel() })
	b := &tab{t: t, h: h, ctx: c}
	msgs := chromedp.Console(c)
	go func() {
		for m, err := range msgs {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.log = append(b.log, m.String())
			b.mu.Unlock()
		}
	}()
	b.size(width, height)
	b.goTo(path)
	return b
}

func (b *tab) size(width, height int64) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) goTo(path string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.h.srv.URL+path)); err != nil {
		b.t.Fatal(path, err)
	}
	b.wait(`document.readyState=="complete" && !!window.htmx`)
}

func (b *tab) js(e string) string {
	b.t.Helper()
	v, err := b.eval(e)
	if err != nil {
		b.t.Fatalf("%s: %v", e, err)
	}
	return v
}

func (b *tab) eval(e string) (string, error) {
	return chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+e+")"))
}

// wait polls the page until the expression is true.
func (b *tab) wait(e string) {
	b.t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	// Between two pages there may be nothing to ask, or nobody.
	for {
		v, err := b.eval("(() => { try { return " + e + " } catch { return false } })()")
		if v == "true" {
			return
		}
		if err != nil && !strings.Contains(err.Error(), "navigated or closed") {
			b.t.Fatalf("%s: %v", e, err)
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			b.t.Fatalf("never true: %s\nat %s\nconsole: %v\n%s", e, b.js("location.href"), b.problems(), b.js(`document.querySelector("#toasts")?.textContent`))
		}
	}
}

func (b *tab) want(e, v string) {
	b.t.Helper()
	if g := b.js(e); g != v {
		b.t.Errorf("%s: %s = %q, want %q", b.js("location.pathname"), e, g, v)
	}
}

// problems are the console's messages but for those of refused posts.
func (b *tab) problems() (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.log {
		if !strings.Contains(l, "422") && !strings.Contains(l, "409") && !strings.Contains(l, "Autofocus") {
			out = append(out, l)
		}
	}
	return out
}

func (h *house) pages(running, paused, big, failed *core.FlowRun) map[string]string {
	run := func(r *core.FlowRun) string { return "/flow-runs/" + r.ID.String() }
	ts, err := h.store.TaskRunsOf(h.t.Context(), running.ID, core.UUID{}, 10)
	h.check(err)
	h.check(h.svc.UpdateWorkPool(h.t.Context(), "default", core.WorkPoolUpdate{BaseJobTemplate: core.Some(core.ProcessTemplate)}))
	all := h.thingsPages(running)
	maps.Copy(all, map[string]string{
		"dashboard": "/dashboard", "runs": "/runs", "run-live": run(running), "run-approval": run(paused), "run-group": run(big) + "?open=%2Fbackfill_partition",
		"run-attempts": run(h.twice()) + "?attempt=2", "run-lanes": run(running) + "?view=lanes", "run-failed": run(failed), "task-run": "/task-runs/" + ts[0].ID.String(), "flows": "/flows", "flow": "/flows/" + h.etl.FlowID.String(),
		"deployments": "/deployments", "deployment": "/deployments/" + h.etl.ID.String(), "custom-run": "/deployments/" + h.adder.ID.String() + "/run",
		"work-pools": "/work-pools", "schedule": "/deployments/" + h.etl.ID.String() + "/schedules/" + h.etl.Schedules[0].ID.String(), "schedule-new": "/deployments/" + h.adder.ID.String() + "/schedules/new",
		"automations": "/automations", "automation": h.automationPath(), "automation-new": "/automations/new", "automation-edit": h.automationPath() + "/edit",
		"events": "/events", "event": "/events/" + h.anEvent("prefect.flow-run.").ID.String(),
		"work-pool": "/work-pools/default", "pool-edit": "/work-pools/default/edit", "pool-edit-json": "/work-pools/default/edit?input=json",
		"queue": "/work-pools/default/queues/" + h.defaultQueue().ID.String(), "queue-new": "/work-pools/default/queues/new",
		"runs-filtered": "/runs?state=completed&state=running&sort=oldest&tag=quick-start&range=all", "runs-bulk": "/runs/bulk?do=delete&all=1&query=range%3D24h", "run-state": run(failed) + "/state",
		"deployment-edit": "/deployments/" + h.adder.ID.String() + "/edit", "deployment-duplicate": "/deployments/" + h.etl.ID.String() + "/duplicate", "deployment-remove": "/deployments/" + h.etl.ID.String() + "/remove",
		"pool-new": "/work-pools?create=1", "not-found": "/nowhere", "find": "/palette?q=e",
	})
	return all
}

// forget forgets what the console has said.
func (b *tab) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = nil
}

func (b *tab) picture(file, theme, path string) {
	b.t.Helper()
	b.in("Europe/Madrid")
	b.cookie("fl_theme", theme)
	b.cookie("fl_tz", "Europe%2FMadrid")
	b.goTo(path)
	b.wait(`document.fonts.status=="loaded"`)
	var w, whole int64
	if _, err := fmt.Sscan(b.js(`innerWidth+" "+Math.max(innerHeight,document.documentElement.scrollHeight)`), &w, &whole); err != nil {
		b.t.Fatal(err)
	}
	b.size(w, whole)
	defer b.size(w, map[bool]int64{true: 844, false: 900}[w < 600])
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// Enter in a list adds an item, and the run is not started by it.
func TestListFieldTakesItems(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/deployments/"+h.adder.ID.String()+"/run", 1280, 900)
	b.js(`(document.querySelector("[name='parameters.a']").value=1,document.querySelector("[data-list] input:last-of-type").focus())`)
	b.press("asia", kb.Enter)
	b.want(`document.activeElement.value`, "")
	b.press("africa", kb.Enter, kb.Enter) // the second one has nothing to add
	b.want(`[...document.querySelectorAll("[data-list] input")].map(x=>x.value).join()`, "eu,us,asia,africa,")
	b.want(`location.pathname`, "/deployments/"+h.adder.ID.String()+"/run")
	b.js(`document.querySelector("#run-form .btn.pri").click()`)
	b.wait(`location.pathname.startsWith("/flow-runs/")`)
	id, err := core.ParseUUID(strings.TrimPrefix(b.js("location.pathname"), "/flow-runs/"))
	h.check(err)
	if got := string(h.run(id).Parameters); !strings.Contains(got, `"regions":["eu","us","asia","africa"]`) {
		t.Error(got)
	}
}

// A person fills the form, starts the run, watches the log grow and sees it end.
func TestRunADeploymentAndWatch(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/deployments", 1280, 900)
	b.js(`document.querySelector('a[href="/deployments/` + h.adder.ID.String() + `"]').click()`)
	b.wait(`document.querySelector("h1")?.textContent=="adder/dev"`)
	b.js(`document.querySelector('a[href$="/run"]').click()`)
	b.wait(`!!document.querySelector("#run-form") && !!window.htmx`)
	b.js(`document.querySelector("#run-form .btn.pri").click()`)
	b.wait(`document.querySelector(".esum")?.textContent.includes("another look")`)
	b.want(`document.activeElement.className`, "esum")
	b.js(`(document.querySelector("[name='parameters.a']").value=39,document.querySelector("[name=run_name]").value="watched",document.querySelector("[name=to][value=json]").click())`)
	b.wait(`document.querySelector("[name=raw]")?.value.includes('"a": 39')`)
	b.js(`(document.querySelector("[name=raw]").value='{"a": 41}',document.querySelector("[name=to][value=form]").click())`)
	b.wait(`document.querySelector("[name='parameters.a']")?.value=="41"`)
	b.want(`document.querySelector("[name=run_name]").value`, "watched")
	b.js(`(document.querySelector("[name='parameters.a']").value=40,document.querySelector("[name=run_name]").focus())`)
	b.press(kb.Enter) // starts the run, and does not press the first button that there is
	b.wait(`location.pathname.startsWith("/flow-runs/") && document.querySelector("#live")?.dataset.state=="up"`)
	id, err := core.ParseUUID(strings.TrimPrefix(b.js("location.pathname"), "/flow-runs/"))
	h.check(err)
	if p := h.run(id).Parameters.Map(); p["a"] != json.Number("40") || p["b"] != json.Number("2") {
		t.Error(p)
	}
	ctx := h.act(id)
	b.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Running"`)
	b.wait(`document.querySelector("#run-details").textContent.includes("Start delay")`)
	for i := range 60 {
		h.log(id, 20, "add", "line %d", i+1)
	}
	b.wait(`document.querySelectorAll("#log .msg").length==60`)
	b.want(`(b=>b.scrollHeight-b.scrollTop-b.clientHeight<40)(document.querySelector("#logbox"))`, "true")
	b.js(`document.querySelector("#logbox").scrollTop=0`)
	b.js(`new Promise(r=>requestAnimationFrame(()=>requestAnimationFrame(r)))`)
	h.log(id, 30, "add", "a warning")
	b.wait(`document.querySelector("#tolatest").classList.contains("on")`)
	b.want(`document.querySelector("#logbox").scrollTop`, "0")
	b.want(`[...document.querySelectorAll("#log .ln")].every((a,i)=>+a.textContent==i+1)`, "true")
	b.js(`document.querySelector('[name=level][value=Warning]').click()`)
	b.wait(`document.querySelectorAll("#log .msg").length==1`)
	b.js(`document.querySelector('[name=level][value=All]').click()`)
	b.wait(`document.querySelectorAll("#log .msg").length==61`)
	b.js(`(q=>{q.value="line 7";q.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=log]"))`)
	b.wait(`document.querySelectorAll("#log .msg").length==1`)
	b.want(`document.querySelector("#banner").textContent.trim()`, "")
	h.task(ctx, id, "add", 0, h.now().Add(-time.Second), time.Second, core.Completed)
	h.complete(ctx, id, "42")
	b.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed"`)
	b.wait(`document.querySelector("#timeline").textContent.includes("1 of 1 task run done")`)
	b.wait(`document.querySelector("#result .json")?.textContent.trim()=="42"`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// Approval: bad input is explained beside the fields and nothing typed is
// lost; good input resumes; a second answer is told that it came late.
func TestApproveInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.approval, "")
	h.pause(h.act(run.ID), run.ID)
	ctx, path := browser(t), "/flow-runs/"+run.ID.String()
	other, b := h.tab(t, ctx, path, 1280, 900), h.tab(t, ctx, path, 1280, 900)
	b.js(`(document.querySelector("#resume textarea").value="short",document.querySelector("#resume button.pri").click())`)
	b.wait(`!!document.querySelector(".esum")`)
	b.want(`document.querySelector("#resume textarea").value`, "short")
	b.want(`document.querySelectorAll(".ferr").length`, "2")
	fill := `(document.querySelector('[name=approved][value=true]').click(),document.querySelector("#resume textarea").value="delivered nine days late",document.querySelector("#resume button.pri").click())`
	other.js(`document.querySelector("[data-live]").remove()`) // it does not hear of the first answer
	b.js(fill)
	b.wait(`!document.querySelector("#resume")`)
	b.wait(`document.querySelector("#toasts").textContent.includes("Resumed")`)
	b.want(`document.querySelector("#run-head .badge").textContent.trim()`, "Running")
	if s := h.run(run.ID).StateType; s != core.Running {
		t.Error(s)
	}
	if other.js(`!!document.querySelector("#resume")`) == "true" {
		other.js(fill)
		other.wait(`document.querySelector("#toasts").textContent.includes("already answered")`)
	}
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

func TestCancelInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	b := h.tab(t, browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	b.js(`(window.confirm=()=>true,document.querySelector('form[action$="/cancel"] button').click())`)
	b.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Cancelling"`)
	h.set(ctx, run.ID, core.StateCreate{Type: core.Cancelled, Message: core.Ptr("stopped by SIGTERM")})
	b.wait(`document.querySelector("#run-head .badge").textContent.trim()=="Cancelled"`)
	b.wait(`document.querySelector("#banner").textContent.includes("SIGTERM")`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A refresh of the list keeps ticked rows, focus and open menus; filters are
// in the address; a toggle and the finder work.
func TestListsInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.seed()
	b := h.tab(t, browser(t), "/runs", 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	b.js(`(()=>{const c=document.querySelector("tbody .ck");c.click();c.focus();window.row=c.closest("tr");window.swaps=0;document.addEventListener("htmx:after:swap",()=>window.swaps++);htmx.trigger(document.body,"changed")})()`)
	b.wait(`window.swaps>0`)
	b.want(`document.querySelector("tbody .ck").checked`, "true")
	b.want(`document.activeElement===document.querySelector("tbody .ck")&&window.row.isConnected`, "true")
	b.js(`document.querySelector('[name=state][value=failed]').click()`)
	b.wait(`location.search.includes("state=failed")`)
	b.wait(`[...document.querySelectorAll("tbody .badge")].every(x=>x.textContent.includes("Failed"))`)
	b.goTo("/work-pools")
	b.js(`document.querySelector("button.sw").click()`)
	b.wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	b.js(`document.body.dispatchEvent(new KeyboardEvent("keydown",{key:"/",bubbles:true}))`)
	b.wait(`document.querySelectorAll("#pal-results a").length>3`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// What runs shows on the pages of flows and deployments without a reload, and an
// open menu stays open.
func TestRunsAppearInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.seed()
	b := h.tab(t, browser(t), "/dashboard", 1280, 900)
	for _, path := range []string{"/deployments", "/deployments/" + h.etl.ID.String(), "/flows", "/flows/" + h.etl.FlowID.String()} {
		b.goTo(path)
		b.wait(`document.querySelector("#live").dataset.state=="up"`)
		b.js(`(()=>{window.live=document.querySelector("#live");const m=document.querySelector(".pop summary");if(m)m.click()})()`)
		open := b.js(`""+document.querySelectorAll("details[open]").length`)
		run := h.create(h.etl, `{}`)
		b.wait(`!!document.querySelector('main a[href$="/flow-runs/` + run.ID.String() + `"]')`)
		b.want(`window.live.isConnected&&window.live.dataset.state`, "up")
		b.want(`""+document.querySelectorAll("details[open]").length`, open)
		if p := b.problems(); len(p) > 0 {
			t.Error("console:", path, p)
		}
	}
}

// Pages answer fast: the figures are logged, and a slow page is a failure only
// when it is far off.
func TestRenderTimes(t *testing.T) {
	h := open(t)
	for name, path := range h.pages(h.seed()) {
		h.get(path)
		t0 := time.Now()
		const n = 10
		size := 0
		for range n {
			_, body := h.get(path)
			size = len(body)
		}
		d := time.Since(t0) / n
		t.Logf("%-14s %8s %7d bytes", name, d.Round(10*time.Microsecond), size)
		if d > 500*time.Millisecond {
			t.Error(fmt.Sprint(name, " takes ", d))
		}
	}
}
