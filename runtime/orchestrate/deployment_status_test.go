package orchestrate_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// The status of a deployment is that of the queue it is in, whichever way it
// came there.
func TestStatusOfAMovedDeployment(t *testing.T) {
	bothEngines(t, func(t *testing.T, h *house) {
		flow := must(h.CreateFlow(h.ctx, core.FlowCreate{Name: "f"}))(t)
		for _, name := range []string{"polled", "quiet", "left"} {
			must(h.CreateWorkPool(h.ctx, core.WorkPoolCreate{Name: name, Type: "process"}))(t)
		}
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		work := func(pool string) {
			t.Helper()
			ok(h.Heartbeat(h.ctx, pool, core.WorkerHeartbeat{Name: "w"}))
			must(h.Poll(h.ctx, core.PollRequest{Pool: pool, Holder: core.NewID(), Worker: "w", Free: 1}))(t)
		}
		work("polled")
		work("left")
		ok(h.Heartbeat(h.ctx, "left", core.WorkerHeartbeat{Name: "w", LastAfter: core.Ptr(core.Seconds(0))}))
		none := core.Opt[string]{Set: true, Null: true}
		patch := func(u core.DeploymentUpdate) func(*core.Deployment) {
			return func(d *core.Deployment) { ok(h.UpdateDeployment(h.ctx, d.ID, u)) }
		}
		deploy := func(c core.DeploymentCreate) func(*core.Deployment) {
			return func(d *core.Deployment) {
				c.Name, c.FlowID = d.Name, d.FlowID
				must(h.CreateDeployment(h.ctx, c))(t)
			}
		}
		for name, c := range map[string]struct {
			move func(*core.Deployment)
			want string
		}{
			"patched to a pool without workers":    {patch(core.DeploymentUpdate{WorkPoolName: core.Some("quiet")}), core.NotReady},
			"patched to a pool whose worker left":  {patch(core.DeploymentUpdate{WorkPoolName: core.Some("left")}), core.NotReady},
			"patched to a queue that nobody polls": {patch(core.DeploymentUpdate{WorkQueueName: core.Some("aside")}), core.NotReady},
			"patched to no pool":                   {patch(core.DeploymentUpdate{WorkPoolName: none}), core.NotReady},
			"deployed to a pool without workers":   {deploy(core.DeploymentCreate{WorkPoolName: core.Some("quiet")}), core.NotReady},
			"deployed to a new queue":              {deploy(core.DeploymentCreate{WorkQueueName: core.Some("new")}), core.NotReady},
			"its queue is deleted": {func(d *core.Deployment) {
				q := must(h.CreateWorkQueue(h.ctx, "polled", core.WorkQueueCreate{Name: "short"}))(t)
				ok(h.UpdateDeployment(h.ctx, d.ID, core.DeploymentUpdate{WorkQueueName: core.Some("short")}))
				must(h.Poll(h.ctx, core.PollRequest{Pool: "polled", Queues: []string{"short"}, Holder: core.NewID(), Worker: "w", Free: 1}))(t)
				ok(h.DeleteWorkQueue(h.ctx, q.ID))
			}, core.NotReady},
			"its pool is deleted": {func(d *core.Deployment) {
				must(h.CreateWorkPool(h.ctx, core.WorkPoolCreate{Name: "short", Type: "process"}))(t)
				work("short")
				ok(h.UpdateDeployment(h.ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("short")}))
				if d := must(h.store.Deployment(h.ctx, d.ID))(t); d.Status != core.Ready {
					t.Errorf("moved to a pool with a worker it is %s", d.Status)
				}
				ok(h.DeleteWorkPool(h.ctx, "short"))
			}, core.NotReady},
			"not moved":                  {patch(core.DeploymentUpdate{Description: core.Some("x"), WorkPoolName: core.Some("polled")}), core.Ready},
			"deployed again where it is": {deploy(core.DeploymentCreate{WorkPoolName: core.Some("polled")}), core.Ready},
			"away and back to the workers": {func(d *core.Deployment) {
				ok(h.UpdateDeployment(h.ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("quiet")}))
				ok(h.UpdateDeployment(h.ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("polled")}))
			}, core.Ready},
		} {
			d := must(h.CreateDeployment(h.ctx, core.DeploymentCreate{Name: name, FlowID: flow.ID, WorkPoolName: core.Some("polled"), EnforceParameterSchema: core.Some(false)}))(t)
			if d.Status != core.Ready {
				t.Fatalf("%s: a deployment to a polled queue is %s", name, d.Status)
			}
			c.move(d)
			if got := must(h.store.Deployment(h.ctx, d.ID))(t); got.Status != c.want {
				t.Errorf("%s: %s, want %s", name, got.Status, c.want)
			}
			events := must(h.store.Events(h.ctx, &core.EventFilter{Resource: &core.EventResource{ID: []string{"prefect.deployment." + d.ID.String()}},
				Event: &core.EventName{Name: []string{"prefect.deployment.not-ready"}}}, core.Page{Limit: 5}))(t)
			if told := len(events) > 0; c.want == core.NotReady && !told {
				t.Errorf("%s: no event tells of it", name)
			}
		}
	})
}
