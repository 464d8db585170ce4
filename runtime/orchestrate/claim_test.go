package orchestrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

// A worker is given the runs that it can execute, however many others are due
// before them; those wait and are told what they wait for.
func TestWorkerClaimsWhatItCanExecute(t *testing.T) { localtest.OnEngines(t, claimsByCapability) }

func claimsByCapability(t *testing.T, h *localtest.Fixture) {
	inside := h.Deployed()
	file := h.Deployed(func(c *core.DeploymentCreate) { c.Name, c.Entrypoint = "file", core.Some("flows/f.go:F") })
	one := core.Some(int64(2))
	if err := h.UpdateWorkPool(h.Ctx, "p", core.WorkPoolUpdate{ConcurrencyLimit: one}); err != nil {
		t.Fatal(err)
	}
	for range core.MaxLimit + 50 {
		h.Run(inside)
	}
	wanted := h.Run(file)
	poll := func(can core.Capability, wait core.Seconds) []core.Claim {
		t.Helper()
		return localtest.Must(h.Poll(h.Ctx, core.PollRequest{Pool: "p", Holder: core.NewID(), Worker: "w", Free: 1, Wait: wait, Capability: can}))(t).Claims
	}
	plain := core.Capability{Flows: []string{}}
	if got := poll(plain, 0); len(got) != 1 || got[0].FlowRun.ID != wanted.ID {
		t.Fatalf("claimed %v, want the run of the deployment with an entrypoint", got)
	}
	if got := poll(plain, 0); len(got) != 0 {
		t.Fatal("claimed a run whose flow it does not have", got)
	}
	// A poll that waits is given what comes due while others wait.
	soon := localtest.Must(h.CreateDeploymentFlowRun(h.Ctx, file.ID, core.DeploymentFlowRunCreate{State: &core.StateCreate{Type: core.Scheduled,
		Details: core.StateDetails{ScheduledTime: core.Now().Add(300 * time.Millisecond)}}}))(t)
	if got := poll(plain, 20); len(got) != 1 || got[0].FlowRun.ID != soon.ID {
		t.Fatal("claimed", got)
	}
	// Both claims count against the pool's limit.
	if got := poll(core.Capability{Flows: []string{"f"}}, 0); len(got) != 0 {
		t.Fatal("more than the pool's limit", got)
	}
	h.Set(wanted.ID, core.Running, core.Accept)
	h.Set(wanted.ID, core.Completed, core.Accept)
	if got := poll(core.Capability{Flows: []string{"g", "f"}, Except: []core.UUID{inside.ID}}, 0); len(got) != 0 {
		t.Fatal("claimed a run of a deployment that it was not able to start", got)
	}
	if got := poll(core.Capability{Flows: []string{"g", "f"}}, 0); len(got) != 1 || got[0].FlowRun.DeploymentID != inside.ID {
		t.Fatal("a program with the flow claimed", got)
	}
	h.Set(soon.ID, core.Cancelled, core.Accept)
	if got := poll(core.Capability{}, 0); len(got) != 1 {
		t.Fatal("a worker that does not announce its flows is given any run", got)
	}
	// A pool whose template has a command runs everything by it.
	template := core.JSON(strings.Replace(string(core.ProcessTemplate), `"{{ command }}"`, `"run-it {{ command }}"`, 1))
	open := core.WorkPoolUpdate{BaseJobTemplate: core.Some(template), ConcurrencyLimit: core.Opt[int64]{Set: true, Null: true}}
	if err := h.UpdateWorkPool(h.Ctx, "p", open); err != nil {
		t.Fatal(err)
	}
	if got := poll(plain, 0); len(got) != 1 {
		t.Fatal("the pool's command executes it", got)
	}
}

// Why names the flow that no online worker has, and what a worker lacked.
func TestWhyNoWorkerHasTheFlow(t *testing.T) { localtest.OnEngines(t, whyNobodyCan) }

func whyNobodyCan(t *testing.T, h *localtest.Fixture) {
	inside := h.Run(h.Deployed())
	file := h.Run(h.Deployed(func(c *core.DeploymentCreate) { c.Name, c.Entrypoint = "file", core.Some("flows/f.go:F") }))
	beat := func(name string, flows []string) {
		t.Helper()
		if err := h.Heartbeat(h.Ctx, "p", core.WorkerHeartbeat{Name: name, Flows: flows}); err != nil {
			t.Fatal(err)
		}
	}
	why := func(run *core.FlowRun, code, says string) {
		t.Helper()
		if w := localtest.Must(h.Why(h.Ctx, run.ID))(t); w.Code != code || !strings.Contains(w.Message, says) {
			t.Errorf("%s %q, want %s %q", w.Code, w.Message, code, says)
		}
	}
	beat("a", []string{})
	beat("b", []string{"g"})
	why(inside, "no_worker_with_flow", "No online worker of pool p has the flow f (2 online).")
	why(file, "worker_busy", "(2 online)")
	beat("c", []string{"g", "f"})
	why(inside, "worker_busy", "(3 online)")
	beat("c", []string{})
	why(inside, "no_worker_with_flow", "the flow f (3 online)")
	beat("old", nil)
	why(inside, "worker_busy", "(4 online)")

	// A worker that lacks what a run needs returns it, and the reason stays.
	ask := core.PollRequest{Pool: "p", Holder: core.NewID(), Worker: "a", Free: 1, Capability: core.Capability{Flows: []string{}}}
	c := localtest.Must(h.Poll(h.Ctx, ask))(t).Claims
	if len(c) != 1 || c[0].FlowRun.ID != file.ID {
		t.Fatal("claimed", c)
	}
	text := "Worker a was not able to start the run: no Go."
	res := localtest.Must(h.SetFlowRunState(core.WithRunToken(h.Ctx, c[0].Token), file.ID, core.StateCreate{Type: core.Scheduled, Message: &text,
		Details: core.StateDetails{ScheduledTime: core.Now()}}, false))(t)
	if res.Status != core.Accept {
		t.Fatal(res.Status, core.Deref(res.Details.Reason))
	}
	if _, err := h.Store.Lease(h.Ctx, file.ID); !core.IsNotFound(err) {
		t.Error("the returned run is still leased:", err)
	}
	why(file, "worker_busy", text)
	h.Later(time.Minute)
	if n := localtest.Must(h.MarkLate(h.Ctx))(t); n != 2 {
		t.Error(n, "late runs, want 2")
	}
	beat("a", []string{})
	why(file, "worker_busy", text)
}
