package page_test

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

const copyButton = `[data-copy][aria-label="Copy command"]`

// A copy button says that it copied only if it did. Where a page has no
// clipboard, as over plain HTTP, the selection does it, and else the keys.
func TestCopySaysWhatItDid(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	at, err := url.Parse(h.Server.URL)
	h.Check(err)
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	visit := func(host string) {
		t.Helper()
		if err := chromedp.Do(b.Ctx, chromedp.Navigate("http://"+host+":"+at.Port()+"/concurrency")); err != nil {
			t.Fatal(err)
		}
		b.Wait(`!!window.htmx && location.hostname=="` + host + `"`)
		b.JS(`(document.addEventListener("copy",e=>window.clip=e.target.value),0)`)
	}
	text := `document.querySelector('` + copyButton + `').dataset.copy`
	said := `document.querySelector("#said").textContent+document.querySelector('` + copyButton + `').classList.contains("ok")`

	visit("flows.test")
	b.Want(`isSecureContext+" "+navigator.clipboard`, "false undefined")
	b.Click(copyButton)
	b.Wait(said + `=="Copiedtrue"`)
	b.Want(`window.clip==`+text, "true")
	b.Want(`document.querySelectorAll("#toasts .toast").length`, "0")
	b.Wait(said + `=="false"`) // the button is itself again

	b.JS(`document.execCommand=()=>false`)
	b.Click(copyButton)
	b.Wait(`document.querySelector("#toasts").textContent.includes("Press Ctrl+C")`)
	b.Want(said, "false")
	b.Want(`(a=>a.value.slice(a.selectionStart,a.selectionEnd))(document.activeElement)==`+text, "true")

	visit("127.0.0.1")
	b.JS(`navigator.clipboard.writeText=async s=>{window.clip=s}`)
	b.Click(copyButton)
	b.Wait(said + `=="Copiedtrue"`)
	b.Want(`window.clip==`+text, "true")
	b.Wait(said + `=="false"`)
	b.JS(`(navigator.clipboard.writeText=()=>Promise.reject(new Error("denied")),document.execCommand=()=>false)`)
	b.Click(copyButton)
	b.Wait(`document.querySelector("#toasts").textContent.includes("Press Ctrl+C")`)
	b.Want(said, "false")
}

// The open page of what was deleted says so, once, and asks for nothing more.
func TestDeletedWhileOpen(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	ctx := t.Context()
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	auto := h.AutomationPath()
	id, err := core.ParseUUID(auto[len("/automations/"):])
	h.Check(err)
	h.Must(h.Service.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "gpu", Type: "process"}))
	limit := h.Limit("db", 2, 0)
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	for _, c := range []struct {
		path, name string
		remove     func() error
	}{
		{"/flow-runs/" + run.ID.String(), run.Name, func() error { return h.Service.DeleteFlowRun(ctx, run.ID) }},
		{auto, "", func() error { return h.Service.DeleteAutomation(ctx, id) }},
		{"/work-pools/gpu", "gpu", func() error { return h.Service.DeleteWorkPool(ctx, "gpu") }},
		{"/deployments/" + h.Adder.ID.String(), "adder/dev", func() error { return h.Service.DeleteDeployment(ctx, h.Adder.ID) }},
		{"/flows/" + h.Approval.FlowID.String(), "refund-approval", func() error { return h.Service.DeleteFlow(ctx, h.Approval.FlowID) }},
		{"/concurrency/" + limit.ID.String(), "db", func() error { return h.Service.DeleteGlobalLimit(ctx, limit.ID) }},
	} {
		b.GoTo(c.path)
		h.Check(c.remove())
		b.JS(`htmx.trigger(document.body,"changed")`)
		b.Wait(`document.querySelector("#notice").textContent.includes("was deleted")`)
		b.Want(`document.querySelector("#notice").textContent.includes("`+c.name+`")`, "true")
		if b.JS(`!!document.querySelector("#live")`) == "true" {
			b.Wait(`document.querySelector("#live").textContent=="Stopped"`)
		}
		b.JS(`(window.asked=0,window.fetch=()=>{asked++;return Promise.reject(new Error("asked"))},htmx.trigger(document.body,"changed"),htmx.trigger(document.body,"tl"),htmx.trigger(document.body,"end"))`)
		b.JS(`new Promise(r=>setTimeout(r))`)
		b.Want(`asked`, "0")
		uitest.Eventually(t, c.path+" has no stream", func() bool { return h.UI.Streams() == 0 })
	}
}

// A page that the server no longer lets in says so, and how to get in again.
func TestPasswordChangedWhileOpen(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	status := h.Turned(t)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	for _, path := range []string{"/flow-runs/" + run.ID.String(), "/runs", "/deployments", "/settings"} {
		status.Store(0)
		b.GoTo(path)
		if path != "/settings" {
			b.Wait(`document.querySelector("#live").dataset.state=="up"`)
		}
		status.Store(401)
		h.Server.CloseClientConnections()
		b.Wait(`document.querySelector("#notice").textContent.includes("no longer accepts your password")`)
		b.Want(`document.querySelector("#notice a").href==location.href`, "true")
		status.Store(0)
		b.JS(`window.left=true`)
		b.Click("#notice a")
		b.Wait(`!window.left && !!window.htmx && document.querySelector("#notice").textContent==""`)
	}
	// What a person sends is told the same.
	b.GoTo("/work-pools")
	status.Store(401)
	b.JS(`document.querySelector("button.sw").click()`)
	b.Wait(`document.querySelector("#notice").textContent.includes("no longer accepts your password")`)
}

// A page tells that the server is away, comes back by itself, and then shows
// what it missed.
func TestServerAwayWhileOpen(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	status := h.Turned(t)
	b := h.Tab(t, uitest.Browser(t), "/runs?range=all", 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	for _, s := range []int64{-1, 502} {
		status.Store(s)
		h.Server.CloseClientConnections()
		b.Wait(`document.querySelector("#notice").textContent.includes("does not answer")`)
		b.Want(`document.querySelector("#live").textContent`, "Reconnecting…")
		b.Want(`document.querySelectorAll("#toasts .toast").length`, "0")
		run := h.Create(h.ETL, "")
		status.Store(0)
		b.Wait(`document.querySelector("#live").dataset.state=="up"`)
		b.Wait(`!!document.querySelector('main a[href$="/flow-runs/` + run.ID.String() + `"]')`)
		b.Wait(`document.querySelector("#notice").textContent==""`)
	}
}
