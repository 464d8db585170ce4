package flowlite_test

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

// begin starts a program of the test and returns once it says text.
func begin(t *testing.T, program func(*testing.T) string, env []string, text string, args ...string) *process {
	t.Helper()
	bin := program(t)
	cmd := exec.Command(bin, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, lines: make(chan string, 100)}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(p.lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			p.lines <- sc.Text()
		}
	}()
	if text != "" {
		p.until(text)
	}
	return p
}

func startApp(t *testing.T, cfg embed.Config) *embed.App {
	t.Helper()
	cfg.Port, cfg.Logger = -1, slog.New(slog.DiscardHandler)
	if cfg.Home == "" {
		cfg.Home = t.TempDir()
	}
	app, err := embed.New(cfg)
	if err == nil {
		err = app.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	return app
}

// postgres is the URL of an empty database that several programs can share.
func postgres(t *testing.T) string {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			return e.URL(t)
		}
	}
	t.Skip("FLOWLITE_TEST_POSTGRES is not set")
	return ""
}

// runsIn are the runs whose parameter dir is dir.
func runsIn(t *testing.T, list func(core.Filters, core.Page) ([]*core.FlowRun, error), dir string) (runs []*core.FlowRun) {
	t.Helper()
	all, err := list(core.Filters{}, core.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Parameters.Map()["dir"] == dir {
			runs = append(runs, r)
		}
	}
	return runs
}

// eventually asks again until there is no error.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not come true that %s: %v", what, err)
		}
	}
}

// becomes waits for the state of a run whose process was killed.
func becomes(t *testing.T, server core.Orchestrator, id core.UUID, state, says string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := server.FlowRun(ctx, id)
	for err == nil && r.StateName != state {
		r, err = server.WaitFlowRun(ctx, id, r.StateID, 30)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := core.Deref(r.State.Message); !strings.Contains(got, says) {
		t.Errorf("%s is %s: %q, want %q", r.Name, r.StateName, got, says)
	}
}

// Whatever way a Go program runs a flow, its death is noticed: the run ends
// Crashed, or waits to be resumed where a worker can do that.
func TestKilledProgramsLeaveNoRunRunning(t *testing.T) {
	server := startApp(t, embed.Config{NoUI: true})
	api := server.Client()
	list := func(f core.Filters, p core.Page) ([]*core.FlowRun, error) { return api.FlowRuns(t.Context(), f, p) }
	type row struct{ name, state, says string }
	const alone = "a run without a deployment cannot resume elsewhere"
	var all []row
	var runs [][]*core.FlowRun
	var killed []*process
	note := func(r row, dir string, n int, p *process) {
		t.Helper()
		found := runsIn(t, list, dir)
		if len(found) != n {
			t.Fatalf("%s: %d runs, want %d", r.name, len(found), n)
		}
		for _, x := range found {
			if x.StateType != core.Running {
				t.Fatalf("%s: %s is %s", r.name, x.Name, x.StateName)
			}
		}
		all, runs, killed = append(all, r), append(runs, found), append(killed, p)
	}
	env := []string{"FLOWLITE_API_URL=" + api.URL()}
	args := func(dir string) []string { return []string{"-p", "tasks=2", "-p", "hang=1", "-p", "dir=" + dir} }

	dir := t.TempDir()
	note(row{"FLOWLITE_API_URL", "Crashed", alone}, dir, 1, begin(t, flowBinary, env, "hanging", append([]string{"run", "chain"}, args(dir)...)...))

	dir = t.TempDir() // with a subflow, which ends with the run that it is part of
	note(row{"Connect", "Crashed", ""}, dir, 2, begin(t, flowBinary, nil, "hanging", "connect", api.URL(), dir))

	dir = t.TempDir()
	p := begin(t, flowBinary, env, "", "serve")
	var d *core.Deployment
	eventually(t, "the flow is served", func() (err error) {
		d, err = api.DeploymentByName(t.Context(), "chain", "serve")
		return err
	})
	served := core.DeploymentFlowRunCreate{Parameters: core.ToJSON(map[string]any{"tasks": 2, "hang": 1, "dir": dir})}
	if _, err := api.CreateDeploymentFlowRun(t.Context(), d.ID, served); err != nil {
		t.Fatal(err)
	}
	p.until("hanging")
	note(row{"serve", "Resuming", "has not been heard of"}, dir, 1, p)

	for _, p := range killed {
		_ = p.cmd.Process.Kill()
		if code := p.wait(); code != -1 {
			t.Fatal("a killed process exits with", code)
		}
	}
	for i, r := range all {
		for _, run := range runs[i] {
			t.Logf("%s: %s", r.name, run.Name)
			becomes(t, api, run.ID, r.state, r.says)
		}
	}
}

// The runs of a killed program with an App are noticed by another program on
// its database, or by its own next start.
func TestKilledAppLeavesNoRunRunning(t *testing.T) {
	watch := func(api *client.Client) func(core.Filters, core.Page) ([]*core.FlowRun, error) {
		return func(f core.Filters, p core.Page) ([]*core.FlowRun, error) { return api.FlowRuns(t.Context(), f, p) }
	}
	url, dir := postgres(t), t.TempDir()
	other := startApp(t, embed.Config{NoUI: true, DatabaseURL: url})
	lost := begin(t, appBinary, nil, "hanging", url, dir)
	runs := runsIn(t, watch(other.Client()), dir)
	_ = lost.cmd.Process.Kill()

	home := t.TempDir()
	file := "sqlite:" + home + "/x.db"
	again := begin(t, appBinary, nil, "hanging", file, home)
	_ = again.cmd.Process.Kill()
	_ = again.wait()
	next := startApp(t, embed.Config{NoUI: true, DatabaseURL: file, Home: home})
	runs2 := runsIn(t, watch(next.Client()), home)

	if len(runs) != 1 || len(runs2) != 1 {
		t.Fatal(len(runs), len(runs2))
	}
	becomes(t, other.Client(), runs[0].ID, "Crashed", "cannot resume elsewhere")
	becomes(t, next.Client(), runs2[0].ID, "Crashed", "cannot resume elsewhere")
}
