package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Enter in a list adds an item, and the run is not started by it.
func TestListFieldTakesItems(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/deployments/"+h.Adder.ID.String()+"/run", 1280, 900)
	b.JS(`(document.querySelector("[name='parameters.a']").value=1,document.querySelector("[data-list] input:last-of-type").focus())`)
	b.Press("asia", kb.Enter)
	b.Want(`document.activeElement.value`, "")
	b.Press("africa", kb.Enter, kb.Enter) // the second one has nothing to add
	b.Want(`[...document.querySelectorAll("[data-list] input")].map(x=>x.value).join()`, "eu,us,asia,africa,")
	b.Want(`location.pathname`, "/deployments/"+h.Adder.ID.String()+"/run")
	b.JS(`document.querySelector("#run-form .btn.pri").click()`)
	b.Wait(`location.pathname.startsWith("/flow-runs/")`)
	id, err := core.ParseUUID(strings.TrimPrefix(b.JS("location.pathname"), "/flow-runs/"))
	h.Check(err)
	if got := string(h.Run(id).Parameters); !strings.Contains(got, `"regions":["eu","us","asia","africa"]`) {
		t.Error(got)
	}
}

// What runs shows on the pages of flows and deployments without a reload, and an
// open menu stays open.
func TestRunsAppearInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.Seed()
	b := h.Tab(t, uitest.Browser(t), "/dashboard", 1280, 900)
	for _, path := range []string{"/deployments", "/deployments/" + h.ETL.ID.String(), "/flows", "/flows/" + h.ETL.FlowID.String()} {
		b.GoTo(path)
		b.Wait(`document.querySelector("#live").dataset.state=="up"`)
		b.JS(`(()=>{window.live=document.querySelector("#live");const m=document.querySelector(".pop summary");if(m)m.click()})()`)
		open := b.JS(`""+document.querySelectorAll("details[open]").length`)
		run := h.Create(h.ETL, `{}`)
		b.Wait(`!!document.querySelector('main a[href$="/flow-runs/` + run.ID.String() + `"]')`)
		b.Want(`window.live.isConnected&&window.live.dataset.state`, "up")
		b.Want(`""+document.querySelectorAll("details[open]").length`, open)
		if p := b.Problems(); len(p) > 0 {
			t.Error("console:", path, p)
		}
	}
}

// A person edits a deployment, is told what is wrong without losing what was
// typed, saves, duplicates and deletes it, and writes a run's state.
func TestEditDeploymentInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/deployments/"+h.Adder.ID.String(), 1280, 900)
	choose := func(what string) {
		t.Helper()
		b.JS(fmt.Sprintf(`[...document.querySelectorAll("details.pop a")].find(a=>a.textContent.startsWith(%q)).click()`, what))
	}
	choose("Edit")
	b.Wait(`!!document.querySelector("#deployment-form") && !!window.htmx`)
	b.JS(`(document.querySelector("[name=limit]").value="0",document.querySelector("[name=description]").value="typed",document.querySelector("#deployment-form .btn.pri").click())`)
	b.Wait(`document.querySelector(".esum")?.textContent.includes("Runs at once")`)
	b.Want(`document.activeElement.className+document.querySelector("[name=description]").value`, "esumtyped")
	b.JS(`(document.querySelector("[name=limit]").value="2",document.querySelector("#deployment-form .btn.pri").click())`)
	b.Wait(`document.querySelector(".facts")?.textContent.includes("at most 2 runs at once") && !!window.htmx`)
	choose("Duplicate")
	b.Wait(`document.querySelector("[name=name]")?.value=="dev-copy" && !!window.htmx`)
	b.JS(`document.querySelector("#deployment-form .btn.pri").click()`)
	b.Wait(`document.querySelector("h1")?.textContent=="adder/dev-copy" && !!window.htmx`)
	choose("Delete")
	b.Wait(`document.querySelector("h1")?.textContent=="Delete adder/dev-copy?" && !!window.htmx`)
	b.JS(`document.querySelector("form .btn.danger").click()`)
	b.Wait(`location.pathname=="/deployments" && document.querySelector("#toasts").textContent.includes("Deleted adder/dev-copy") && !!window.htmx`)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	b.GoTo("/flow-runs/" + run.ID.String())
	choose("Change state")
	b.Wait(`!!document.querySelector("#state-form") && !!window.htmx`)
	b.JS(`(document.querySelector("[name=message]").value="why not",document.querySelector("#state-form .btn.pri").click())`)
	b.Wait(`!!document.querySelector(".esum")`)
	b.Want(`document.querySelector("[name=message]").value`, "why not")
	b.JS(`(document.querySelector("[name=type]").value="Crashed",document.querySelector("#state-form .btn.pri").click())`)
	b.Wait(`document.querySelector("#run-head .badge")?.textContent.trim()=="Crashed" && document.querySelector("#banner")?.textContent.includes("why not")`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
