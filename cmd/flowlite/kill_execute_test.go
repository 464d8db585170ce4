package main_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// A run whose `flow-run execute` was killed waits to be resumed by a worker.
func TestKilledExecute(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	home := t.TempDir()
	p := newCommand(t, home, "server", "start")
	p.start()
	t.Cleanup(func() { p.kill(syscall.SIGKILL) })
	client := func(args ...string) *program {
		c := newCommand(t, home, args...)
		c.at(p.port)
		return c
	}
	client("work-pool", "create", "apart", "-t", "process").succeeds()
	client("deploy", "testdata/flows/chain.go:Chain", "-n", "far", "-p", "apart").succeeds()
	var d core.Deployment
	if err := p.call("GET", "/deployments/name/chain/far", nil, &d); err != nil {
		t.Fatal(err)
	}
	var run core.FlowRun
	body := map[string]any{"parameters": map[string]any{"tasks": 1, "millis": 600_000, "dir": home}}
	if err := p.call("POST", "/deployments/"+d.ID.String()+"/create_flow_run", body, &run); err != nil {
		t.Fatal(err)
	}
	becomes := func(name string) {
		t.Helper()
		p.eventually(time.Minute, "the run is "+name, func() bool {
			return p.call("GET", "/flow_runs/"+run.ID.String(), nil, &run) == nil && run.StateName == name
		})
	}
	e := client("flow-run", "execute", run.ID.String())
	e.launch()
	t.Cleanup(func() { e.kill(syscall.SIGKILL) })
	becomes("Running")
	e.kill(syscall.SIGKILL)
	becomes(core.NameResuming)
}
