package ui_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// A person filters the runs, names the search, ticks all that match, reads
// what would be done and does it.
func TestBulkInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := core.Now()
	for i := range 55 {
		h.finished(h.adder, now.Add(-time.Duration(i+1)*time.Minute), now, core.Failed)
	}
	lone := h.finished(h.etl, now.Add(-time.Hour), now, core.Failed)
	b := h.tab(t, browser(t), "/runs", 1280, 900)
	typed := func(q string) {
		b.js(`(()=>{const i=document.querySelector("#filters [name=q]");i.value="` + q + `";i.dispatchEvent(new Event("input",{bubbles:true}))})()`)
	}
	typed(lone.ID.String())
	b.wait(`document.querySelector("#runs tbody").rows.length==1`)
	typed("")
	b.wait(`document.querySelector("#runs tbody").rows.length>1`)
	b.js(`(()=>{const s=document.querySelector("[name=flow]");s.value="adder";s.dispatchEvent(new Event("change",{bubbles:true}))})()`)
	b.wait(`location.search.includes("flow=adder") && document.querySelector("#runs h2+*, #runs .card-h h2") && document.querySelector("#runs").textContent.includes("55 runs")`)
	b.js(`(()=>{const f=document.querySelector("form.save");f.querySelector("[name=name]").value="my adders";f.querySelector("button").click()})()`)
	b.wait(`document.querySelector("#toasts")?.textContent.includes("my adders") && !!window.htmx`)
	b.want(`[...document.querySelectorAll("details.pop a")].find(a=>a.textContent=="my adders").getAttribute("href").includes("flow=adder")`, "true")
	b.want(`getComputedStyle(document.querySelector("[data-bulk]")).visibility`, "hidden")
	b.js(`document.querySelector("[data-all]").click()`)
	b.want(`[...document.querySelectorAll("tbody .ck")].every(x=>x.checked)`, "true")
	b.js(`document.querySelector("[data-all]").click()`)
	b.want(`[...document.querySelectorAll("tbody .ck")].some(x=>x.checked)`, "false")
	b.js(`document.querySelector("tbody .ck").click()`)
	b.want(`getComputedStyle(document.querySelector("[data-bulk]")).visibility`, "visible")
	b.js(`(document.querySelector("[name=all]").click(),document.querySelector("[data-bulk] [value=retry]").click())`)
	b.wait(`document.querySelector("h1")?.textContent=="Retry 55 runs?" && !!window.htmx`)
	if n := h.count(core.Scheduled); n != 0 {
		t.Fatal(n, "runs are retried unasked")
	}
	b.js(`document.querySelector(".card form .btn.pri").click()`)
	b.wait(`document.querySelector("#toasts")?.textContent.includes("Retrying 55 of 55 runs.")`)
	if n := h.count(core.Scheduled); n != 55 {
		t.Error(n, "runs are scheduled")
	}
	b.goTo("/runs?range=all&sort=oldest")
	b.js(`document.querySelector("[rel=next]").click()`)
	b.wait(`location.search.includes("after=") && document.querySelectorAll("tbody tr").length==6`)
	b.js(`document.querySelector(".chart a[href^='/flow-runs/']").dispatchEvent(new MouseEvent("click",{bubbles:true,cancelable:true}))`)
	b.wait(`location.pathname.startsWith("/flow-runs/")`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A person edits a deployment, is told what is wrong without losing what was
// typed, saves, duplicates and deletes it, and writes a run's state.
func TestEditDeploymentInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.tab(t, browser(t), "/deployments/"+h.adder.ID.String(), 1280, 900)
	choose := func(what string) {
		t.Helper()
		b.js(fmt.Sprintf(`[...document.querySelectorAll("details.pop a")].find(a=>a.textContent.startsWith(%q)).click()`, what))
	}
	choose("Edit")
	b.wait(`!!document.querySelector("#deployment-form") && !!window.htmx`)
	b.js(`(document.querySelector("[name=limit]").value="0",document.querySelector("[name=description]").value="typed",document.querySelector("#deployment-form .btn.pri").click())`)
	b.wait(`document.querySelector(".esum")?.textContent.includes("Runs at once")`)
	b.want(`document.activeElement.className+document.querySelector("[name=description]").value`, "esumtyped")
	b.js(`(document.querySelector("[name=limit]").value="2",document.querySelector("#deployment-form .btn.pri").click())`)
	b.wait(`document.querySelector(".facts")?.textContent.includes("at most 2 runs at once") && !!window.htmx`)
	choose("Duplicate")
	b.wait(`document.querySelector("[name=name]")?.value=="dev-copy" && !!window.htmx`)
	b.js(`document.querySelector("#deployment-form .btn.pri").click()`)
	b.wait(`document.querySelector("h1")?.textContent=="adder/dev-copy" && !!window.htmx`)
	choose("Delete")
	b.wait(`document.querySelector("h1")?.textContent=="Delete adder/dev-copy?" && !!window.htmx`)
	b.js(`document.querySelector("form .btn.danger").click()`)
	b.wait(`location.pathname=="/deployments" && document.querySelector("#toasts").textContent.includes("Deleted adder/dev-copy") && !!window.htmx`)
	run := h.create(h.etl, "")
	h.act(run.ID)
	b.goTo("/flow-runs/" + run.ID.String())
	choose("Change state")
	b.wait(`!!document.querySelector("#state-form") && !!window.htmx`)
	b.js(`(document.querySelector("[name=message]").value="why not",document.querySelector("#state-form .btn.pri").click())`)
	b.wait(`!!document.querySelector(".esum")`)
	b.want(`document.querySelector("[name=message]").value`, "why not")
	b.js(`(document.querySelector("[name=type]").value="Crashed",document.querySelector("#state-form .btn.pri").click())`)
	b.wait(`document.querySelector("#run-head .badge")?.textContent.trim()=="Crashed" && document.querySelector("#banner")?.textContent.includes("why not")`)
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
