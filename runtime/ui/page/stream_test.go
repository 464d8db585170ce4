package page_test

import (
	"fmt"
	"testing"

	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Eight tabs over HTTP/1.1: at most four streams, so that the eighth still
// loads; a hidden tab gives its stream back and takes one again when shown.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	ctx := uitest.Browser(t)
	var tabs []*uitest.Tab
	for range 8 {
		b := h.Tab(t, ctx, "/runs", 1280, 900)
		b.Wait(`document.querySelector("#live").dataset.state!=""`)
		tabs = append(tabs, b)
	}
	up := func() (n int) {
		for _, b := range tabs {
			if b.JS(`document.querySelector("#live").dataset.state`) == "up" {
				n++
			}
		}
		return n
	}
	uitest.Eventually(t, "four tabs have a stream", func() bool { return up() == 4 && h.UI.Streams() == 4 })
	hide := func(b *uitest.Tab, v bool) {
		b.JS(fmt.Sprintf(`(()=>{Object.defineProperty(document,"hidden",{get:()=>%t,configurable:true});document.dispatchEvent(new Event("visibilitychange"))})()`, v))
	}
	for _, b := range tabs {
		hide(b, true)
	}
	uitest.Eventually(t, "hidden tabs have no stream", func() bool { return h.UI.Streams() == 0 })
	hide(tabs[0], false)
	uitest.Eventually(t, "the tab that is shown again has one", func() bool { return h.UI.Streams() == 1 })
}

// Eight tabs over HTTP/2 load, though the proxy speaks HTTP/1.1 with us.
func TestManyTabsOverHTTP2(t *testing.T) {
	t.Parallel()
	h := behind(t, "", false, true)
	ctx := uitest.Browser(t)
	for range 8 {
		b := h.Tab(t, ctx, "/runs", 1280, 900)
		b.Wait(`document.querySelector("#live").dataset.state!="off"`)
	}
	if n := h.UI.Streams(); n > 4 {
		t.Errorf("%d streams of one browser over HTTP/1.1", n)
	}
}
