package ui_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/flowlite/flowlite/runtime/core"
)

// turned stands before the pages and answers as it is told; 0 lets through, and
// a negative status closes the connection.
func (h *house) turned(t *testing.T) *atomic.Int64 {
	status := &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch s := status.Load(); {
		case s == 0:
			h.ui.ServeHTTP(w, r)
		case s < 0:
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(int(s))
		}
	}))
	h.srv.Close()
	h.srv = srv
	return status
}

const copyButton = `[data-copy][aria-label="Copy command"]`

func (b *tab) click(selector string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Click(selector)); err != nil {
		b.t.Fatal(selector, err)
	}
}

// A copy button says that it copied only if it did. Where a page has no
// clipboard, as over plain HTTP, the selection does it, and else the keys.
func TestCopySaysWhatItDid(t *testing.T) {
	t.Parallel()
	h := open(t)
	at, err := url.Parse(h.srv.URL)
	h.check(err)
	b := h.tab(t, browser(t, "host-resolver-rules", "MAP flows.test 127.0.0.1"), "/palette", 1280, 900)
	visit := func(host string) {
		t.Helper()
		if err := chromedp.Do(b.ctx, chromedp.Navigate("http://"+host+":"+at.Port()+"/concurrency")); err != nil {
			t.Fatal(err)
		}
		b.wait(`!!window.htmx && location.hostname=="` + host + `"`)
		b.js(`(document.addEventListener("copy",e=>window.clip=e.target.value),0)`)
	}
	text := `document.querySelector('` + copyButton + `').dataset.copy`
	said := `document.querySelector("#said").textContent+document.querySelector('` + copyButton + `').classList.contains("ok")`

	visit("flows.test")
	b.want(`isSecureContext+" "+navigator.clipboard`, "false undefined")
	b.click(copyButton)
	b.wait(said + `=="Copiedtrue"`)
	b.want(`window.clip==`+text, "true")
	b.want(`document.querySelectorAll("#toasts .toast").length`, "0")
	b.wait(said + `=="false"`) // the button is itself again

	b.js(`document.execCommand=()=>false`)
	b.click(copyButton)
	b.wait(`document.querySelector("#toasts").textContent.includes("Press Ctrl+C")`)
	b.want(said, "false")
	b.want(`(a=>a.value.slice(a.selectionStart,a.selectionEnd))(document.activeElement)==`+text, "true")

	visit("127.0.0.1")
	b.js(`navigator.clipboard.writeText=async s=>{window.clip=s}`)
	b.click(copyButton)
	b.wait(said + `=="Copiedtrue"`)
	b.want(`window.clip==`+text, "true")
	b.wait(said + `=="false"`)
	b.js(`(navigator.clipboard.writeText=()=>Promise.reject(new Error("denied")),document.execCommand=()=>false)`)
	b.click(copyButton)
	b.wait(`document.querySelector("#toasts").textContent.includes("Press Ctrl+C")`)
	b.want(said, "false")
}

// The open page of what was deleted says so, once, and asks for nothing more.
func TestDeletedWhileOpen(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	run := h.create(h.etl, "")
	h.act(run.ID)
	auto := h.automationPath()
	id, err := core.ParseUUID(auto[len("/automations/"):])
	h.check(err)
	h.must(h.svc.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "gpu", Type: "process"}))
	limit := h.limit("db", 2, 0)
	in := browser(t)
	for _, c := range []struct {
		path, name string
		remove     func() error
	}{
		{"/flow-runs/" + run.ID.String(), run.Name, func() error { return h.svc.DeleteFlowRun(ctx, run.ID) }},
		{auto, "", func() error { return h.svc.DeleteAutomation(ctx, id) }},
		{"/work-pools/gpu", "gpu", func() error { return h.svc.DeleteWorkPool(ctx, "gpu") }},
		{"/deployments/" + h.adder.ID.String(), "adder/dev", func() error { return h.svc.DeleteDeployment(ctx, h.adder.ID) }},
		{"/flows/" + h.approval.FlowID.String(), "refund-approval", func() error { return h.svc.DeleteFlow(ctx, h.approval.FlowID) }},
		{"/concurrency/" + limit.ID.String(), "db", func() error { return h.svc.DeleteGlobalLimit(ctx, limit.ID) }},
	} {
		b := h.tab(t, in, c.path, 1280, 900)
		h.check(c.remove())
		b.js(`htmx.trigger(document.body,"changed")`)
		b.wait(`document.querySelector("#notice").textContent.includes("was deleted")`)
		b.want(`document.querySelector("#notice").textContent.includes("`+c.name+`")`, "true")
		if b.js(`!!document.querySelector("#live")`) == "true" {
			b.wait(`document.querySelector("#live").textContent=="Stopped"`)
		}
		b.js(`(window.asked=0,window.fetch=()=>{asked++;return Promise.reject(new Error("asked"))},htmx.trigger(document.body,"changed"),htmx.trigger(document.body,"tl"),htmx.trigger(document.body,"end"))`)
		b.js(`new Promise(r=>setTimeout(r))`)
		b.want(`asked`, "0")
		eventually(t, c.path+" has no stream", func() bool { return h.ui.Streams() == 0 })
	}
}

// A page that the server no longer lets in says so, and how to get in again.
func TestPasswordChangedWhileOpen(t *testing.T) {
	t.Parallel()
	h := open(t)
	status := h.turned(t)
	run := h.create(h.etl, "")
	h.act(run.ID)
	in := browser(t)
	for _, path := range []string{"/flow-runs/" + run.ID.String(), "/runs", "/deployments", "/settings"} {
		status.Store(0)
		b := h.tab(t, in, path, 1280, 900)
		if path != "/settings" {
			b.wait(`document.querySelector("#live").dataset.state=="up"`)
		}
		status.Store(401)
		h.srv.CloseClientConnections()
		b.wait(`document.querySelector("#notice").textContent.includes("no longer accepts your password")`)
		b.want(`document.querySelector("#notice a").href==location.href`, "true")
		status.Store(0)
		b.js(`window.left=true`)
		b.click("#notice a")
		b.wait(`!window.left && !!window.htmx && document.querySelector("#notice").textContent==""`)
	}
	// What a person sends is told the same.
	b := h.tab(t, in, "/work-pools", 1280, 900)
	status.Store(401)
	b.js(`document.querySelector("button.sw").click()`)
	b.wait(`document.querySelector("#notice").textContent.includes("no longer accepts your password")`)
}

// A page tells that the server is away, comes back by itself, and then shows
// what it missed.
func TestServerAwayWhileOpen(t *testing.T) {
	t.Parallel()
	h := open(t)
	status := h.turned(t)
	b := h.tab(t, browser(t), "/runs?range=all", 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	for _, s := range []int64{-1, 502} {
		status.Store(s)
		h.srv.CloseClientConnections()
		b.wait(`document.querySelector("#notice").textContent.includes("does not answer")`)
		b.want(`document.querySelector("#live").textContent`, "Reconnecting…")
		b.want(`document.querySelectorAll("#toasts .toast").length`, "0")
		run := h.create(h.etl, "")
		status.Store(0)
		b.wait(`document.querySelector("#live").dataset.state=="up"`)
		b.wait(`!!document.querySelector('main a[href$="/flow-runs/` + run.ID.String() + `"]')`)
		b.wait(`document.querySelector("#notice").textContent==""`)
	}
}
