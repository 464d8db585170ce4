package run_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// A stream that is cut comes back by itself, after the last line that was seen.
func TestStreamResumes(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	line := 0
	write := func(n int) {
		for range n {
			line++
			h.Log(run.ID, 20, "flow", "line %d", line)
		}
	}
	write(30)
	b.Wait(`document.querySelectorAll("#log .msg").length==30`)
	b.JS(`(()=>{window.downs=0;new MutationObserver(()=>{if(document.querySelector("#live").dataset.state=="down")window.downs++}).observe(document.querySelector("#live"),{attributes:true})})()`)
	h.Server.CloseClientConnections()
	write(30)
	b.Wait(`window.downs>0`)
	b.Wait(`document.querySelectorAll("#log .msg").length==60`)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	b.Want(`[...document.querySelectorAll("#log .ln")].every((a,i)=>+a.textContent==i+1)`, "true")
	h.Complete(ctx, run.ID, "1")
	b.Wait(`document.querySelector("#run-head .badge").textContent.trim()=="Completed"`)
}

// Entries of a stream appear while the page is open, without their text becoming markup.
func TestStreamIsLive(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	for n, v := range []string{`"<b>one</b>"`, `{"n":2}`} {
		_, err := h.Service.AppendStream(ctx, run.ID, "out", []core.StreamAppend{{Ordinal: int64(n), Value: core.JSON(v)}})
		h.Check(err)
		b.Wait(fmt.Sprintf(`document.querySelectorAll("#streams li").length==%d`, n+1))
	}
	b.Want(`[...document.querySelectorAll("#streams li .mono")].map(e=>e.textContent).join("|")`, `<b>one</b>|{"n":2}`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// Statuses appear and change while the page is open, without their text becoming markup.
func TestStatusIsLive(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	for n, v := range []string{`"<b>one</b>"`, `{"n":2}`} {
		h.Check(h.Service.SetStatus(ctx, run.ID, "step", core.StatusSet{Ordinal: int64(n), Value: core.JSON(v)}))
		b.Wait(fmt.Sprintf(`document.querySelector("#statuses dd")?.textContent==%s`, []string{`"<b>one</b>"`, `'{"n":2}'`}[n]))
	}
	h.Check(h.Service.SetStatus(ctx, run.ID, "another", core.StatusSet{Value: core.JSON(`3`)}))
	b.Wait(`[...document.querySelectorAll("#statuses dt")].map(e=>e.textContent).join()=="another,step"`)
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// The timeline refreshes itself in the view that the reader chose, and keeps
// an open group open.
func TestTimelineKeepsItsView(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	_, _, big, _ := h.Seed()
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+big.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	refreshed := func() {
		b.Wait(`!!window.htmx`)
		b.JS(`(()=>{window.swaps=0;document.addEventListener("htmx:after:swap",()=>window.swaps++);htmx.trigger(document.body,"tl")})()`)
		b.Wait(`window.swaps>0`)
	}
	b.JS(`[...document.querySelectorAll(".tl-names a")].find(a=>a.textContent.includes("backfill_partition")).click()`)
	b.Wait(`document.querySelectorAll(".tl-names li").length>50`)
	refreshed()
	b.Want(`document.querySelectorAll(".tl-names li").length>50`, "true")
	b.JS(`document.querySelectorAll('#timeline .seg a')[1].click()`)
	b.Wait(`!!document.querySelector(".tl.lanes")`)
	b.Wait(`location.search.includes("view=lanes")`)
	refreshed()
	b.Want(`!!document.querySelector(".tl.lanes")`, "true")
}

// Filters are in the address, and Back brings the list before them.
func TestFiltersAndBack(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	h.Seed()
	b := h.Tab(t, uitest.Browser(t), "/runs", 1280, 900)
	all := b.JS(`document.querySelectorAll("tbody tr").length`)
	b.JS(`document.querySelector('[name=state][value=failed]').click()`)
	b.Wait(`location.search.includes("state=failed")`)
	b.Wait(`document.querySelectorAll("tbody tr").length<` + all)
	if err := chromedp.Do(b.Ctx, chromedp.NavigateBack()); err != nil {
		t.Fatal(err)
	}
	b.Wait(`location.search=="" && document.querySelectorAll("tbody tr").length==` + all)
	b.Want(`document.querySelector('[name=state][value=failed]').checked`, "false")
}
