package orchestrate_test

import (
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// The status of a deployment is that of the queue it is in, whichever way it
// came there.
func TestStatusOfAMovedDeployment(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		flow := localtest.Must(h.CreateFlow(h.Ctx, core.FlowCreate{Name: "f"}))(t)
		for _, name := range []string{"polled", "quiet", "left"} {
			localtest.Must(h.CreateWorkPool(h.Ctx, core.WorkPoolCreate{Name: name, Type: "process"}))(t)
		}
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		work := func(pool string) {
			t.Helper()
			ok(h.Heartbeat(h.Ctx, pool, core.WorkerHeartbeat{Name: "w"}))
			localtest.Must(h.Poll(h.Ctx, core.PollRequest{Pool: pool, Holder: core.NewID(), Worker: "w", Free: 1}))(t)
		}
		work("polled")
		work("left")
		ok(h.Heartbeat(h.Ctx, "left", core.WorkerHeartbeat{Name: "w", LastAfter: core.Ptr(core.Seconds(0))}))
		none := core.Opt[string]{Set: true, Null: true}
		patch := func(u core.DeploymentUpdate) func(*core.Deployment) {
			return func(d *core.Deployment) { ok(h.UpdateDeployment(h.Ctx, d.ID, u)) }
		}
		deploy := func(c core.DeploymentCreate) func(*core.Deployment) {
			return func(d *core.Deployment) {
				c.Name, c.FlowID = d.Name, d.FlowID
				localtest.Must(h.CreateDeployment(h.Ctx, c))(t)
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
				q := localtest.Must(h.CreateWorkQueue(h.Ctx, "polled", core.WorkQueueCreate{Name: "short"}))(t)
				ok(h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{WorkQueueName: core.Some("short")}))
				localtest.Must(h.Poll(h.Ctx, core.PollRequest{Pool: "polled", Queues: []string{"short"}, Holder: core.NewID(), Worker: "w", Free: 1}))(t)
				ok(h.DeleteWorkQueue(h.Ctx, q.ID))
			}, core.NotReady},
			"its pool is deleted": {func(d *core.Deployment) {
				localtest.Must(h.CreateWorkPool(h.Ctx, core.WorkPoolCreate{Name: "short", Type: "process"}))(t)
				work("short")
				ok(h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("short")}))
				if d := localtest.Must(h.Store.Deployment(h.Ctx, d.ID))(t); d.Status != core.Ready {
					t.Errorf("moved to a pool with a worker it is %s", d.Status)
				}
				ok(h.DeleteWorkPool(h.Ctx, "short"))
			}, core.NotReady},
			"not moved":                  {patch(core.DeploymentUpdate{Description: core.Some("x"), WorkPoolName: core.Some("polled")}), core.Ready},
			"deployed again where it is": {deploy(core.DeploymentCreate{WorkPoolName: core.Some("polled")}), core.Ready},
			"away and back to the workers": {func(d *core.Deployment) {
				ok(h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("quiet")}))
				ok(h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("polled")}))
			}, core.Ready},
		} {
			d := localtest.Must(h.CreateDeployment(h.Ctx, core.DeploymentCreate{Name: name, FlowID: flow.ID, WorkPoolName: core.Some("polled"), EnforceParameterSchema: core.Some(false)}))(t)
			if d.Status != core.Ready {
				t.Fatalf("%s: a deployment to a polled queue is %s", name, d.Status)
			}
			c.move(d)
			if got := localtest.Must(h.Store.Deployment(h.Ctx, d.ID))(t); got.Status != c.want {
				t.Errorf("%s: %s, want %s", name, got.Status, c.want)
			}
			events := localtest.Must(h.Store.Events(h.Ctx, &core.EventFilter{Resource: &core.EventResource{ID: []string{"prefect.deployment." + d.ID.String()}},
				Event: &core.EventName{Name: []string{"prefect.deployment.not-ready"}}}, core.Page{Limit: 5}))(t)
			if told := len(events) > 0; c.want == core.NotReady && !told {
				t.Errorf("%s: no event tells of it", name)
			}
		}
	})
}
