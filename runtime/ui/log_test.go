package ui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// logs writes many lines at once.
func (h *house) logs(run core.UUID, n int, line func(i int) core.LogCreate) {
	h.t.Helper()
	list := make([]core.LogCreate, n)
	for i := range list {
		list[i] = line(i)
		list[i].FlowRunID, list[i].Timestamp = run, h.now()
	}
	h.check(h.svc.WriteLogs(h.t.Context(), list))
}

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
	h := open(t)
	run := h.create(h.etl, "")
	texts := []string{"50% done", "500 done", "a_b", "axb", "tab\tbed", "tab bed", `quo"ted`, `back\slash`, "\x1b[31mcol\x1b[0mored", "1/3\r2/3\r3/3", "two\nlines", "at 12:03:04", "ünïcode €", "<b>"}
	h.logs(run.ID, len(texts), func(i int) core.LogCreate {
		return core.LogCreate{Name: "flow", Level: int64(10 + 10*(i%4)), Message: texts[i]}
	})
	path := "/flow-runs/" + run.ID.String()
	for _, level := range []string{"", "All", "Warning", "Error"} {
		for _, typed := range []string{"", "%", "_", "\t", "tab", `"`, `\`, "colored", "[31m", "3/3", "1/3", "12:03", "€", "<b>", " ", "FLOW"} {
			q := url.Values{"level": {level}, "log": {typed}}.Encode()
			_, page := h.get(path + "?" + q)
			_, text := h.get(path + "/logs.txt?" + q)
			f := &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}
			if typed != "" {
				f.Text = core.Phrase(typed)
			}
			if n := map[string]int64{"Warning": 30, "Error": 40}[level]; n > 0 {
				f.Level = &core.IntFilter{Ge: &n}
			}
			stored, err := h.store.Logs(t.Context(), f, core.Page{})
			h.check(err)
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
	h := open(t)
	run := h.create(h.etl, "")
	at, err := core.ParseTime("2026-07-01T12:00:00.25Z")
	h.check(err)
	h.check(h.svc.WriteLogs(t.Context(), []core.LogCreate{{Name: "flow", Level: 20, Message: "noon", Timestamp: at, FlowRunID: run.ID}}))
	r := func(path string) string {
		req := httptest.NewRequest("GET", path, nil)
		req.AddCookie(&http.Cookie{Name: "fl_tz", Value: "Asia%2FTokyo"})
		w := httptest.NewRecorder()
		h.ui.ServeHTTP(w, req)
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
	h := open(t)
	run := h.create(h.etl, "")
	h.act(run.ID)
	line := func(i int) core.LogCreate {
		l := core.LogCreate{Name: "flow", Level: 20, Message: fmt.Sprintf("line %d", i)}
		if i < 6000 && i%10 == 0 {
			l.Message += " has 10% \x1b[1;31mred\x1b[0m"
		}
		return l
	}
	h.logs(run.ID, 12_000, line)
	b := h.tab(t, browser(t), "/flow-runs/"+run.ID.String()+"?view=lanes", 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	b.want(`document.querySelector("#log-count").textContent.trim()`, "12,000 lines")
	search := func(s string) {
		b.js(fmt.Sprintf(`(q=>{q.value=%q;q.dispatchEvent(new Event("input",{bubbles:true}))})(document.querySelector("[name=log]"))`, s))
	}
	search("0% Red")
	b.wait(`document.querySelector("#log-count").textContent.trim()=="600 lines match"`)
	b.want(`document.querySelectorAll("#log .msg").length`, "500")
	b.want(`[...document.querySelectorAll("#log .msg")].every(m=>[...m.querySelectorAll("mark")].map(x=>x.textContent).join("")=="0% red")`, "true")
	b.want(`document.querySelector("#log .msg .fg2.fb").textContent`, "red")
	b.want(`new URLSearchParams(location.search).toString()`, "view=lanes&log=0%25+Red")
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	h.log(run.ID, 20, "flow", "not this")
	h.log(run.ID, 20, "flow", "but 0%% red")
	b.wait(`document.querySelector("#log-count").textContent.trim()=="601 lines match"`)
	b.want(`[...document.querySelectorAll("#log .msg")].pop().textContent`, "but 0% red")
	b.want(`document.querySelector("#log").textContent.includes("not this")`, "false")
	b.js(`document.querySelector("#earlier a").click()`)
	b.wait(`document.querySelectorAll("#log .msg").length==601`)
	b.want(`document.querySelector("#earlier").hidden`, "true")
	b.want(`[...document.querySelectorAll("#log .ln")].every((a,i)=>+a.textContent==i+1)`, "true")
	b.js(`(fetch(document.querySelector("#log-tools a").href).then(r=>r.text()).then(x=>window.saved=x.trim().split("\n").length))`)
	b.wait(`window.saved==601`)
	b.js(`(window.left=true,location.reload())`)
	b.wait(`!window.left && !!window.htmx && document.querySelector("#log-count").textContent.trim()=="601 lines match"`)
	b.want(`document.querySelector("[name=log]").value`, "0% Red")
	search("no such line")
	b.wait(`document.querySelector("#log-none").checkVisibility()`)
	b.want(`document.querySelector("#log-none").textContent.trim()`, "No line matches.")
	b.want(`document.querySelector("#log-count").textContent.trim()`, "0 lines match")
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}

// A page that follows a long log drops lines at its beginning, and keeps the
// way back to them.
func TestLongLogKeepsTheWayBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.etl, "")
	h.act(run.ID)
	b := h.tab(t, browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	h.logs(run.ID, 2600, func(i int) core.LogCreate {
		return core.LogCreate{Name: "flow", Level: 20, Message: fmt.Sprintf("line %d", i+1)}
	})
	b.wait(`[...document.querySelectorAll("#log .msg")].pop()?.textContent=="line 2600"`)
	b.want(`document.querySelectorAll("#log .msg").length`, "2000")
	b.want(`document.querySelector("#earlier").checkVisibility()+document.querySelector("#earlier span").textContent`, "true600 earlier lines")
	b.js(`document.querySelector("#earlier a").click()`)
	b.wait(`document.querySelectorAll("#log .msg").length==2500`)
	b.js(`document.querySelector("#earlier a").click()`)
	b.wait(`document.querySelectorAll("#log .msg").length==2600`)
	b.want(`[...document.querySelectorAll("#log .msg")].every((m,i)=>m.textContent=="line "+(i+1))`, "true")
	b.want(`document.querySelector("#earlier").checkVisibility()`, "false")
}

// A progress bar is the same while one watches and after a reload.
func TestCarriageReturnsLiveAndReloaded(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.etl, "")
	h.act(run.ID)
	b := h.tab(t, browser(t), "/flow-runs/"+run.ID.String(), 1280, 900)
	b.wait(`document.querySelector("#live").dataset.state=="up"`)
	for _, m := range []string{"10%\r50%\r\x1b[32m100%\x1b[0m", "dos\r\nline", "a\tb", " padded ", "\x1b]8;;http://x.test\x1b\\link\x1b]8;;\x1b\\"} {
		h.log(run.ID, 20, "flow", "%s", m)
	}
	b.wait(`document.querySelectorAll("#log .msg").length==5`)
	const shown = `JSON.stringify([...document.querySelectorAll("#log .msg")].map(m=>m.innerHTML))`
	live := b.js(shown)
	if want := `["<span class=\"fg3\">100%</span>","dos\nline","a\tb"," padded ","link"]`; live != want {
		t.Errorf("%s, want %s", live, want)
	}
	b.goTo("/flow-runs/" + run.ID.String())
	b.want(shown, live)
}

// The log of a task run loads earlier lines, too.
func TestTaskRunLogLoadsEarlierLines(t *testing.T) {
	t.Parallel()
	h := open(t)
	run := h.create(h.etl, "")
	task := h.task(h.act(run.ID), run.ID, "load", 0, h.now(), 1e9, core.Completed)
	list := make([]core.LogCreate, 700)
	for i := range list {
		list[i] = core.LogCreate{Name: "load", Level: 20, Message: fmt.Sprintf("line %d", i+1), Timestamp: h.now(), FlowRunID: run.ID, TaskRunID: task}
	}
	h.check(h.svc.WriteLogs(t.Context(), list))
	b := h.tab(t, browser(t), "/task-runs/"+task.String(), 1280, 900)
	b.js(`document.querySelector("#earlier a").click()`)
	b.wait(`document.querySelectorAll("#log .msg").length==700`)
	b.want(`[...document.querySelectorAll("#log .msg")].every((m,i)=>m.textContent=="line "+(i+1))`, "true")
	if p := b.problems(); len(p) > 0 {
		t.Error("console:", p)
	}
}
