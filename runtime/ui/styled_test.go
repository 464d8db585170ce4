package ui_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// ansi is what a program writes to a terminal: colors, a link and a title.
const ansi = "\x1b[1;31mRED\x1b[0m \x1b]8;;javascript:alert(1)\x1b\\linked\x1b]8;;\x1b\\\x1b]0;title\a \x1b[38;2;0;205;0mgreen\x1b[39m \u009b4munder\x1b[24m \x1b[2K\x1b[1Aend"

// kept are the places that must give back what they were given, byte for byte.
var kept = regexp.MustCompile(`(?s) (?:value|data-copy|data-default|action|href|hx-get|hx-post|hx-sse:connect)="[^"]*"|<textarea.*?</textarea>`)

// No escape sequence reaches a page: its text is shown, and in logs and messages
// its colors.
func TestTerminalOutputOnPages(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	ctx := t.Context()
	f, err := h.Service.CreateFlow(ctx, core.FlowCreate{Name: "colored", Tags: core.Tags{ansi}})
	h.Check(err)
	d, err := h.Service.CreateDeployment(ctx, core.DeploymentCreate{Name: "dep", FlowID: f.ID, WorkPoolName: core.Some("default"), Tags: core.Some(core.Tags{ansi}), Description: core.Some(ansi), Version: core.Some(ansi), EnforceParameterSchema: core.Some(false)})
	h.Check(err)
	run, err := h.Service.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{Name: ansi, Tags: core.Tags{ansi}})
	h.Check(err)
	act := h.Act(run.ID)
	task := h.Task(act, run.ID, ansi, 0, h.Now(), 1e9, core.Failed)
	h.Log(run.ID, 20, ansi, "%s", ansi)
	var ids []string
	for kind, data := range map[string]core.JSON{"markdown": core.ToJSON(ansi), "table": core.ToJSON([]map[string]string{{"a": ansi}}), "link": core.ToJSON(ansi), "result": core.ToJSON(ansi)} {
		for range 2 {
			a, err := h.Service.CreateArtifact(act, core.ArtifactCreate{Key: core.Ptr("key-" + kind), Type: &kind, Description: core.Ptr(ansi), Data: data, FlowRunID: run.ID, TaskRunID: task})
			h.Check(err)
			ids = append(ids, a.ID.String())
		}
	}
	h.Set(act, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr(ansi)})
	h.Must(h.Service.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "colors", Type: "process", Description: core.Ptr(ansi)}))
	h.Variable("colors", string(core.ToJSON(ansi)), ansi)
	path, dep := "/flow-runs/"+run.ID.String(), "/deployments/"+d.ID.String()
	pages := []string{
		"/dashboard", "/runs", "/flows", "/deployments", "/work-pools", "/variables", "/artifacts", "/artifacts?view=all", "/events", "/palette?q=red", "/work-pools/colors",
		path, path + "?view=lanes", path + "/state", "/task-runs/" + task.String(), "/flows/" + f.ID.String(), dep, dep + "/run", dep + "/edit", dep + "/remove", "/runs/bulk?do=delete&id=" + run.ID.String(),
		"/deployments?tag=" + url.QueryEscape(ansi), "/runs?tag=" + url.QueryEscape(ansi),
	}
	for i, id := range ids {
		pages = append(pages, "/artifacts/"+id, "/artifacts/"+id+"?with="+ids[i^1])
	}
	for _, p := range pages {
		code, body := h.Get(p)
		if code != 200 {
			t.Errorf("%.80s: %d", p, code)
		}
		body = kept.ReplaceAllString(html.UnescapeString(kept.ReplaceAllString(body, "")), "")
		if i := strings.IndexAny(body, "\x1b\a"); i >= 0 {
			t.Errorf("%.80s: %q", p, body[max(0, i-120):min(len(body), i+40)])
		}
		if strings.Contains(body, "alert(1)") && !strings.Contains(body, `\u001b]8;;javascript:alert(1)`) {
			t.Errorf("%.80s has the address of a link", p)
		}
	}
	const want = `<span class="fg2 fb">RED</span> linked <span class="fg3">green</span> <span class="fu">under</span> end`
	if _, body := h.Get(path); strings.Count(body, want) != 2 {
		t.Error("log and message have no colors")
	}
}
