package run_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

func TestApproval(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.Approval, "")
	ctx := h.Act(run.ID)
	h.Pause(ctx, run.ID)
	path := "/flow-runs/" + run.ID.String()
	_, body := h.Get(path)
	uitest.Contains(t, body, "<strong>1,240.50 EUR</strong>", "Approve", "Reject", "RefundDecision", `http-equiv="refresh"`)
	w := h.Post(path+"/resume", url.Values{"note": {"x"}, "amount": {"99"}})
	if w.Code != 422 {
		t.Fatal(w.Code)
	}
	uitest.Contains(t, w.Body.String(), "Choose one.", "At least 10 characters", `value="99"`)
	answer := url.Values{"note": {"delivered nine days late"}, "approved": {"true"}, "amount": {"99.5"}, "method": {"store credit"}}
	w = h.Post(path+"/resume", answer, "HX-Request", "true", "HX-Current-URL", "http://x"+path)
	if w.Code != 200 || h.Run(run.ID).StateType != core.Running {
		t.Fatalf("%d %s %s", w.Code, h.Run(run.ID).StateType, w.Body)
	}
	uitest.Contains(t, w.Body.String(), "#run-head", "#banner", "Resumed")
	in, err := h.Store.FlowRunInput(t.Context(), run.ID, "paused-1-response")
	h.Check(err)
	if v := core.JSON(in.Value).Map(); v["approved"] != true || v["amount"] != json.Number("99.5") || v["method"] != "store credit" {
		t.Error(in.Value)
	}
	if w = h.Post(path+"/resume", answer, "HX-Request", "true"); w.Code != 409 || !strings.Contains(w.Body.String(), "already answered") {
		t.Errorf("second answer: %d %s", w.Code, w.Body)
	}
}

func TestRunPageAndVerbs(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	path := "/flow-runs/" + run.ID.String()
	_, body := h.Get(path)
	uitest.Contains(t, body, "Why this run is not running")
	ctx := h.Act(run.ID)
	first := h.Task(ctx, run.ID, "extract", 0, h.Now(), 2*time.Second, core.Completed)
	bad := h.Task(ctx, run.ID, "load", 0, h.Now(), time.Second, core.Failed, first)
	h.Log(run.ID, 40, "load", "<script>alert(1)</script> failed")
	h.Must(h.Service.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("report"), Type: core.Ptr("markdown"), Data: core.ToJSON("# Hi\n<script>x</script>\n\n|a|b|\n|-|-:|\n|1|2|"), FlowRunID: run.ID}))
	h.Must(h.Service.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("rows"), Type: core.Ptr("table"), Data: core.ToJSON(`[{"name":"eu","rows":3}]`), FlowRunID: run.ID}))
	_, body = h.Get(path)
	uitest.Contains(t, body, "extract-0", "load-0", "1 failed", "&lt;script&gt;alert(1)", "<h3>Hi</h3>", `align="right"`, "eu")
	if strings.Contains(body, "<script>") || strings.Contains(body, " style=") {
		t.Error("raw HTML or a style attribute came through")
	}
	for _, v := range []string{"/timeline", "/timeline?view=lanes", "/timeline?rows=failed", "/logs.txt", "/logs", "/artifacts", "/result"} {
		if code, _ := h.Get(path + v); code != 200 {
			t.Errorf("%s: %d", v, code)
		}
	}
	h.Log(run.ID, 40, "flow", "the disk is full")
	h.Log(run.ID, 20, "flow", "the disk is fine")
	h.Log(run.ID, 40, "flow", "the fan is full")
	if _, body = h.Get(path + "/logs.txt?level=Error&log=disk"); strings.Count(body, "\n") != 1 || !strings.Contains(body, "the disk is full") {
		t.Errorf("the log, as filtered: %q", body)
	}
	_, body = h.Get("/task-runs/" + bad.String())
	uitest.Contains(t, body, "connection refused", "Failed")
	_, body = h.Get("/task-runs/" + first.String())
	uitest.Contains(t, body, "640")
	if w := h.Post(path+"/cancel", nil); w.Code != 303 || h.Run(run.ID).StateType != core.Cancelling {
		t.Errorf("cancel: %d %s", w.Code, h.Run(run.ID).StateType)
	}
	h.Set(ctx, run.ID, core.StateCreate{Type: core.Cancelled})
	if w := h.Post(path+"/fresh", nil); w.Code != 303 || h.Run(run.ID).StateType != core.Scheduled {
		t.Errorf("fresh: %d %s", w.Code, h.Run(run.ID).StateType)
	}
	if w := h.Post(path+"/delete", nil); w.Code != 303 {
		t.Error("delete", w.Code)
	}
	if code, _ := h.Get(path); code != 404 {
		t.Error("still there", code)
	}
}
