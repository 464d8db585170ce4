package ui_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// hostile is a name that means harm: markup, quotes, script addresses, text
// from right to left, controls, and thousands of letters.
var hostile = []string{
	`<script>window.hacked=1</script>`, `"><img src=x onerror=window.hacked=1>`, `' autofocus onfocus='window.hacked=1`, `javascript:window.hacked=1`,
	"\u202Eevil\u202C \u0645\u0631\u062D\u0628\u0627 \u05E9\u05DC\u05D5\u05DD", `${hacked} {{hacked}} %3Cscript%3E \x3cscript\x3e`, "a\tb\r\nc\u2028d", `hx-get="/x" hx-trigger="load"`, strings.Repeat("W", 1_200),
}

// clean is the name as far as flows and their like may be called so.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("/%&><", r) {
			return -1
		}
		return r
	}, s)
}

// Whatever somebody calls, logs or returns is text on every page: it makes no
// element, no attribute and no script, and nothing wider than the window.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	pages := []string{"/dashboard", "/runs", "/runs?range=all&sort=name", "/flows", "/deployments", "/work-pools", "/palette?q=a"}
	seen := pages // what the browser looks at: the lists, and the pages of two names
	for i, evil := range hostile {
		mine := hostilePages(h, i, evil)
		pages = append(pages, mine...)
		switch i {
		case 1:
			seen = append(slices.Clip(seen), mine...)
		case len(hostile) - 1: // the longest: Chromium lays each such page out for seconds
			seen = append(slices.Clip(seen), mine[0], mine[5], mine[9])
		}
		for _, k := range []string{"tag", "flow", "pool", "q"} {
			if len(evil) < 1000 {
				pages = append(pages, "/runs?range=all&"+k+"="+url.QueryEscape(evil), "/dashboard?"+k+"="+url.QueryEscape(evil), "/deployments?"+k+"="+url.QueryEscape(evil))
			}
		}
		refuseHostile(t, h, mine[5], evil)
	}
	for _, p := range pages {
		code, body := h.Get(p)
		if code != 200 {
			t.Errorf("%.80s: %d", p, code)
		}
		if m := bad.FindString(body); m != "" {
			t.Errorf("%.80s: %q came through", p, m)
		}
	}
	lookAt(h.Tab(t, uitest.Browser(t), "/palette", 1280, 900), seen)
}

// hostilePages makes one of everything that is called so, and returns its pages:
// the run's first, and the deployment's sixth.
func hostilePages(h *uitest.Fixture, i int, evil string) []string {
	h.T.Helper()
	ctx := h.T.Context()
	name := clean(evil)
	pool := fmt.Sprintf("%d%s", i, name)
	h.Must(h.Service.CreateWorkPool(ctx, core.WorkPoolCreate{Name: pool, Type: "process", Description: &evil}))
	h.Check(h.Service.Heartbeat(ctx, pool, core.WorkerHeartbeat{Name: name}))
	f, err := h.Service.CreateFlow(ctx, core.FlowCreate{Name: name, Tags: core.Tags{evil}})
	h.Check(err)
	schema := core.ToJSON(map[string]any{"type": "object", "title": evil, "properties": map[string]any{
		evil: map[string]any{"type": "string", "title": evil, "description": evil, "default": evil, "pattern": "^" + regexp.QuoteMeta(evil)}, "pick": map[string]any{"enum": []string{evil, "b"}, "title": evil},
		"on": map[string]any{"type": "boolean", "x-true-label": evil, "x-false-label": evil}, "of": map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "default": []string{evil}},
	}})
	d, err := h.Service.CreateDeployment(ctx, core.DeploymentCreate{Name: name, FlowID: f.ID, WorkPoolName: core.Some(pool), Tags: core.Some(core.Tags{evil}), Description: core.Some(evil), Version: core.Some(evil), Entrypoint: core.Some(evil),
		ParameterOpenAPISchema: core.Some(schema), Parameters: core.Some(core.ToJSON(map[string]any{evil: evil})), EnforceParameterSchema: core.Some(false), JobVariables: core.Some(core.ToJSON(map[string]any{"name": evil}))})
	h.Check(err)
	run, err := h.Service.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{Name: evil, Tags: core.Tags{evil}, Parameters: core.ToJSON(map[string]any{evil: evil})})
	h.Check(err)
	act := h.Act(run.ID)
	first := h.Task(act, run.ID, evil, 0, h.Now(), 1e9, core.Completed)
	second := h.Task(act, run.ID, evil, 1, h.Now(), 1e9, core.Failed, first)
	h.Log(run.ID, 20, evil, "%s", evil)
	for _, kind := range []string{"markdown", "table", "link", "progress"} {
		word := evil[:min(1000, len(evil))] // Chromium breaks a word of ten thousand letters for seconds
		data := core.ToJSON(word)
		if kind == "table" {
			data = core.ToJSON([]map[string]string{{word: word}})
		}
		h.Must(h.Service.CreateArtifact(act, core.ArtifactCreate{Key: core.Ptr(fmt.Sprintf("key-%d-%s", i, kind)), Type: &kind, Description: &word, Data: data, FlowRunID: run.ID}))
	}
	h.Must(h.Service.PutSavedSearch(ctx, core.SavedSearchCreate{Name: evil, Filters: []core.SavedSearchFilter{{Property: "tag", Value: core.ToJSON([]string{evil})}}}))
	h.Set(act, run.ID, core.StateCreate{Type: core.Failed, Message: &evil, Data: core.ToJSON(map[string]any{"type": "flowlite", "value": evil})})
	path := "/flow-runs/" + run.ID.String()
	dep := "/deployments/" + d.ID.String()
	return []string{path, path + "?view=lanes", path + "/state", "/task-runs/" + second.String(), "/flows/" + f.ID.String(), dep, dep + "/run", dep + "/run?from=" + run.ID.String(), dep + "/run?input=json", dep + "/edit", dep + "/duplicate", dep + "/remove",
		dep + "/schedules/new", "/work-pools/" + url.PathEscape(pool), "/runs/bulk?do=delete&id=" + run.ID.String()}
}

// refuseHostile posts the name where it is not accepted; it comes back as text.
func refuseHostile(t *testing.T, h *uitest.Fixture, dep, evil string) {
	t.Helper()
	w := h.Post(dep+"/edit", url.Values{"limit": {evil}, "tags": {evil}, "description": {evil}, "job_variables": {evil}})
	if w.Code != 422 || bad.MatchString(w.Body.String()) {
		t.Errorf("%.30q refused: %d", evil, w.Code)
	}
	if w = h.Post(dep+"/run?input=json", url.Values{"raw": {evil}, "run_name": {evil}}); w.Code != 422 || bad.MatchString(w.Body.String()) {
		t.Errorf("%.30q refused: %d", evil, w.Code)
	}
}

// lookAt opens the pages in the browser: nothing of a name became an element or
// ran, and nothing is wider than the window.
func lookAt(b *uitest.Tab, paths []string) {
	b.T.Helper()
	for _, p := range paths {
		b.GoTo(p)
		b.Want(`String(window.hacked)+document.querySelectorAll("main script,main img,[onerror],[onfocus],main [autofocus]:not(.esum),a[href^='javascript:']").length`, "undefined0")
		for _, width := range []int64{390, 1280} {
			b.Size(width, 900)
			b.Wait(fmt.Sprintf("innerWidth==%d", width))
			if w := b.JS(`document.documentElement.scrollWidth-innerWidth`); !strings.HasPrefix(w, "-") && w != "0" {
				b.T.Errorf("%.80s is %s px too wide at %d: %s", p, w, width, b.JS(`[...document.querySelectorAll("body *")].filter(e=>e.getBoundingClientRect().right>innerWidth+1&&!e.closest(".tl,.logbox,.json,.scroll")).slice(0,3).map(e=>e.tagName+"."+e.className+" in "+e.parentElement.className).join(" | ")`))
			}
		}
	}
	for _, m := range b.Problems() {
		b.T.Error("console:", m)
	}
}

// bad is markup of a hostile name that was not made text.
var bad = regexp.MustCompile(`<script>window|<img src=x|<[^>]* onfocus='|href="javascript:|<[^>"]* hx-get="/x"`)
