package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

// Over HTTP "no flows" and "flows not announced" stay apart: workers of older
// versions send neither key.
func TestPollOverHTTPAnnouncesFlows(t *testing.T) {
	s := start(t, testConfig(t))
	c, ctx := client.New(client.Config{URL: s.APIURL()}), t.Context()
	if _, err := c.CreateWorkPool(ctx, core.WorkPoolCreate{Name: "p", Type: "process"}); err != nil {
		t.Fatal(err)
	}
	f, err := c.CreateFlow(ctx, core.FlowCreate{Name: "f"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.CreateDeployment(ctx, core.DeploymentCreate{Name: "inside", FlowID: f.ID,
		WorkPoolName: core.Some("p"), ParameterOpenAPISchema: core.Some(core.JSON(`{}`))})
	if err != nil {
		t.Fatal(err)
	}
	run := func() *core.FlowRun {
		t.Helper()
		r, err := c.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	waiting := run()
	claims := func(can core.Capability) int {
		t.Helper()
		res, err := c.Poll(ctx, core.PollRequest{Pool: "p", Holder: core.NewID(), Worker: "w", Free: 1, Capability: can})
		if err != nil {
			t.Fatal(err)
		}
		return len(res.Claims)
	}
	beat := func(flows []string, want string) {
		t.Helper()
		if err := c.Heartbeat(ctx, "p", core.WorkerHeartbeat{Name: "w", Flows: flows}); err != nil {
			t.Fatal(err)
		}
		if w, err := c.Why(ctx, waiting.ID); err != nil || w.Code != want {
			t.Errorf("why %+v, %v, want %s", w, err, want)
		}
	}
	beat([]string{}, "no_worker_with_flow")
	beat([]string{"f"}, "worker_busy")
	beat(nil, "worker_busy")
	if n := claims(core.Capability{Flows: []string{}}); n != 0 {
		t.Error("a worker without flows claimed", n)
	}
	if n := claims(core.Capability{Flows: []string{"f"}, Except: []core.UUID{d.ID}}); n != 0 {
		t.Error("claimed in spite of except", n)
	}
	if n := claims(core.Capability{Flows: []string{"f"}}); n != 1 {
		t.Error("a worker with the flow claimed", n)
	}
	run()
	body, _ := json.Marshal(map[string]any{"holder": core.NewID(), "worker": "old", "free": 1, "wait": 0})
	res, err := http.Post(s.APIURL()+"/work_pools/p/poll", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var old core.PollResponse
	if err := json.NewDecoder(res.Body).Decode(&old); err != nil || len(old.Claims) != 1 {
		t.Error("a worker of an older version claimed", len(old.Claims), err)
	}
}
