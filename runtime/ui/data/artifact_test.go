package data_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestArtifacts(t *testing.T) {
	h := uitest.Open(t)
	_, body := h.Get("/artifacts")
	uitest.Contains(t, body, "No artifacts yet")
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	task := h.Task(ctx, run.ID, "extract", 0, h.Now(), 1e9, core.Completed)
	first := h.Artifact("report", "markdown", core.ToJSON("one\ntwo\nthree"), run.ID)
	h.Artifact("report", "markdown", core.ToJSON("one\n2 <b>two</b>\nthree"), core.UUID{})
	last, err := h.Service.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("report"), Type: core.Ptr("markdown"), Data: core.ToJSON("one\n2\nthree"), TaskRunID: task})
	h.Check(err)
	h.Artifact("rows", "table", core.ToJSON(`[{"a":1},{"a":2}]`), run.ID)
	loose, err := h.Service.CreateArtifact(ctx, core.ArtifactCreate{Type: core.Ptr("link"), Data: core.ToJSON("[x](https://a.test)"), FlowRunID: run.ID})
	h.Check(err)
	_, body = h.Get("/artifacts")
	uitest.Contains(t, body, `<span class="n">2</span>`, "/artifacts/"+last.ID.String(), "2 rows", run.Name)
	lacks(t, body, first.ID.String(), loose.ID.String())
	_, body = h.Get("/artifacts?view=all")
	uitest.Contains(t, body, `<span class="n">5</span>`, first.ID.String(), loose.ID.String(), "2 &lt;b&gt;two")
	_, body = h.Get("/artifacts?q=ROW")
	uitest.Contains(t, body, `<span class="n">1</span>`, ">rows</a>")
	lacks(t, body, ">report</a>")
	_, body = h.Get("/artifacts?type=link&view=all")
	uitest.Contains(t, body, `<span class="n">1</span>`, loose.ID.String())
	_, body = h.Get("/artifacts?type=image")
	uitest.Contains(t, body, "No artifact matches")

	path := "/artifacts/" + last.ID.String()
	_, body = h.Get(path)
	uitest.Contains(t, body, "3 of this key", path+"?with="+first.ID.String(), "/task-runs/"+task.String(), "/flow-runs/"+run.ID.String(), "extract-0")
	_, body = h.Get(path + "?with=" + first.ID.String())
	uitest.Contains(t, body, "1 line added, 1 removed", `<li class="del">`, "<code>two</code>", `<li class="add">`, "<code>2</code>")
	_, body = h.Get("/artifacts/" + first.ID.String() + "?with=" + last.ID.String())
	uitest.Contains(t, body, "1 line added, 1 removed", `<li class="add"><span class="sg"><span aria-hidden="true">+</span><span class="vh">added</span></span><code>2</code>`)
	for _, gone := range []string{path + "?with=x", path + "?with=" + core.NewID().String()} {
		if code, _ := h.Get(gone); code != 404 {
			t.Errorf("%s: %d", gone, code)
		}
	}
	if code, body := h.Get("/artifacts/" + loose.ID.String()); code != 200 {
		t.Error(code)
	} else {
		lacks(t, body, "of this key")
	}
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error(w.Code)
	}
	_, body = h.Get("/artifacts")
	uitest.Contains(t, body, `<span class="n">2</span>`) // the key's latest is the one before
	lacks(t, body, last.ID.String())
	h.Check(h.Service.DeleteFlowRun(t.Context(), run.ID))
	if code, _ := h.Get("/artifacts/" + first.ID.String()); code != 200 {
		t.Error("an artifact whose run is gone:", code)
	}
}

func TestArtifactInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	h.Artifact("counts", "table", core.ToJSON(`[{"region":"eu","n":1},{"region":"us","n":2}]`), run.ID)
	h.Artifact("counts", "table", core.ToJSON(`[{"region":"eu","n":1},{"region":"us","n":3}]`), run.ID)
	h.Must(h.Service.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("hostile"), Type: core.Ptr("markdown"), FlowRunID: run.ID,
		Data: core.ToJSON("![p](https://tracker.example.test/p.gif) <img src=https://tracker.example.test/q.gif onerror=alert(1)> <script>document.title='taken'</script> [j](javascript:alert(1))")}))
	b := h.Tab(t, uitest.Browser(t), "/artifacts", 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	b.JS(`[...document.querySelectorAll("tbody a.t")].find(a=>a.textContent=="hostile").click()`)
	b.Wait(`document.querySelector("h1")?.textContent=="hostile"`)
	b.Want(`document.querySelectorAll("main img,main script,main [onerror]").length+" "+document.title`, "0 hostile · flowlite")
	b.Want(`document.querySelector(".md a").href`, "https://tracker.example.test/p.gif")
	b.Want(`performance.getEntriesByType("resource").filter(r=>!r.name.startsWith(location.origin)).length`, "0")
	b.GoTo("/artifacts?q=counts")
	b.JS(`document.querySelector("tbody a.t").click()`)
	b.Wait(`!!document.querySelector('a[href*="with="]') && !!window.htmx`)
	b.JS(`document.querySelector('a[href*="with="]').click()`)
	b.Wait(`!!document.querySelector("#compare")`)
	b.Want(`[...document.querySelectorAll("#compare tr.del td,#compare tr.add td")].map(x=>x.textContent).join()`, "−removed,us,2,+added,us,3")
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
