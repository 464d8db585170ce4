package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// Many tags, and long ones, leave the other columns of every list their room.
func TestTagsSqueezeNoColumn(t *testing.T) {
	t.Parallel()
	h := uitest.Open(t)
	ctx := t.Context()
	many := core.Tags{strings.Repeat("long", 60), "with some words in it that could be broken between lines"}
	for i := range 25 {
		many = append(many, fmt.Sprintf("tag-number-%d", i))
	}
	f, err := h.Service.CreateFlow(ctx, core.FlowCreate{Name: "tagged", Tags: many})
	h.Check(err)
	d, err := h.Service.CreateDeployment(ctx, core.DeploymentCreate{Name: "dep", FlowID: f.ID, WorkPoolName: core.Some("default"), Tags: core.Some(many), EnforceParameterSchema: core.Some(false)})
	h.Check(err)
	for range 3 {
		h.Must(h.Service.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{Name: "a-run-with-tags", Tags: many}))
	}
	run := h.Create(h.ETL, "")
	h.Variable("tagged", `"value"`, many...)
	for _, tag := range many[:6] {
		h.Must(h.Service.SetTagLimit(ctx, core.TagLimitCreate{Tag: tag, Limit: 2}))
	}
	act := h.Act(run.ID)
	h.Task(act, run.ID, "step", 0, h.Now(), 1e9, core.Completed)
	b := h.Tab(t, uitest.Browser(t), "/palette", 1280, 900)
	for _, path := range []string{"/runs?range=all", "/deployments", "/variables", "/flows", "/events", "/concurrency", "/dashboard", "/flows/" + f.ID.String(), "/deployments/" + d.ID.String()} {
		for _, width := range []int64{1280, 900, 390, 320} {
			b.Size(width, 900)
			b.GoTo(path)
			b.Wait(fmt.Sprintf(`innerWidth==%d||screen.width==%d`, width, width))
			b.Want(`document.documentElement.scrollWidth<=innerWidth&&innerWidth<=`+fmt.Sprint(width), "true")
			// A row is a few lines high, and no word of its first columns is broken.
			b.Want(`[...document.querySelectorAll("main .tbl tbody tr, main .list>li, main .feed>li")].filter(r=>r.getBoundingClientRect().height>130).map(r=>r.textContent.trim().slice(0,40)+" "+r.getBoundingClientRect().height).join()`, "")
			b.Want(`[...document.querySelectorAll("main .tbl tbody td .t")].filter(e=>e.checkVisibility()&&!e.closest(".tags")&&e.textContent.length<20&&e.getClientRects().length>1).map(e=>e.textContent).join()`, "")
		}
	}
}
