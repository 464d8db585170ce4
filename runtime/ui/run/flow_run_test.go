package run_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/uitest"
)

// The page of a run tells what it was given, what it had by default, what people
// answered, and which task a failure came from.
func TestWhatARunWasGiven(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.Adder, `{"a":1}`)
	_, body := h.Get("/flow-runs/" + run.ID.String())
	uitest.Contains(t, body, "Not given; the defaults of the flow", `&#34;label&#34;`)
	ctx := h.Act(run.ID)
	h.Task(ctx, run.ID, "add", 0, h.Now().Add(-time.Second), time.Second, core.Failed)
	h.Must(h.Service.SetFlowRunState(ctx, run.ID, core.StateCreate{Type: core.Failed, Message: core.Ptr("it broke")}, false))
	_, body = h.Get("/flow-runs/" + run.ID.String())
	uitest.Contains(t, body, "it broke", "Last task run to fail: ", ">add-0</a>", "It wrote no lines.")

	asked := h.Create(h.Approval, "")
	h.Pause(h.Act(asked.ID), asked.ID)
	h.Check(h.Store.Write(t.Context(), func(tx core.Tx) error {
		return tx.InsertFlowRunInput(t.Context(), &core.FlowRunInput{ID: core.NewID(), Created: core.Now(), Updated: core.Now(), FlowRunID: asked.ID, Key: "paused-1-response", Value: `{"approved": true, "note": "by me"}`})
	}))
	_, body = h.Get("/flow-runs/" + asked.ID.String())
	uitest.Contains(t, body, `id="h-ans">Answer`, "by me")
}

// A durable sleep has its bar from where it began, and says when it ends.
func TestSleepsAreSeen(t *testing.T) {
	h := uitest.Open(t)
	run := h.Create(h.ETL, "")
	ctx := h.Act(run.ID)
	now := h.Now()
	wake := now.Add(time.Hour)
	sleep := &core.TaskRun{ID: core.NewID(), Created: now, Updated: now, Name: "sleep-0", FlowRunID: run.ID, TaskKey: "sleep", DynamicKey: "0", ExpectedStartTime: now.Add(-9 * time.Second), NextScheduledStartTime: wake}
	s := &core.State{ID: core.NewID(), Type: core.Scheduled, Name: "Sleeping", Timestamp: now, Details: core.StateDetails{ScheduledTime: wake, FlowRunID: run.ID, TaskRunID: sleep.ID}}
	h.Check(h.Service.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: sleep, States: []*core.State{s}}}))
	_, body := h.Get("/flow-runs/" + run.ID.String())
	uitest.Contains(t, body, "sleeps until "+wake.Time().UTC().Format("15:04:05"))
	if strings.Contains(body, "Scheduled, not started") {
		t.Error("it is told as not started")
	}
}

// Sentences of the API have their times in the reader's zone.
func TestTimesOfSentences(t *testing.T) {
	h := uitest.Open(t)
	at := core.TimeFrom(time.Date(2031, 1, 2, 21, 30, 0, 0, time.UTC))
	run, err := h.Service.CreateDeploymentFlowRun(t.Context(), h.ETL.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: at}}})
	h.Check(err)
	r := httptest.NewRequest("GET", "/flow-runs/"+run.ID.String(), nil)
	r.Header.Set("Cookie", "fl_tz=America%2FNew_York")
	w := httptest.NewRecorder()
	h.UI.ServeHTTP(w, r)
	body := w.Body.String()
	banner := body[strings.Index(body, `id="banner"`):]
	banner = banner[:strings.Index(banner, `id="timeline"`)]
	uitest.Contains(t, banner, "2 Jan 2031, 16:30:00 EST")
	if strings.Contains(banner, "2031-01-02T21:30:00Z") {
		t.Error("a raw time is left")
	}
}
