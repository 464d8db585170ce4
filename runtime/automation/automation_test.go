package automation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/local/localtest"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/orchestrate"
	"github.com/flowlite/flowlite/runtime/template/jinja"
)

func fired(h *localtest.Fixture, want int) {
	h.T.Helper()
	if got := len(h.Stored("prefect.automation.triggered")); got != want {
		h.T.Fatalf("fired %d times, want %d", got, want)
	}
}

func TestAutomationFires(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		a := localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x.y"],"match":{"prefect.resource.id":"thing.*"}}`, `{"type":"do-nothing"}`)))(t)
		h.Emit(&core.Event{Event: "x.y"}, &core.Event{Event: "other"}, &core.Event{Event: "x.y", Resource: map[string]string{"prefect.resource.id": "elsewhere"}})
		h.Round()
		h.Round()
		fired(h, 1)
		e := h.Stored("prefect.automation.triggered")[0]
		if e.ResourceID() != a.Resource() || e.Resource["prefect.posture"] != "Reactive" || e.Related[0]["prefect.resource.role"] != "triggering-event" {
			t.Errorf("triggered: %+v", e)
		}
		begun, done := h.Stored("prefect.automation.action.triggered"), h.Stored("prefect.automation.action.executed")
		if len(begun) != 1 || len(done) != 1 || done[0].Follows != begun[0].ID || done[0].Resource["prefect.trigger-type"] != "event" {
			t.Errorf("acted: %v %v", begun, done)
		}
		if err := h.UpdateAutomation(h.Ctx, a.ID, core.AutomationUpdate{Enabled: core.Some(false)}); err != nil {
			t.Fatal(err)
		}
		h.Emit(&core.Event{Event: "x.y"})
		h.Round()
		fired(h, 1)
		if err := h.DeleteAutomation(h.Ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		h.Emit(&core.Event{Event: "x.y"})
		h.Round()
		fired(h, 1)
	})
}

func TestProactiveFiresOncePerSpan(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Proactive","expect":["beat"],"within":10}`, `{"type":"do-nothing"}`)))(t)
		h.Later(9 * time.Second)
		h.Round()
		fired(h, 0)
		h.Later(2 * time.Second)
		h.Round()
		h.Round()
		fired(h, 1)
		h.Emit(&core.Event{Event: "beat"})
		h.Later(11 * time.Second)
		h.Round()
		fired(h, 1)
		h.Later(11 * time.Second)
		h.Round()
		fired(h, 2)
	})
}

func TestCompoundAndSequence(t *testing.T) {
	one := func(name string) string {
		return fmt.Sprintf(`{"type":"event","posture":"Reactive","expect":[%q]}`, name)
	}
	both := one("a") + "," + one("b")
	for _, c := range []struct {
		trigger, play string
		want          int
	}{
		{`{"type":"compound","require":"all","within":60,"triggers":[` + both + `]}`, "a b", 1},
		{`{"type":"compound","require":"all","within":60,"triggers":[` + both + `]}`, "b a", 1},
		{`{"type":"compound","require":"all","within":60,"triggers":[` + both + `]}`, "a a", 0},
		{`{"type":"compound","require":"all","within":60,"triggers":[` + both + `]}`, "a b a b", 2},
		{`{"type":"compound","require":"all","within":60,"triggers":[` + both + `]}`, "a wait b", 0},
		{`{"type":"compound","require":"any","within":60,"triggers":[` + both + `]}`, "b", 1},
		{`{"type":"compound","require":1,"within":60,"triggers":[` + both + `]}`, "b a", 2},
		{`{"type":"sequence","within":60,"triggers":[` + both + `]}`, "a b", 1},
		{`{"type":"sequence","within":60,"triggers":[` + both + `]}`, "b a", 0},
		{`{"type":"sequence","within":60,"triggers":[` + both + `]}`, "b a b", 1},
		{`{"type":"sequence","within":60,"triggers":[{"type":"compound","require":"any","within":60,"triggers":[` + both + `]},` + one("c") + `]}`, "b c", 1},
	} {
		h := localtest.Open(t, "sqlite::memory:")
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(c.trigger, `{"type":"do-nothing"}`)))(t)
		for step := range strings.FieldsSeq(c.play) {
			if step == "wait" {
				h.Later(2 * time.Minute)
				continue
			}
			h.Emit(&core.Event{Event: step})
			h.Round()
		}
		if got := len(h.Stored("prefect.automation.triggered")); got != c.want {
			t.Errorf("%s: %s fired %d times, want %d", c.trigger[:30], c.play, got, c.want)
		}
	}
}

// A failed run sets a deployment going, with its name in the parameters.
func TestRunDeploymentAction(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed(func(c *core.DeploymentCreate) {
			c.ParameterOpenAPISchema = core.Some(core.JSON(`{"type":"object","properties":{"why":{"type":"string"},"n":{"type":"integer"}}}`))
		})
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["prefect.flow-run.Failed"],"match_related":{"prefect.resource.role":"flow","prefect.resource.name":"f"}}`,
			`{"type":"run-deployment","source":"selected","deployment_id":"`+d.ID.String()+`","parameters":{"why":"{{ flow_run.name }} {{ flow_run.state.name }} of {{ flow.name }} {{ event.resource.name }} {{ automation.name }}","n":{"__prefect_kind":"json","value":{"__prefect_kind":"jinja","template":"{{ 1 + 1 }}"}}}}`,
			`{"type":"run-deployment","source":"inferred"}`)))(t)
		run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID, Name: "broken"}))(t)
		h.Set(run.ID, core.Running, core.Accept)
		h.Set(run.ID, core.Failed, core.Accept)
		h.Round()
		runs := localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: &core.IDFilter{Any: []core.UUID{d.ID}}}}, core.Page{}))(t)
		if len(runs) != 1 {
			t.Fatalf("%d runs of the deployment, want 1", len(runs))
		}
		if got := string(runs[0].Parameters); !strings.Contains(got, "broken Failed of f broken a") || !strings.Contains(got, `"n":2`) && !strings.Contains(got, `"n": 2`) {
			t.Errorf("parameters %s", got)
		}
		if by := runs[0].CreatedBy; by == nil || core.Deref(by.Type) != "AUTOMATION" {
			t.Errorf("created by %+v", by)
		}
		bad := h.Stored("prefect.automation.action.failed")
		if len(bad) != 1 || bad[0].Payload.Map()["reason"] != "No deployment could be inferred" {
			t.Errorf("failed: %v", bad)
		}
	})
}

// awayStore cannot answer for a while what a template asks.
type awayStore struct {
	core.Store
	times atomic.Int64
}

func (s *awayStore) FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error) {
	if s.times.Add(-1) >= 0 {
		return nil, core.Errorf(core.EUnavailable, "the database cannot answer: unexpected EOF")
	}
	return s.Store.FlowRun(ctx, id)
}

// A restart of the database in the middle of an action is not the action's failure.
func TestActionOutlastsTheDatabase(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	d := h.Deployed()
	localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["prefect.flow-run.Completed"]}`,
		`{"type":"run-deployment","source":"selected","deployment_id":"`+d.ID.String()+`","parameters":{"of":"{{ flow_run.id }}"}}`)))(t)
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(t)
	h.Set(run.ID, core.Running, core.Accept)
	h.Set(run.ID, core.Completed, core.Accept)
	localtest.Must(h.EvaluateAutomations(h.Ctx))(t)
	away := &awayStore{Store: h.Store}
	away.times.Store(2)
	other := local.New(local.Config{Templates: jinja.New(), Store: away, Bus: h.Bus, Sealer: h.Sealer, Log: slog.New(slog.DiscardHandler), Results: orchestrate.DirResults(t.TempDir())})
	localtest.Must(other.DoActions(h.Ctx))(t)
	runs := localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{FlowRuns: &core.FlowRunFilter{DeploymentID: &core.IDFilter{Any: []core.UUID{d.ID}}}}, core.Page{}))(t)
	if len(runs) != 1 || !strings.Contains(string(runs[0].Parameters), run.ID.String()) {
		t.Errorf("%d runs, want 1 of %s: %v", len(runs), run.ID, h.Stored("prefect.automation.action.failed"))
	}
}

// hangStore never answers what a template asks, as if the process died there.
type hangStore struct {
	core.Store
	reached chan struct{}
	until   chan struct{}
}

func (s *hangStore) FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error) {
	s.reached <- struct{}{}
	<-s.until
	return nil, context.Canceled
}

// reports sets off an automation that renders a template in its one action.
func reports(h *localtest.Fixture) (deployment *core.Deployment) {
	d := h.Deployed()
	localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["prefect.flow-run.Completed"]}`,
		`{"type":"run-deployment","source":"selected","deployment_id":"`+d.ID.String()+`","parameters":{"of":"{{ flow_run.id }}"}}`)))(h.T)
	run := localtest.Must(h.CreateFlowRun(h.Ctx, core.FlowRunCreate{FlowID: h.Flow().ID}))(h.T)
	h.Set(run.ID, core.Running, core.Accept)
	h.Set(run.ID, core.Completed, core.Accept)
	localtest.Must(h.EvaluateAutomations(h.Ctx))(h.T)
	return d
}

func peer(h *localtest.Fixture, store core.Store) *local.Service {
	return local.New(local.Config{Templates: jinja.New(), Store: store, Bus: h.Bus, Sealer: h.Sealer, Log: slog.New(slog.DiscardHandler),
		Results: orchestrate.DirResults(h.T.TempDir()), Now: h.Now})
}

func runsOf(h *localtest.Fixture, d *core.Deployment) []*core.FlowRun {
	of := &core.FlowRunFilter{DeploymentID: &core.IDFilter{Any: []core.UUID{d.ID}}}
	return localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{FlowRuns: of}, core.Page{}))(h.T)
}

// An action in which three servers died is not begun a fourth time.
func TestActionIsParkedAfterThreeDeaths(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := reports(h)
		hang := &hangStore{Store: h.Store, reached: make(chan struct{}), until: make(chan struct{})}
		var dead sync.WaitGroup
		defer dead.Wait()
		defer close(hang.until)
		for range 3 {
			dead.Go(func() { _, _ = peer(h, hang).DoActions(context.Background()) })
			<-hang.reached
			h.Later(2 * time.Minute)
		}
		if bad := h.Stored("prefect.automation.action.failed"); len(bad) > 0 {
			t.Fatalf("failed after three interruptions already: %s", bad[0].Payload)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = peer(h, hang).DoActions(context.Background())
		}()
		select {
		case <-hang.reached:
			t.Error("the action began a fourth time")
		case <-done:
		}
		bad := h.Stored("prefect.automation.action.failed")
		if len(bad) != 1 || !strings.Contains(fmt.Sprint(bad[0].Payload.Map()["reason"]), "interrupted 3 times") {
			t.Errorf("failed: %v", bad)
		}
		if left := localtest.Must(h.Store.DueActions(h.Ctx, h.Now().Add(time.Hour), 10))(t); len(left) > 0 || len(runsOf(h, d)) > 0 {
			t.Errorf("%d actions are due still, %d runs", len(left), len(runsOf(h, d)))
		}
	})
}

// A server that stops in the midst of an action, and a database that is away,
// give the claim back: that is no interruption.
func TestActionIsReturned(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := reports(h)
		for range 5 {
			hang := &hangStore{Store: h.Store, reached: make(chan struct{}), until: make(chan struct{})}
			ctx, stop := context.WithCancel(h.Ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = peer(h, hang).DoActions(ctx)
			}()
			<-hang.reached
			stop()
			close(hang.until)
			<-ended
			h.Later(2 * time.Minute)
		}
		for range 5 {
			other := peer(h, &failingFinish{Store: h.Store})
			if _, err := other.DoActions(h.Ctx); core.CodeOf(err) != core.EUnavailable {
				t.Fatalf("%v, want an unavailable database", err)
			}
			h.Later(2 * time.Minute)
		}
		if due := localtest.Must(h.Store.DueActions(h.Ctx, h.Now(), 10))(t); len(due) != 1 || due[0].Attempts != 0 {
			t.Fatalf("due: %+v, want one that has not begun", due)
		}
		localtest.Must(peer(h, h.Store).DoActions(h.Ctx))(t)
		if bad := h.Stored("prefect.automation.action.failed"); len(bad) > 0 || len(runsOf(h, d)) != 1 {
			t.Errorf("%d runs, want 1; failed: %v", len(runsOf(h, d)), bad)
		}
	})
}

// failingFinish cannot answer for the automation of a claimed action.
type failingFinish struct{ core.Store }

func (failingFinish) Automation(context.Context, core.UUID) (*core.Automation, error) {
	return nil, core.Errorf(core.EUnavailable, "the database cannot answer: unexpected EOF")
}

func TestActionsOnThings(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		d := h.Deployed()
		pool := localtest.Must(h.Store.WorkPoolByName(h.Ctx, "p"))(t)
		queue := localtest.Must(h.Store.WorkQueueByName(h.Ctx, pool.ID, "default"))(t)
		other := localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["never"]}`, `{"type":"do-nothing"}`)))(t)
		act := func(name string, actions ...string) {
			localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["`+name+`"]}`, actions...)))(t)
		}
		ids := fmt.Sprintf(`"deployment_id":%q`, d.ID)
		act("pause", `{"type":"pause-deployment",`+ids+`}`, fmt.Sprintf(`{"type":"pause-work-pool","work_pool_id":%q}`, pool.ID),
			fmt.Sprintf(`{"type":"pause-work-queue","work_queue_id":%q}`, queue.ID), fmt.Sprintf(`{"type":"pause-automation","automation_id":%q}`, other.ID))
		act("resume", `{"type":"resume-deployment",`+ids+`}`, fmt.Sprintf(`{"type":"resume-work-pool","work_pool_id":%q}`, pool.ID),
			fmt.Sprintf(`{"type":"resume-work-queue","work_queue_id":%q}`, queue.ID), fmt.Sprintf(`{"type":"resume-automation","automation_id":%q}`, other.ID))
		for _, paused := range []bool{true, false} {
			name := map[bool]string{true: "pause", false: "resume"}[paused]
			h.Emit(&core.Event{Event: name})
			h.Round()
			if bad := h.Stored("prefect.automation.action.failed"); len(bad) > 0 {
				t.Fatalf("%s: %s", name, bad[0].Payload)
			}
			if got := localtest.Must(h.Store.Deployment(h.Ctx, d.ID))(t).Paused; got != paused {
				t.Errorf("%s: deployment paused %t", name, got)
			}
			if got := localtest.Must(h.Store.WorkPool(h.Ctx, pool.ID))(t).IsPaused; got != paused {
				t.Errorf("%s: pool paused %t", name, got)
			}
			if got := localtest.Must(h.Store.WorkQueue(h.Ctx, queue.ID))(t).IsPaused; got != paused {
				t.Errorf("%s: queue paused %t", name, got)
			}
			if got := localtest.Must(h.Store.Automation(h.Ctx, other.ID))(t).Enabled; got == paused {
				t.Errorf("%s: automation enabled %t", name, got)
			}
		}
	})
}

func TestSteerFlowRunActions(t *testing.T) {
	for _, c := range []struct{ action, want string }{
		{`{"type":"cancel-flow-run"}`, "Cancelling"},
		{`{"type":"suspend-flow-run"}`, "Suspended"},
		{`{"type":"change-flow-run-state","state":"FAILED","name":"Rejected","message":"by rule"}`, "Rejected"},
	} {
		h := localtest.Open(t, "sqlite::memory:")
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["prefect.flow-run.Running"]}`, c.action)))(t)
		d := h.Deployed()
		run := h.Run(d)
		h.Set(run.ID, core.Pending, core.Accept)
		h.Set(run.ID, core.Running, core.Accept)
		h.Round()
		h.Is(run.ID, c.want)
		if c.want == "Suspended" {
			localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["go"]}`, `{"type":"resume-flow-run"}`)))(t)
			h.Emit(&core.Event{Event: "go", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + run.ID.String()}})
			h.Round()
			h.Is(run.ID, "Resuming")
		}
	}
}

// TestWebhookAction also shows that what an automation says reaches its place.
func TestWebhookAction(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		if err := h.RegisterBlocks(h.Ctx); err != nil {
			t.Fatal(err)
		}
		heard := make(chan string, 4)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			heard <- r.Method + " " + r.Header.Get("X-Key") + " " + string(b)
			if strings.Contains(string(b), "refuse") {
				w.WriteHeader(http.StatusTeapot)
			}
		}))
		defer srv.Close()
		kind := localtest.Must(h.Store.BlockTypeBySlug(h.Ctx, "webhook"))(t)
		schemas := localtest.Must(h.Store.BlockSchemas(h.Ctx, core.BlockFilters{Schemas: &core.BlockSchemaFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{kind.ID}}}}, core.Page{}))(t)
		doc := localtest.Must(h.CreateBlockDocument(h.Ctx, core.BlockDocumentCreate{Name: core.Ptr("hook"), BlockTypeID: kind.ID, BlockSchemaID: schemas[0].ID,
			Data: map[string]core.JSON{"url": core.ToJSON(srv.URL), "method": core.JSON(`"PUT"`), "headers": core.JSON(`{"X-Key":"k1"}`)}}))(t)
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x"]}`,
			fmt.Sprintf(`{"type":"call-webhook","block_document_id":%q,"payload":"{\"id\": \"{{ event.resource.id }}\"}"}`, doc.ID))))(t)
		h.Emit(&core.Event{Event: "x"})
		h.Round()
		if got := <-heard; got != `PUT k1 {"id": "thing.1"}` {
			t.Errorf("heard %s", got)
		}
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["y"]}`,
			fmt.Sprintf(`{"type":"call-webhook","block_document_id":%q,"payload":"{{ event.resource|ui_url }}"}`, doc.ID))))(t)
		id := core.NewID().String()
		h.Emit(&core.Event{Event: "y", Resource: map[string]string{"prefect.resource.id": "prefect.flow-run." + id}})
		h.Round()
		if got := <-heard; !strings.Contains(got, "https://flows.example.com/flow-runs/"+id) {
			t.Errorf("heard %s", got)
		}
		h.Emit(&core.Event{Event: "x", Resource: map[string]string{"prefect.resource.id": "refuse"}})
		h.Round()
		<-heard
		done, bad := h.Stored("prefect.automation.action.executed"), h.Stored("prefect.automation.action.failed")
		if len(done) != 2 || done[0].Related[0]["prefect.resource.name"] != "hook" || len(bad) != 1 || bad[0].Payload.Map()["status_code"] != json.Number("418") {
			t.Errorf("told %v %v", done, bad)
		}
	})
}

// TestNotificationURL: what a server has by itself is enough to be notified.
func TestNotificationURL(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		for range 2 {
			if err := h.RegisterBlocks(h.Ctx); err != nil {
				t.Fatal(err)
			}
		}
		heard := make(chan string, 1)
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			heard <- string(b)
		}))
		defer srv.Close()
		localtest.Must(h.Store.BlockTypeBySlug(h.Ctx, "slack-webhook"))(t)
		kind := localtest.Must(h.Store.BlockTypeBySlug(h.Ctx, "notification-url"))(t)
		schemas := localtest.Must(h.Store.BlockSchemas(h.Ctx, core.BlockFilters{Schemas: &core.BlockSchemaFilter{BlockTypeID: &core.IDFilter{Any: []core.UUID{kind.ID}}}}, core.Page{}))(t)
		if len(schemas) != 1 || !slices.Contains(schemas[0].Capabilities, "notify") || kind.IsProtected {
			t.Fatalf("%+v %+v", kind, schemas)
		}
		doc := localtest.Must(h.CreateBlockDocument(h.Ctx, core.BlockDocumentCreate{Name: core.Ptr("hook"), BlockTypeID: kind.ID, BlockSchemaID: schemas[0].ID, Data: map[string]core.JSON{"url": core.ToJSON(srv.URL)}}))(t)
		if got := localtest.Must(h.BlockDocument(h.Ctx, doc.ID, false))(t).Data; strings.Contains(string(got), srv.URL) {
			t.Errorf("the URL, which may hold a password, is shown: %s", got)
		}
		localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x"]}`,
			fmt.Sprintf(`{"type":"send-notification","block_document_id":%q,"subject":"news of {{ event.resource.id }}","body":"all of it"}`, doc.ID))))(t)
		h.Emit(&core.Event{Event: "x"})
		h.Round()
		if got := <-heard; !strings.Contains(got, `"subject":"news of thing.1"`) || !strings.Contains(got, "all of it") {
			t.Errorf("heard %s", got)
		}
	})
}

func TestAutomationIsChecked(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	id := core.NewID().String()
	nothing := `{"type":"do-nothing"}`
	for trigger, action := range map[string]string{
		`{}`:                                 nothing,
		`{"posture":"Never"}`:                nothing,
		`{"posture":"Reactive","within":-1}`: nothing,
		`{"posture":"Proactive","within":5}`: nothing,
		`{"type":"metric"}`:                  nothing,
		`{"type":"compound","require":"some","triggers":[]}`:                              nothing,
		`{"type":"compound","require":3,"triggers":[{"posture":"Reactive"}]}`:             nothing,
		`{"type":"sequence","triggers":[{"posture":"Proactive","within":1}]}`:             nothing,
		`{"posture":"Reactive","match":{"a":1}}`:                                          nothing,
		`{"posture":"Reactive","match_related":"x"}`:                                      nothing,
		`{"posture":"Reactive","expect":["1"]}`:                                           `{"type":"run-deployment"}`,
		`{"posture":"Reactive","expect":["2"]}`:                                           `{"type":"fly"}`,
		`{"posture":"Reactive","expect":["3"]}`:                                           `{"type":"pause-work-pool","source":"inferred","work_pool_id":"` + id + `"}`,
		`{"posture":"Reactive","expect":["4"]}`:                                           `{"type":"send-notification","block_document_id":"` + id + `","body":"{{ bad"}`,
		`{"posture":"Reactive","expect":["5"]}`:                                           `{"type":"call-webhook"}`,
		`{"posture":"Reactive","expect":["6"]}`:                                           `{"type":"change-flow-run-state","state":"DONE"}`,
		`{"posture":"Reactive","expect":["7"]}`:                                           `{"type":"run-deployment","deployment_id":"` + id + `","parameters":{"a":{"b":"{% if %}"}}}`,
		`{"posture":"Reactive","expect":["prefect.flow-run.*"]}`:                          `{"type":"run-deployment","source":"inferred"}`,
		`{"posture":"Reactive","expect":["prefect.flow-run.Running"],"match_related":{}}`: `{"type":"run-deployment","deployment_id":"` + id + `"}`,
	} {
		if _, err := h.CreateAutomation(h.Ctx, localtest.Automation(trigger, action)); core.CodeOf(err) != core.EInvalid {
			t.Errorf("%s %s: %v", trigger, action, err)
		}
	}
}

// A queued event outlives the server, and so does what a firing has to do.
func TestAutomationSurvivesRestart(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/f.db"
	h := localtest.Open(t, url)
	localtest.Must(h.CreateAutomation(h.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x"],"threshold":2,"within":60}`, `{"type":"do-nothing"}`)))(t)
	h.Emit(&core.Event{Event: "x"})
	localtest.Must(h.EvaluateAutomations(h.Ctx))(t)
	h.Emit(&core.Event{Event: "x"})
	_ = h.Stop(context.Background())
	_ = h.Store.Close()
	h = localtest.Open(t, url)
	localtest.Must(h.EvaluateAutomations(h.Ctx))(t)
	fired(h, 1)
	_ = h.Stop(context.Background())
	_ = h.Store.Close()
	h = localtest.Open(t, url)
	localtest.Must(h.DoActions(h.Ctx))(t)
	if n := len(h.Stored("prefect.automation.action.executed")); n != 1 {
		t.Errorf("%d actions executed, want 1", n)
	}
}

// TestManyServersFireOnce: three servers on one database see all events and
// all actions; each event counts once, each firing acts once.
func TestManyServersFireOnce(t *testing.T) {
	engines := dbtest.Engines(t)
	if len(engines) < 2 {
		t.Skip("FLOWLITE_TEST_POSTGRES is not set")
	}
	url := engines[1].URL(t)
	var servers []*localtest.Fixture
	for range 3 {
		servers = append(servers, localtest.Open(t, url))
	}
	first := servers[0]
	localtest.Must(first.CreateAutomation(first.Ctx, localtest.Automation(`{"posture":"Reactive","expect":["x"],"for_each":["prefect.resource.id"],"threshold":5}`, `{"type":"do-nothing"}`, `{"type":"do-nothing"}`)))(t)
	localtest.Must(first.CreateAutomation(first.Ctx, localtest.Automation(`{"posture":"Proactive","expect":["never"],"within":10}`, `{"type":"do-nothing"}`)))(t)
	for _, h := range servers {
		localtest.Must(h.EvaluateAutomations(h.Ctx))(t) // knows the automations from now on
	}
	var wg sync.WaitGroup
	for i, h := range servers {
		wg.Go(func() {
			for j := range 20 {
				h.Emit(&core.Event{Event: "x", Resource: map[string]string{"prefect.resource.id": fmt.Sprintf("k%d", (i+j)%4)}})
			}
		})
	}
	wg.Wait()
	for _, h := range servers {
		h.Later(11 * time.Second)
		wg.Go(func() {
			for range 3 {
				_, _ = h.EvaluateAutomations(h.Ctx)
				_, _ = h.DoActions(h.Ctx)
			}
		})
	}
	wg.Wait()
	first.Round()
	fired(first, 60/5+1)
	if n := len(first.Stored("prefect.automation.action.executed")); n != 2*(60/5)+1 {
		t.Errorf("%d actions executed, want %d", n, 2*(60/5)+1)
	}
}
