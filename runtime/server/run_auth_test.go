package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/core"
)

// things are what belongs to a claimed run.
type things struct {
	core.Claim
	task, artifact core.UUID
}

func (x things) id(runs string) core.UUID {
	switch runs {
	case "own run":
		return x.FlowRun.ID
	case "own task run":
		return x.task
	case "own artifact":
		return x.artifact
	}
	return core.NewID()
}

// claimed makes a run of a deployment, claims it as a worker does, and gives it a
// task run and an artifact.
func claimed(t *testing.T, s *Server) (x things) {
	t.Helper()
	ctx := t.Context()
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.service.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "p", Type: "process"}); core.CodeOf(err) != core.EConflict {
		fail(err)
	}
	flow, err := s.service.CreateFlow(ctx, core.FlowCreate{Name: "f"})
	fail(err)
	d, err := s.service.CreateDeployment(ctx, core.DeploymentCreate{Name: "d", FlowID: flow.ID, WorkPoolName: core.Some("p"), ParameterOpenAPISchema: core.Some(core.JSON(`{}`))})
	fail(err)
	_, err = s.service.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{})
	fail(err)
	res, err := s.service.Poll(ctx, core.PollRequest{Pool: "p", Holder: core.NewID(), Worker: "w", Free: 1})
	fail(err)
	if len(res.Claims) != 1 {
		t.Fatalf("claims %+v", res.Claims)
	}
	x.Claim = res.Claims[0]
	task, err := s.service.CreateTaskRun(ctx, core.TaskRunCreate{FlowRunID: x.FlowRun.ID, TaskKey: "t", DynamicKey: "0"})
	fail(err)
	artifact, err := s.service.CreateArtifact(ctx, core.ArtifactCreate{Key: core.Ptr("a"), FlowRunID: x.FlowRun.ID})
	fail(err)
	x.task, x.artifact = task.ID, artifact.ID
	return x
}

func as(auth string, socket bool) func(*http.Request) {
	return func(r *http.Request) {
		user, password, _ := strings.Cut(auth, ":")
		r.SetBasicAuth(user, password)
		if socket {
			r.Header.Set("Sec-WebSocket-Protocol", "prefect")
		}
	}
}

func TestRunsOpenOnlyTheirDoors(t *testing.T) {
	s := secured(t)
	own, foreign, ended := claimed(t, s), claimed(t, s), claimed(t, s)
	if own.Auth == "" || own.Auth == foreign.Auth || strings.Contains(own.Auth, "a-long-secret") {
		t.Fatalf("auth strings %q and %q", own.Auth, foreign.Auth)
	}
	err := s.store.Write(t.Context(), func(tx core.Tx) error { // another worker has it
		return tx.PutLease(t.Context(), &core.Lease{FlowRunID: ended.FlowRun.ID, Holder: core.NewID(), Token: core.NewID(), Expires: core.Now() + 1e9})
	})
	if err != nil {
		t.Fatal(err)
	}
	reached := 0
	for _, d := range doorsTo(t, s, foreign.id) {
		got := knock(t, s.url, d, as(own.Auth, d.socket))
		switch {
		case d.open:
		case d.runs == "any":
			if reached++; got == http.StatusForbidden || got == http.StatusUnauthorized {
				t.Errorf("%s %s with the credentials of a run: %d", d.method, d.path, got)
			}
		case got != http.StatusForbidden:
			t.Errorf("%s %s of others with the credentials of a run: %d, want 403", d.method, d.path, got)
		}
		if got := knock(t, s.url, d, as(ended.Auth, d.socket)); !d.open && got != http.StatusUnauthorized {
			t.Errorf("%s %s with the credentials of an ended run: %d, want 401", d.method, d.path, got)
		}
		if d.socket {
			greetAs(t, s.url, d, own.Auth, d.runs != "")
			greetAs(t, s.url, d, ended.Auth, false)
		}
	}
	if reached < 100 {
		t.Errorf("a run reaches %d routes", reached)
	}
	for _, d := range doorsTo(t, s, own.id) {
		if strings.HasPrefix(d.runs, "own") {
			if got := knock(t, s.url, d, as(own.Auth, false)); got == http.StatusForbidden || got == http.StatusUnauthorized {
				t.Errorf("%s %s of its own: %d", d.method, d.path, got)
			}
		}
	}
	for path, body := range map[string]string{
		"/api/logs/":      `[{"name":"n","level":20,"message":"m","timestamp":"2026-01-01T00:00:00Z","flow_run_id":"RUN"}]`,
		"/api/task_runs/": `{"task_key":"t","dynamic_key":"9","flow_run_id":"RUN"}`,
		"/api/artifacts/": `{"key":"b","flow_run_id":"RUN"}`,
	} {
		for run, want := range map[core.UUID]int{own.FlowRun.ID: http.StatusCreated, foreign.FlowRun.ID: http.StatusForbidden} {
			if got, answer := send(t, s.url+path, strings.ReplaceAll(body, "RUN", run.String()), own.Auth); got != want {
				t.Errorf("POST %s: %d %s, want %d", path, got, answer, want)
			}
		}
	}
	// A run that names a task run as its parent decides on the state of that.
	task, err := s.Service().CreateTaskRun(t.Context(), core.TaskRunCreate{TaskKey: "t", DynamicKey: "0", FlowRunID: foreign.FlowRun.ID})
	if err != nil {
		t.Fatal(err)
	}
	child := fmt.Sprintf(`{"flow_id":%q,"parent_task_run_id":%q,"state":{"type":"COMPLETED"}}`, own.FlowRun.FlowID, task.ID)
	if got, answer := send(t, s.url+"/api/flow_runs/", child, own.Auth); got != http.StatusForbidden {
		t.Errorf("a child of another run's task run: %d %s", got, answer)
	}
	// Wrong passwords from the same address do not stop a run.
	for range 20 {
		send(t, s.url+"/api/logs/filter", `{}`, "admin:guess")
	}
	if got, answer := send(t, s.url+"/api/logs/filter", `{}`, own.Auth); got != http.StatusOK {
		t.Errorf("a run beside a guesser: %d %s", got, answer)
	}
	s = secured(t) // the guesser has used up this address
	own = claimed(t, s)
	if _, answer := send(t, s.url+"/api/work_pools/", `{"name":"q"}`, own.Auth); !strings.Contains(answer, "credentials of a flow run") || !strings.Contains(answer, "PREFECT_API_AUTH_STRING") {
		t.Errorf("the refusal says %s", answer)
	}
}

// TestRunsForgeNothing: neither over HTTP nor over the socket does a run speak for
// another, or replace its results.
func TestRunsForgeNothing(t *testing.T) {
	s := secured(t)
	own, foreign := claimed(t, s), claimed(t, s)
	key := foreign.FlowRun.ID.String() + "/t-1.json"
	if err := s.results().Put(t.Context(), key, []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	put := func(key string) int {
		return knock(t, s.url, door{method: "PUT", path: "/api/results/" + key}, as(own.Auth, false))
	}
	if got := put(key); got != http.StatusForbidden {
		t.Errorf("a run replaces a result of another: %d", got)
	}
	if got := put(own.FlowRun.ID.String() + "/t-1.json"); got != http.StatusNoContent {
		t.Errorf("a run stores a result: %d", got)
	}
	event := func(name string, run core.UUID) (core.UUID, []byte) {
		id := core.NewID()
		return id, core.ToJSON(map[string]any{"id": id, "occurred": core.Now(), "event": name, "related": []any{}, "payload": map[string]any{},
			"resource": map[string]string{"prefect.resource.id": "prefect.flow-run." + run.String()}})
	}
	count := func(id core.UUID) int64 {
		n, err := s.store.CountEvents(t.Context(), &core.EventFilter{ID: &core.EventIDs{ID: []core.UUID{id}}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	forged, body := event("prefect.flow-run.Failed", foreign.FlowRun.ID)
	if got, answer := send(t, s.url+"/api/events", "["+string(body)+"]", own.Auth); got != http.StatusForbidden || !strings.Contains(answer, foreign.FlowRun.ID.String()) {
		t.Errorf("an event of another run: %d %s", got, answer)
	}
	c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/api/events/in", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + own.Auth}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	socketForged, second := event("prefect.flow-run.Failed", foreign.FlowRun.ID)
	last, third := event("prefect.flow-run.heartbeat", own.FlowRun.ID)
	for _, frame := range [][]byte{second, third} {
		if err := c.Write(t.Context(), websocket.MessageText, frame); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil { // answered when all is written
		t.Error(err)
	}
	untilStored(t, s, &core.EventFilter{ID: &core.EventIDs{ID: []core.UUID{last}}}, 1)
	if count(forged) != 0 || count(socketForged) != 0 {
		t.Error("events of another run are stored")
	}
}

func TestNoRunAuthWithoutAuth(t *testing.T) {
	if x := claimed(t, start(t, testConfig(t))); x.Auth != "" {
		t.Errorf("a server that asks for no credentials gives %q", x.Auth)
	}
}

func send(t *testing.T, url, body, auth string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	as(auth, false)(r)
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b := make([]byte, 4<<10)
	n, _ := res.Body.Read(b)
	return res.StatusCode, string(b[:n])
}

// greetAs offers credentials in the first frame.
func greetAs(t *testing.T, base string, d door, auth string, welcome bool) {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+d.path, &websocket.DialOptions{Subprotocols: []string{"prefect"}})
	if err != nil {
		t.Errorf("%s: %v", d.path, err)
		return
	}
	defer c.CloseNow()
	if err := c.Write(context.Background(), websocket.MessageText, core.ToJSON(map[string]string{"type": "auth", "token": auth})); err != nil {
		t.Errorf("%s: %v", d.path, err)
	}
	_, answer, err := c.Read(t.Context())
	if (err == nil) != welcome || !welcome && websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("%s greeted with the credentials of a run: %q, %v; want a welcome: %v", d.path, answer, err, welcome)
	}
}
