package ui_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// reversed is a name that would turn around what stands after it.
const reversed = "abc\u202edef\u2066ghi\u200f\u061c"

// reversedPages fills the server with things of that name, and returns the pages
// that show them.
func reversedPages(h *uitest.Fixture) []string {
	ctx := h.T.Context()
	name := reversed
	h.Check(h.Service.RegisterBlocks(ctx))
	h.Must(h.Service.CreateWorkPool(ctx, core.WorkPoolCreate{Name: name, Type: "process", Description: &name}))
	h.Check(h.Service.Heartbeat(ctx, name, core.WorkerHeartbeat{Name: name}))
	queue, err := h.Service.CreateWorkQueue(ctx, name, core.WorkQueueCreate{Name: name, Description: &name})
	h.Check(err)
	f, err := h.Service.CreateFlow(ctx, core.FlowCreate{Name: name, Tags: core.Tags{name}})
	h.Check(err)
	parameters := core.ToJSON(map[string]any{name: name})
	d, err := h.Service.CreateDeployment(ctx, core.DeploymentCreate{Name: name, FlowID: f.ID, WorkPoolName: core.Some(name), Tags: core.Some(core.Tags{name}),
		Description: core.Some(name), Version: core.Some(name), Entrypoint: core.Some(name), EnforceParameterSchema: core.Some(false), Parameters: core.Some(parameters),
		ParameterOpenAPISchema: core.Some(core.ToJSON(map[string]any{"type": "object", "properties": map[string]any{name: map[string]any{"enum": []string{name, "b"}, "title": name, "description": name}}}))})
	h.Check(err)
	run, err := h.Service.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{Name: name, Tags: core.Tags{name}, Parameters: parameters})
	h.Check(err)
	act := h.Act(run.ID)
	task := h.Task(act, run.ID, name, 0, h.Now(), 1e9, core.Failed)
	h.Log(run.ID, 20, name, "%s", name)
	h.Artifact("key", "markdown", core.ToJSON("# "+name+" &#8238; | "+name), run.ID)
	h.Artifact("rows", "table", core.ToJSON([]map[string]string{{name: name}}), run.ID)
	v := h.Variable("value", string(core.ToJSON(name)), name)
	b := h.BlockOf("json", "block", string(core.ToJSON(map[string]any{"value": map[string]any{name: name}})))
	a, err := h.Service.CreateAutomation(ctx, core.AutomationWrite{Name: name, Description: name, Tags: core.Tags{name}, Actions: []*core.AutomationAction{{Type: "cancel-flow-run"}},
		Trigger: &core.Trigger{Type: core.TriggerEvent, Posture: core.Reactive, Expect: []string{name}, Match: map[string]any{"prefect.resource.id": name}, Threshold: core.Ptr(int64(1))}})
	h.Check(err)
	l := h.Limit("limit", 3, 0)
	h.Must(h.Service.SetTagLimit(ctx, core.TagLimitCreate{Tag: name, Limit: 2}))
	h.Must(h.Service.PutSavedSearch(ctx, core.SavedSearchCreate{Name: name, Filters: []core.SavedSearchFilter{{Property: "tag", Value: core.ToJSON([]string{name})}}}))
	h.Set(act, run.ID, core.StateCreate{Type: core.Failed, Name: name, Message: &name, Data: core.ToJSON(map[string]any{"type": "flowlite", "value": name})})
	r, dep, pool := "/flow-runs/"+run.ID.String(), "/deployments/"+d.ID.String(), "/work-pools/"+url.PathEscape(name)
	q := url.QueryEscape(name)
	return []string{
		r, r + "?view=lanes", r + "/state", r + "/logs", "/task-runs/" + task.String(), dep, dep + "/run", dep + "/run?input=json", dep + "/edit", dep + "/duplicate", dep + "/remove", dep + "/schedules/new",
		"/flows/" + f.ID.String(), pool, pool + "/edit", pool + "/queues/" + queue.ID.String(), "/variables/" + v.ID.String(), "/blocks/" + b.ID.String(), "/blocks/" + b.ID.String() + "?edit=1",
		"/automations/" + a.ID.String(), "/automations/" + a.ID.String() + "/edit", "/concurrency/" + l.ID.String(), "/runs/bulk?do=delete&id=" + run.ID.String(),
		"/dashboard", "/runs?range=all", "/runs?range=all&q=" + q + "&tag=" + q, "/flows", "/deployments", "/work-pools", "/variables", "/blocks", "/automations", "/concurrency", "/artifacts", "/artifacts?view=all", "/events", "/palette?q=abc",
	}
}

// No page lets a name turn around the text beside it: what a reader sees holds
// the codes of the characters that change directions.
func TestNamesKeepTheirDirection(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	paths := reversedPages(h)
	shows := 0
	for _, path := range paths {
		code, body := h.Get(path)
		if code != 200 {
			t.Errorf("%s: %d", path, code)
		}
		page, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(body, "&lt;U+202E&gt;") {
			shows++
		}
		for n := range page.Descendants() {
			for _, text := range shownTexts(n) {
				if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }) {
					t.Errorf("%s: %s shows %q", path, n.Data, text)
				}
			}
		}
	}
	if shows < len(paths)-4 { // some show only values of forms
		t.Errorf("%d of %d pages show the name", shows, len(paths))
	}
}

// shownTexts are the texts of a node that a browser shows or speaks, but for the
// values of forms, which have boxes of their own.
func shownTexts(n *html.Node) (texts []string) {
	if n.Type == html.TextNode && n.Parent.Data != "textarea" && n.Parent.Data != "script" {
		return []string{n.Data}
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "title", "aria-label", "aria-description", "alt", "placeholder", "label", "hx-confirm":
			texts = append(texts, a.Val)
		}
	}
	return texts
}

// Text after a hostile name stands to the right of it.
func TestTextAfterNamesIsInItsPlace(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	run := reversedPages(h)[0]
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	// Each letter of a text stands to the right of the letter before it, unless
	// it begins a line.
	const misplaced = `(()=>{const bad=[];let seen=0;const w=document.createTreeWalker(document.querySelector("main"),NodeFilter.SHOW_TEXT);
for(let n;n=w.nextNode();){if(!n.data.includes("abc"))continue;let last=null;
for(let i=0;i<n.data.length;i++){const r=document.createRange();r.setStart(n,i);r.setEnd(n,i+1);const x=r.getBoundingClientRect();if(!x.width)continue;seen++;
if(last&&Math.abs(x.top-last.top)<2&&x.left<last.left-.5)bad.push(n.data);last=x}
const e=n.parentElement.nextElementSibling,next=e&&getComputedStyle(e).display==="inline"?e.getBoundingClientRect():null;if(next?.width&&last&&Math.abs(next.top-last.top)<2&&next.left<last.left-.5)bad.push("after "+n.data)}
return seen?[...new Set(bad)].join(" | ")||"none":"no name"})()`
	for _, path := range []string{run, "/runs?range=all", "/deployments"} {
		b.GoTo(path)
		b.Want(misplaced, "none")
	}
}
