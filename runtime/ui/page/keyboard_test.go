package page_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Keys: / and Ctrl-K find, Escape closes, g r goes to the runs, j moves in the timeline.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	running, _, _, _ := h.Seed()
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+running.ID.String(), 1280, 900)
	slash := func() { // pressed by chromedp it would also be typed into the field that it opens
		b.JS(`document.body.dispatchEvent(new KeyboardEvent("keydown",{key:"/",bubbles:true}))`)
		b.Wait(`document.querySelector("#palette").open`)
	}
	slash()
	b.Press("refund")
	b.Wait(`document.querySelector("#pal-results a")?.textContent.includes("refund-approval/support")`)
	b.Press(kb.Escape)
	b.Wait(`!document.querySelector("#palette").open`)
	b.Press("j")
	b.Want(`document.activeElement.dataset.row`, "0")
	b.Press("j", "j")
	b.Want(`document.activeElement.dataset.row`, "2")
	b.Want(`document.querySelectorAll(".edge.hot").length>0`, "true")
	b.Press("k")
	b.Want(`document.activeElement.dataset.row`, "1")
	b.Press(kb.Tab)
	b.Want(`document.activeElement.matches(":focus-visible")`, "true")
	b.JS(`document.querySelector("[name=log]").focus()`)
	b.Press("batch 7", kb.Enter)
	b.Wait(`document.querySelectorAll("#log .msg").length==1`)
	b.Want(`document.activeElement.name+location.search`, "log?log=batch+7")
	b.JS(`document.activeElement.blur()`)
	b.Press("g", "r")
	b.Wait(`location.pathname=="/runs" && !!window.htmx`)
	slash()
	b.Press("work pools")
	b.Wait(`document.querySelector("#pal-results a")?.textContent.includes("Work pools")`)
	b.Press(kb.Enter)
	b.Wait(`location.pathname=="/work-pools"`)
}
