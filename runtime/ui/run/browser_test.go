package run_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// A person fills the form, starts the run, watches the log grow and sees it end.
func TestRunADeploymentAndWatch(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/deployments", 1280, 900)
	b.JS(`document.querySelector('a[href="/deployments/` + h.Adder.ID.String() + `"]').click()`)
	b.Wait(`document.querySelector("h1")?.textContent=="adder/dev"`)
	b.JS(`document.querySelector('a[href$="/run"]').click()`)
	b.Wait(`!!document.querySelector("#run-form") && !!window.htmx`)
	b.JS(`document.querySelector("#run-form .btn.pri").click()`)
	b.Wait(`document.querySelector(".esum")?.textContent.includes("another look")`)
	b.Want(`document.activeElement.className`, "esum")
	b.JS(`(document.querySelector("[name='parameters.a']").value=39,document.querySelector("[name=run_name]").value="watched",document.querySelector("[name=to][value=json]").click())`)
	b.Wait(`document.querySelector("[name=raw]")?.value.includes('"a": 39')`)
	b.JS(`(document.querySelector("[name=raw]").value='{"a": 41}',document.querySelector("[name=to][value=form]").click())`)
	b.Wait(`document.querySelector("[name='parameters.a']")?.value=="41"`)
	b.Want(`document.querySelector("[name=run_name]").value`, "watched")
	b.JS(`(document.querySelector("[name='parameters.a']").value=40,document.querySelector("[name=run_name]").focus())`)
	b.Press(kb.Enter) // starts the run, and does not press the first button that there is
	b.Wait(`location.pathname.startsWith("/flow-runs/") && document.querySelector("#live")?.dataset.state=="up"`)
	id, err := core.ParseUUID(strings.TrimPrefix(b.JS("location.pathname"), "/flow-runs/"))
	h.Check(err)
	if p := h.Run(id).Parameters.Map(); p["a"] != json.Number("40") || p["b"] != json.Number("2") {
		t.Error(p)
	}
	ctx := h.Act(id)
	b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Running"`)
	b.Wait(`document.querySelector("#run-details").textContent.includes("Start delay")`)
	for i := range 60 {
		h.Log(id, 20, "add", "line %d", i+1)
	}
	b.Wait(`document.querySelectorAll("#log .msg").length==60`)
	b.Want(`(b=>b.scrollHeight-b.scrollTop-b.clientHeight<40)(document.querySelector("#logbox"))`, "true")
	b.JS(`document.querySelector("#logbox").scrollTop=0`)
	b.JS(`new Promise(r=>requestAnimationFrame(()=>requestAnimationFrame(r)))`)
	h.Log(id, 30, "add", "a warning")
	b.Wait(`document.querySelector("#tolatest").classList.contains("on")`)
	b.Want(`document.querySelector("#logbox").scrollTop`, "0")
	b.Want(`[...document.querySelectorAll("#log .ln")].every((a,i)=>+a.textContent==i+1)`, "true")
	b.JS(`document.querySelector('[name=level][value=Warning]').click()`)
	b.Wait(`document.querySelectorAll("#log .msg").length==1`)
	b.JS(`document.querySelector('[name=level][value=All]').click()`)
	b.Wait(`document.querySelectorAll("#log .msg").length==61`)
	b.JS(`(q=>{q.value="line 7";q.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=log]"))`)
	b.Wait(`document.querySelectorAll("#log .msg").length==1`)
	b.Want(`document.querySelector("#banner").textContent.trim()`, "")
	h.Task(ctx, id, "add", 0, h.Now().Add(-time.Second), time.Second, core.Completed)
	h.Complete(ctx, id, "42")
	b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed"`)
	b.Wait(`document.querySelector("#timeline").textContent.includes("1 of 1 task run done")`)
	b.Wait(`document.querySelector("#result .json")?.textContent.trim()=="42"`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// Approval: bad input is explained beside the fields and nothing typed is
// lost; good input resumes; a second answer is told that it came late.
func TestApproveInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.Approval, "")
	h.Pause(h.Act(run.ID), run.ID)
	ctx, path := uitest.Browser(t), "/flow-runs/"+run.ID.String()
	other, b := h.Tab(t, ctx, path, 1280, 900), h.Tab(t, ctx, path, 1280, 900)
	b.JS(`(document.querySelector("#resume textarea").value="short",document.querySelector("#resume button.pri").click())`)
	b.Wait(`!!document.querySelector(".esum")`)
	b.Want(`document.querySelector("#resume textarea").value`, "short")
	b.Want(`document.querySelectorAll(".ferr").length`, "2")
	fill := `(document.querySelector('[name=approved][value=true]').click(),document.querySelector("#resume textarea").value="delivered nine days late",document.querySelector("#resume button.pri").click())`
	other.JS(`document.querySelector("[data-live]").remove()`) // it does not hear of the first answer
	b.JS(fill)
	b.Wait(`!document.querySelector("#resume")`)
	b.Wait(`document.querySelector("#toasts").textContent.includes("Resumed")`)
	b.Want(`document.querySelector("#run-head .badge").textContent.trim()`, "Running")
	if s := h.Run(run.ID).StateType; s != core.Running {
		t.Error(s)
	}
	if other.JS(`!!document.querySelector("#resume")`) == "true" {
		other.JS(fill)
		other.Wait(`document.querySelector("#toasts").textContent.includes("already answered")`)
	}
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

func TestCancelInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	b.JS(`(window.confirm=()=>true,document.querySelector('form[action$="/cancel"] button').click())`)
	b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Cancelling"`)
	h.Set(ctx, run.ID, core.StateCreate{Type: core.Cancelled, Message: core.Ptr("stopped by SIGTERM")})
	b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Cancelled"`)
	b.Wait(`document.querySelector("#banner").textContent.includes("SIGTERM")`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A refresh of the list keeps ticked rows, focus and open menus; filters are
// in the address; a toggle and the finder work.
func TestListsInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.Seed()
	b := h.Tab(t, uitest.Browser(t), "/runs", 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	b.JS(`(()=>{const c=document.querySelector("tbody .ck");c.click();c.focus();window.row=c.closest("tr");window.swaps=0;document.addEventListener("htmx:after:swap",()=>window.swaps++);htmx.trigger(document.body,"changed")})()`)
	b.Wait(`window.swaps>0`)
	b.Want(`document.querySelector("tbody .ck").checked`, "true")
	b.Want(`document.activeElement===document.querySelector("tbody .ck")&&window.row.isConnected`, "true")
	b.JS(`document.querySelector('[name=state][value=failed]').click()`)
	b.Wait(`location.search.includes("state=failed")`)
	b.Wait(`[...document.querySelectorAll("tbody .badge")].every(x=>x.textContent.includes("Failed"))`)
	b.GoTo("/work-pools")
	b.JS(`document.querySelector("button.sw").click()`)
	b.Wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	b.JS(`document.body.dispatchEvent(new KeyboardEvent("keydown",{key:"/",bubbles:true}))`)
	b.Wait(`document.querySelectorAll("#pal-results a").length>3`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A person filters the runs, names the search, ticks all that match, reads
// what would be done and does it.
func TestBulkInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	now := core.Now()
	for i := range 55 {
		h.Finished(h.Adder, now.Add(-time.Duration(i+1)*time.Minute), now, core.Failed)
	}
	lone := h.Finished(h.ETL, now.Add(-time.Hour), now, core.Failed)
	b := h.Tab(t, uitest.Browser(t), "/runs", 1280, 900)
	typed := func(q string) {
		b.JS(`(()=>{const i=document.querySelector("#filters [name=q]");i.value="` + q + `";i.dispatchEvent(new Event("input",{bubbles:true}))})()`)
	}
	typed(lone.ID.String())
	b.Wait(`document.querySelector("#runs tbody").rows.length==1`)
	typed("")
	b.Wait(`document.querySelector("#runs tbody").rows.length>1`)
	b.JS(`(()=>{const s=document.querySelector("[name=flow]");s.value="adder";s.dispatchEvent(new Event("change",{bubbles:true}))})()`)
	b.Wait(`location.search.includes("flow=adder") && document.querySelector("#runs h2+*, #runs .card-h h2") && document.querySelector("#runs").textContent.includes("55 runs")`)
	b.JS(`(()=>{const f=document.querySelector("form.save");f.querySelector("[name=name]").value="my adders";f.querySelector("button").click()})()`)
	b.Wait(`document.querySelector("#toasts")?.textContent.includes("my adders") && !!window.htmx`)
	b.Want(`[...document.querySelectorAll("details.pop a")].find(a=>a.textContent=="my adders").getAttribute("href").includes("flow=adder")`, "true")
	b.Want(`getComputedStyle(document.querySelector("[data-bulk]")).visibility`, "hidden")
	b.JS(`document.querySelector("[data-all]").click()`)
	b.Want(`[...document.querySelectorAll("tbody .ck")].every(x=>x.checked)`, "true")
	b.JS(`document.querySelector("[data-all]").click()`)
	b.Want(`[...document.querySelectorAll("tbody .ck")].some(x=>x.checked)`, "false")
	b.JS(`document.querySelector("tbody .ck").click()`)
	b.Want(`getComputedStyle(document.querySelector("[data-bulk]")).visibility`, "visible")
	b.JS(`(document.querySelector("[name=all]").click(),document.querySelector("[data-bulk] [value=retry]").click())`)
	b.Wait(`document.querySelector("h1")?.textContent=="Retry 55 runs?" && !!window.htmx`)
	if n := h.Count(core.Scheduled); n != 0 {
		t.Fatal(n, "runs are retried unasked")
	}
	b.JS(`document.querySelector(".card form .btn.pri").click()`)
	b.Wait(`document.querySelector("#toasts")?.textContent.includes("Retrying 55 of 55 runs.")`)
	if n := h.Count(core.Scheduled); n != 55 {
		t.Error(n, "runs are scheduled")
	}
	b.GoTo("/runs?range=all&sort=oldest")
	b.JS(`document.querySelector("[rel=next]").click()`)
	b.Wait(`location.search.includes("after=") && document.querySelectorAll("tbody tr").length==6`)
	b.JS(`document.querySelector(".chart a[href^='/flow-runs/']").dispatchEvent(new MouseEvent("click",{bubbles:true,cancelable:true}))`)
	b.Wait(`location.pathname.startsWith("/flow-runs/")`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
