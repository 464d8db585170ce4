package ui_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestArtifacts(t *testing.T) {
	h := open(t)
	_, body := h.get("/artifacts")
	contains(t, body, "No artifacts yet")
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	task := h.task(ctx, run.ID, "extract", 0, h.now(), 1e9, core.Completed)
	first := h.artifact("report", "markdown", core.ToJSON("one\ntwo\nthree"), run.ID)
	h.artifact("report", "markdown", core.ToJSON("one\n2 <b>two</b>\nthree"), core.UUID{})
	last, err := h.svc.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("report"), Type: core.Ptr("markdown"), Data: core.ToJSON("one\n2\nthree"), TaskRunID: task})
	h.check(err)
	h.artifact("rows", "table", core.ToJSON(`[{"a":1},{"a":2}]`), run.ID)
	loose, err := h.svc.CreateArtifact(ctx, core.ArtifactCreate{Type: core.Ptr("link"), Data: core.ToJSON("[x](https://a.test)"), FlowRunID: run.ID})
	h.check(err)
	_, body = h.get("/artifacts")
	contains(t, body, `<span class="n">2</span>`, "/artifacts/"+last.ID.String(), "2 rows", run.Name)
	lacks(t, body, first.ID.String(), loose.ID.String())
	_, body = h.get("/artifacts?view=all")
	contains(t, body, `<span class="n">5</span>`, first.ID.String(), loose.ID.String(), "2 &lt;b&gt;two")
	_, body = h.get("/artifacts?q=ROW")
	contains(t, body, `<span class="n">1</span>`, ">rows</a>")
	lacks(t, body, ">report</a>")
	_, body = h.get("/artifacts?type=link&view=all")
	contains(t, body, `<span class="n">1</span>`, loose.ID.String())
	_, body = h.get("/artifacts?type=image")
	contains(t, body, "No artifact matches")

	path := "/artifacts/" + last.ID.String()
	_, body = h.get(path)
	contains(t, body, "3 of this key", path+"?with="+first.ID.String(), "/task-runs/"+task.String(), "/flow-runs/"+run.ID.String(), "extract-0")
	_, body = h.get(path + "?with=" + first.ID.String())
	contains(t, body, "1 line added, 1 removed", `<li class="del">`, "<code>two</code>", `<li class="add">`, "<code>2</code>")
	_, body = h.get("/artifacts/" + first.ID.String() + "?with=" + last.ID.String())
	contains(t, body, "1 line added, 1 removed", `<li class="add"><span class="sg"><span aria-hidden="true">+</span><span class="vh">added</span></span><code>2</code>`)
	for _, gone := range []string{path + "?with=x", path + "?with=" + core.NewID().String()} {
		if code, _ := h.get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
	if code, body := h.get("/artifacts/" + loose.ID.String()); code != 200 {
		t.Error(code)
	} else {
		lacks(t, body, "of this key")
	}
	if w := h.post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	_, body = h.get("/artifacts")
	contains(t, body, `<span class="n">2</span>`) // the key's latest is the one before
	lacks(t, body, last.ID.String())
	h.check(h.svc.DeleteFlowRun(t.Context(), run.ID))
	if code, _ := h.get("/artifacts/" + first.ID.String()); code != 200 {
		t.Error("an artifact whose run is gone:", code)
	}
}

func TestArtifactInTheBrowser(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	h.artifact("counts", "table", core.ToJSON(`[{"region":"eu","n":1},{"region":"us","n":2}]`), run.ID)
	h.artifact("counts", "table", core.ToJSON(`[{"region":"eu","n":1},{"region":"us","n":3}]`), run.ID)
	h.must(h.svc.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("hostile"), Type: core.Ptr("markdown"), FlowRunID: run.ID,
		Data: core.ToJSON("![p](https://tracker.example.test/p.gif) <img src=https://tracker.example.test/q.gif onerror=alert(1)> <script>document.title='taken'</script> [j](javascript:alert(1))")}))
	b := h.tab(t, browser(t), "/artifacts", 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	b.js(`[...document.querySelectorAll("tbody a.t")].find(a=>a.textContent=="hostile").click()`)
	b.wait(`document.querySelector("h1")?.textContent=="hostile"`)
	b.want(`document.querySelectorAll("main img,main script,main [onerror]").length+" "+document.title`, "0 hostile · flowlite")
	b.want(`document.querySelector(".md a").href`, "https://tracker.example.test/p.gif")
	b.want(`performance.getEntriesByType("resource").filter(r=>!r.name.startsWith(location.origin)).length`, "0")
	b.goTo("/artifacts?q=counts")
	b.js(`document.querySelector("tbody a.t").click()`)
	b.wait(`!!document.querySelector('a[href*="with="]') && !!window.htmx`)
	b.js(`document.querySelector('a[href*="with="]').click()`)
	b.wait(`!!document.querySelector("#compare")`)
	b.want(`[...document.querySelectorAll("#compare tr.del td,#compare tr.add td")].map(x=>x.textContent).join()`, "−removed,us,2,+added,us,3")
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
