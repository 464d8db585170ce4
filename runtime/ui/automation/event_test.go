package automation_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// The feed grows by itself, in the reader's filter; an event leads to an
// automation that the next such event sets off.
func TestEventToAutomationInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	b := h.Tab(t, uitest.Browser(t), "/events", 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	b.JS(`(e=>{e.value="shop.*";e.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=event]"))`)
	b.Wait(`location.search.includes("event=shop") && document.querySelectorAll(".feed li").length==0`)
	h.Emit("other.thing", "other", 0, `{}`)
	h.Emit("shop.orders.landed", "shop.orders", 0, `{"rows":3}`)
	b.Wait(`document.querySelectorAll(".feed li").length==1`)
	b.Want(`document.querySelector("#h-count").textContent`, "1 event")
	b.JS(`document.querySelector(".feed a").click()`)
	b.Wait(`document.querySelector("h1")?.textContent=="shop.orders.landed" && !!window.htmx`)
	b.JS(`document.querySelector('a[href*="/automations/new"]').click()`)
	b.Wait(`!!document.querySelector("#automation-form") && !!window.htmx && document.readyState=="complete"`)
	b.Want(`document.querySelector("[name='event.expect']").checkVisibility()`, "true")
	b.Want(`document.querySelector("[name='run.flows']").checkVisibility()`, "false")
	typed := func(name, value string) {
		b.JS(`(e=>{e.value="` + value + `";for(const n of ["input","change"])e.dispatchEvent(new Event(n,{bubbles:true}))})(document.querySelector("[name='` + name + `']"))`)
	}
	b.Want(`document.querySelector("[name='a0.deployment']").checkVisibility()`, "true")
	typed("a0.deployment", "adder/nowhere")
	b.Wait(`document.querySelector("#reads").textContent.includes('There is no deployment')`)
	typed("a0.deployment", "etl/nightly")
	b.Wait(`document.querySelector("#reads .sent")?.textContent.includes("etl/nightly")`)
	b.JS(`document.querySelector("#automation-form .pri").click()`)
	b.Wait(`document.querySelector(".esum")?.textContent.includes("Name")`)
	b.Want(`document.querySelector("[name='a0.deployment']").value`, "etl/nightly")
	typed("name", "Load what lands")
	b.JS(`document.querySelector("#automation-form .pri").click()`)
	b.Wait(`location.pathname=="/automations" && document.querySelector("#toasts")?.textContent.includes("Load what lands")`)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	h.Emit("shop.orders.landed", "shop.orders", 0, `{"rows":4}`)
	h.Must(h.Service.EvaluateAutomations(t.Context()))
	h.Must(h.Service.DoActions(t.Context()))
	b.Wait(`document.querySelector(".list .d").textContent.includes("1 time in 30 days")`)
	b.JS(`document.querySelector(".list a.t").click()`)
	b.Wait(`document.querySelector("#doings")?.textContent.includes("run-deployment") && !!window.htmx`)
	b.Wait(`document.querySelectorAll("#doings .feed li").length==2`)
	b.JS(`document.querySelector("button.sw").click()`)
	b.Wait(`document.querySelector("#toasts").textContent.includes("paused")`)
	list, err := h.Store.AllAutomations(t.Context())
	h.Check(err)
	if len(list) != 1 || list[0].Enabled {
		t.Error(list)
	}
	b.JS(`document.querySelector("#toasts [data-dismiss]").click()`)
	b.Press("g", "e")
	b.Wait(`location.pathname=="/events" && document.querySelector("#live")?.dataset.state=="up"`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
