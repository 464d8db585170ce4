package ui_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// twice is a run that failed, and two days later was retried and completed:
// extract ran once, load twice, publish in the second attempt alone.
func (h *house) twice() *core.FlowRun {
	h.t.Helper()
	now := core.Now()
	at := now.Add(-49 * time.Hour)
	h.at(at)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	h.task(ctx, run.ID, "extract", 0, at, 9*time.Second, core.Completed)
	load := h.task(ctx, run.ID, "load", 0, at.Add(10*time.Second), 4*time.Second, core.Failed)
	h.at(at.Add(15 * time.Second))
	h.set(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("load-0: connection refused")})
	at = now.Add(-time.Hour)
	h.at(at)
	h.must(h.svc.RetryFlowRun(h.t.Context(), run.ID, false))
	ctx = h.act(run.ID)
	if n := h.run(run.ID).RunCount; n != 2 {
		h.t.Fatal("attempt", n)
	}
	r, err := h.store.TaskRun(h.t.Context(), load)
	h.check(err)
	began, ended := core.StateCreate{Type: core.Running}.State(at.Add(time.Second)), core.StateCreate{Type: core.Completed}.State(at.Add(7*time.Second))
	r.State, r.StateID, r.StateType, r.StateName, r.StateTimestamp = ended, ended.ID, ended.Type, ended.Name, ended.Timestamp
	r.EndTime, r.FlowRunRunCount, r.Updated = ended.Timestamp, 2, ended.Timestamp
	h.check(h.svc.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: r, States: []*core.State{began, ended}}}))
	id := h.task(ctx, run.ID, "publish", 0, at.Add(8*time.Second), 2*time.Second, core.Completed)
	p, err := h.store.TaskRun(h.t.Context(), id)
	h.check(err)
	p.FlowRunRunCount = 2
	h.at(at.Add(11 * time.Second))
	h.complete(ctx, run.ID, "1")
	h.at(0)
	return run
}

var rowName = regexp.MustCompile(`<span class="trunc">([^<]*)</span>`)

func rows(body string) string {
	var out []string
	for _, m := range rowName.FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return strings.Join(out, " ")
}

func TestAttempts(t *testing.T) {
	h := open(t)
	path := "/flow-runs/" + h.twice().ID.String()
	for _, c := range []struct{ query, rows, says string }{
		{"", "extract-0 load-0 publish-0", "3 of 3 task runs done"},
		{"?attempt=1", "extract-0 load-0", "2 of 2 task runs done · 1 failed"},
		{"?attempt=2", "load-0 publish-0", "2 of 2 task runs done"},
		{"?attempt=1&rows=failed", "load-0", "1 failed"},
		{"?attempt=3", "extract-0 load-0 publish-0", "3 of 3"},
	} {
		_, body := h.get(path + "/timeline" + c.query)
		text := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " ")
		if got := rows(body); got != c.rows || !strings.Contains(text, c.says) {
			t.Errorf("%s: rows %q, want %q; and %q in %.200s", c.query, got, c.rows, c.says, text)
		}
		contains(t, body, "All attempts", "attempt=2")
	}
	_, body := h.get(path + "/timeline?attempt=2")
	contains(t, body, "view=lanes", "attempt=2&amp;view=lanes", "rows=failed")
	if strings.Contains(body, "⋯") {
		t.Error("the axis of one attempt should have no gap of two days")
	}
	_, body = h.get(path + "/timeline")
	contains(t, body, "⋯") // the two days are squeezed
	_, body = h.get("/flow-runs/" + h.create(h.etl, "").ID.String())
	if strings.Contains(body, "All attempts") {
		t.Error("a run of one attempt has no choice")
	}
}
