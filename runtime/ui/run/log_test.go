package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// messages are those of the lines that a page shows.
func messages(body string) (out []string) {
	for _, m := range regexp.MustCompile(`(?s)<span class="msg">(.*?)</span></li>`).FindAllStringSubmatch(body, -1) {
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], "")
		out = append(out, strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text))
	}
	return out
}

// A page, the download and the API find the same lines, whatever is searched.
func TestLogFilterIsOne(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	texts := []string{"50% done", "500 done", "a_b", "axb", "tab\tbed", "tab bed", `quo"ted`, `back\slash`, "\x1b[31mcol\x1b[0mored", "1/3\r2/3\r3/3", "two\nlines", "at 12:03:04", "ünïcode €", "<b>"}
	h.Logs(run.ID, len(texts), func(i int) core.LogCreate {
		return core.LogCreate{Name: "flow", Level: int64(10 + 10*(i%4)), Message: texts[i]}
	})
	path := "/flow-runs/" + run.ID.String()
	for _, level := range []string{"", "All", "Warning", "Error"} {
		for _, typed := range []string{"", "%", "_", "\t", "tab", `"`, `\`, "colored", "[31m", "3/3", "1/3", "12:03", "€", "<b>", " ", "FLOW"} {
			q := url.Values{"level": {level}, "log": {typed}}.Encode()
			_, page := h.Get(path + "?" + q)
			_, text := h.Get(path + "/logs.txt?" + q)
			f := &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}
			if typed != "" {
				f.Text = core.Phrase(typed)
			}
			if n := map[string]int64{"Warning": 30, "Error": 40}[level]; n > 0 {
				f.Level = &core.IntFilter{Ge: &n}
			}
			stored, err := h.Store.Logs(t.Context(), f, core.Page{})
			h.Check(err)
			var api, saved []string
			for _, l := range stored {
				api = append(api, core.PlainText(l.Message))
			}
			for _, l := range regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\S+ [A-Z]+ +flow - `).Split(text, -1)[1:] {
				saved = append(saved, strings.TrimSuffix(l, "\n"))
			}
			if shown := messages(page); fmt.Sprint(shown) != fmt.Sprint(api) || fmt.Sprint(saved) != fmt.Sprint(api) {
				t.Errorf("%s %q: page %q, download %q, API %q", level, typed, shown, saved, api)
			}
		}
	}
}

// A download has the times of the page.
func TestDownloadHasTimesOfThePage(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	at, err := core.ParseTime("2026-07-01T12:00:00.25Z")
	h.Check(err)
	h.Check(h.Service.WriteLogs(t.Context(), []core.LogCreate{{Name: "flow", Level: 20, Message: "noon", Timestamp: at, FlowRunID: run.ID}}))
	r := func(path string) string {
		req := httptest.NewRequest("GET", path, nil)
		req.AddCookie(&http.Cookie{Name: "fl_tz", Value: "Asia%2FTokyo"})
		w := httptest.NewRecorder()
		h.UI.ServeHTTP(w, req)
		return w.Body.String()
	}
	if page := r("/flow-runs/" + run.ID.String()); !strings.Contains(page, "21:00:00.250") {
		t.Error("the page has not the time of Tokyo")
	}
	if text := r("/flow-runs/" + run.ID.String() + "/logs.txt"); text != "2026-07-01T21:00:00.250+09:00 INFO     flow - noon\n" {
		t.Error(text)
	}
}

// A search finds what the page has not loaded, says how many lines that are,
// and holds for the lines that come while one watches.
func TestLogSearchInTheBrowser(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	line := func(i int) core.LogCreate {
		l := core.LogCreate{Name: "flow", Level: 20, Message: fmt.Sprintf("line %d", i)}
		if i < 6000 && i%10 == 0 {
			l.Message += " has 10% \x1b[1;31mred\x1b[0m"
		}
		return l
	}
	h.Logs(run.ID, 12_000, line)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String()+"?view=lanes", 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	b.Want(`document.querySelector("#log-count").textContent.trim()`, "12,000 lines")
	search := func(s string) {
		b.JS(fmt.Sprintf(`(q=>{q.value=%q;q.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=log]"))`, s))
	}
	search("0% Red")
	b.Wait(`document.querySelector("#log-count").textContent.trim()=="600 lines match"`)
	b.Want(`document.querySelectorAll("#log .msg").length`, "500")
	b.Want(`[...document.querySelectorAll("#log .msg")].every(m=>[...m.querySelectorAll("mark")].map(x=>x.textContent).join("")=="0% red")`, "true")
	b.Want(`document.querySelector("#log .msg .fg2.fb").textContent`, "red")
	b.Want(`new URLSearchParams(location.search).toString()`, "view=lanes&log=0%25+Red")
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	h.Log(run.ID, 20, "flow", "not this")
	h.Log(run.ID, 20, "flow", "but 0%% red")
	b.Wait(`document.querySelector("#log-count").textContent.trim()=="601 lines match"`)
	b.Want(`[...document.querySelectorAll("#log .msg")].pop().textContent`, "but 0% red")
	b.Want(`document.querySelector("#log").textContent.includes("not this")`, "false")
	b.JS(`document.querySelector("#earlier a").click()`)
	b.Wait(`document.querySelectorAll("#log .msg").length==601`)
	b.Want(`document.querySelector("#earlier").hidden`, "true")
	b.Want(`[...document.querySelectorAll("#log .ln")].every((a,i)=>+a.textContent==i+1)`, "true")
	b.JS(`(fetch(document.querySelector("#log-tools a").href).then(r=>r.text()).then(x=>window.saved=x.trim().split("\n").length))`)
	b.Wait(`window.saved==601`)
	b.JS(`(window.left=true,location.reload())`)
	b.Wait(`!window.left && !!window.htmx && document.querySelector("#log-count").textContent.trim()=="601 lines match"`)
	b.Want(`document.querySelector("[name=log]").value`, "0% Red")
	search("no such line")
	b.Wait(`document.querySelector("#log-none").checkVisibility()`)
	b.Want(`document.querySelector("#log-none").textContent.trim()`, "No line matches.")
	b.Want(`document.querySelector("#log-count").textContent.trim()`, "0 lines match")
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A page that follows a long log drops lines at its beginning, and keeps the
// way back to them.
func TestLongLogKeepsTheWayBack(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	h.Logs(run.ID, 2600, func(i int) core.LogCreate {
		return core.LogCreate{Name: "flow", Level: 20, Message: fmt.Sprintf("line %d", i+1)}
	})
	b.Wait(`[...document.querySelectorAll("#log .msg")].pop()?.textContent=="line 2600"`)
	b.Want(`document.querySelectorAll("#log .msg").length`, "2000")
	b.Want(`document.querySelector("#earlier").checkVisibility()+document.querySelector("#earlier span").textContent`, "true600 earlier lines")
	b.JS(`document.querySelector("#earlier a").click()`)
	b.Wait(`document.querySelectorAll("#log .msg").length==2500`)
	b.JS(`document.querySelector("#earlier a").click()`)
	b.Wait(`document.querySelectorAll("#log .msg").length==2600`)
	b.Want(`[...document.querySelectorAll("#log .msg")].every((m,i)=>m.textContent=="line "+(i+1))`, "true")
	b.Want(`document.querySelector("#earlier").checkVisibility()`, "false")
}

// A progress bar is the same while one watches and after a reload.
func TestCarriageReturnsLiveAndReloaded(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	h.Act(run.ID)
	b := h.Tab(t, uitest.Browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.Wait(`document.querySelector("#live").dataset.state=="up"`)
	for _, m := range []string{"10%\r50%\r\x1b[32m100%\x1b[0m", "dos\r\nline", "a\tb", " padded ", "\x1b]8;;http://x.test\x1b\\link\x1b]8;;\x1b\\"} {
		h.Log(run.ID, 20, "flow", "%s", m)
	}
	b.Wait(`document.querySelectorAll("#log .msg").length==5`)
	const shown = `JSON.stringify([...document.querySelectorAll("#log .msg")].map(m=>m.innerHTML))`
	live := b.JS(shown)
	if want := `["<span class=\"fg3\">100%</span>","dos\nline","a\tb"," padded ","link"]`; live != want {
		t.Errorf("%s, want %s", live, want)
	}
	b.GoTo("/flow-runs/" + run.ID.String())
	b.Want(shown, live)
}

// The log of a task run loads earlier lines, too.
func TestTaskRunLogLoadsEarlierLines(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	task := h.Task(h.Act(run.ID), run.ID, "load", 0, h.Now(), 1e9, core.Completed)
	list := make([]core.LogCreate, 700)
	for i := range list {
		list[i] = core.LogCreate{Name: "load", Level: 20, Message: fmt.Sprintf("line %d", i+1), Timestamp: h.Now(), FlowRunID: run.ID, TaskRunID: task}
	}
	h.Check(h.Service.WriteLogs(t.Context(), list))
	b := h.Tab(t, uitest.Browser(t), "/task-runs/"+task.String(), 1280, 900)
	b.JS(`document.querySelector("#earlier a").click()`)
	b.Wait(`document.querySelectorAll("#log .msg").length==700`)
	b.Want(`[...document.querySelectorAll("#log .msg")].every((m,i)=>m.textContent=="line "+(i+1))`, "true")
	if p := b.Problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
