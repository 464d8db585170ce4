package ui_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui"
)

// Commands name the server where the command line would not find it, and never
// what somebody made up as a host.
func TestCommandsNameTheServer(t *testing.T) {
	h := open(t)
	for _, c := range []struct{ host, proto, forwarded, public, want string }{
		{"127.0.0.1:4200", "", "", "", ""},
		{"localhost:4200", "", "", "", ""},
		{"127.0.0.1:4311", "", "", "", " --api-url http://127.0.0.1:4311/api"},
		{"inner", "https, http", "flows.example.com, inner", "", " --api-url https://flows.example.com/api"},
		{"[::1]:4200", "", "", "", " --api-url http://[::1]:4200/api"},
		{"a;rm", "", "", "", ""},
		{"inner", "", "x$(id)", "", ""},
		{"inner", "", "", "https://public.example.com/flow", " --api-url https://public.example.com/flow/api"},
	} {
		u := ui.New(ui.Config{Service: h.svc, Store: h.store, Version: "0", PublicURL: c.public})
		r := httptest.NewRequest("GET", "/automations", nil)
		r.Host = c.host
		r.Header.Set("X-Forwarded-Proto", c.proto)
		r.Header.Set("X-Forwarded-Host", c.forwarded)
		w := httptest.NewRecorder()
		u.ServeHTTP(w, r)
		if want := `data-copy="flowlite automation ls` + c.want + `"`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("%+v: the page lacks %s", c, want)
		}
	}
}

// A run that is planned is found by its name, and stands on its deployment's page.
func TestPlannedRunsAreFound(t *testing.T) {
	h := open(t)
	_, err := h.svc.CreateDeploymentFlowRun(t.Context(), h.etl.ID, core.DeploymentFlowRunCreate{Name: "tomorrow-night",
		State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: core.Now().Add(30 * time.Hour)}}})
	h.check(err)
	for _, path := range []string{"/runs?q=tomorrow", "/runs?q=tomorrow&range=all", "/deployments/" + h.etl.ID.String()} {
		_, body := h.get(path)
		contains(t, body, "tomorrow-night")
	}
	_, body := h.get("/deployments/" + h.etl.ID.String())
	contains(t, body, `id="h-pl">Planned`, "in 29 h")
	if _, body = h.get("/runs"); strings.Contains(body, "tomorrow-night") {
		t.Error("a planned run is listed among those that ran")
	}
}

// A durable sleep has its bar from where it began, and says when it ends.
func TestSleepsAreSeen(t *testing.T) {
	h := open(t)
	run := h.create(h.etl, "")
	ctx := h.act(run.ID)
	now := h.now()
	wake := now.Add(time.Hour)
	sleep := &core.TaskRun{ID: core.NewID(), Created: now, Updated: now, Name: "sleep-0", FlowRunID: run.ID, TaskKey: "sleep", DynamicKey: "0", ExpectedStartTime: now.Add(-9 * time.Second), NextScheduledStartTime: wake}
	s := &core.State{ID: core.NewID(), Type: core.Scheduled, Name: "Sleeping", Timestamp: now, Details: core.StateDetails{ScheduledTime: wake, FlowRunID: run.ID, TaskRunID: sleep.ID}}
	h.check(h.svc.RecordTaskRuns(ctx, []*core.TaskRunReport{{TaskRun: sleep, States: []*core.State{s}}}))
	_, body := h.get("/flow-runs/" + run.ID.String())
	contains(t, body, "sleeps until "+wake.Time().UTC().Format("15:04:05"), `aria-hidden="true"`)
	if strings.Contains(body, "Scheduled, not started") {
		t.Error("it is told as not started")
	}
}

// Sentences of the API have their times in the reader's zone.
func TestTimesOfSentences(t *testing.T) {
	h := open(t)
	at := core.At(time.Date(2031, 1, 2, 21, 30, 0, 0, time.UTC))
	run, err := h.svc.CreateDeploymentFlowRun(t.Context(), h.etl.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled, Details: core.StateDetails{ScheduledTime: at}}})
	h.check(err)
	r := httptest.NewRequest("GET", "/flow-runs/"+run.ID.String(), nil)
	r.Header.Set("Cookie", "fl_tz=America%2FNew_York")
	w := httptest.NewRecorder()
	h.ui.ServeHTTP(w, r)
	body := w.Body.String()
	banner := body[strings.Index(body, `id="banner"`):]
	banner = banner[:strings.Index(banner, `id="timeline"`)]
	contains(t, banner, "2 Jan 2031, 16:30:00 EST")
	if strings.Contains(banner, "2031-01-02T21:30:00Z") {
		t.Error("a raw time is left")
	}
}
