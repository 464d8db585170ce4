package flowlite_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// binaries holds what the tests have built; TestMain removes it.
var binaries = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "flowlite-binaries") })

// built returns a function that builds a program of testdata once and gives its
// path. A test that asks for one is left out with -short.
func built(program string, flags ...string) func(*testing.T) string {
	once := sync.OnceValues(func() (string, error) {
		dir, err := binaries()
		if err != nil {
			return "", err
		}
		bin := filepath.Join(dir, program)
		args := append(append([]string{"build"}, flags...), "-o", bin, "./testdata/"+program)
		out, err := exec.Command("go", args...).CombinedOutput()
		if err != nil {
			err = errors.New(string(out))
		}
		return bin, err
	})
	return func(t *testing.T) string {
		t.Helper()
		if testing.Short() {
			t.Skip("builds a program; left out with -short")
		}
		bin, err := once()
		if err != nil {
			t.Fatal(err)
		}
		return bin
	}
}

// Both are built as for a release: their sizes are tested.
var flowBinary, appBinary = built("program", "-trimpath", "-ldflags=-s -w"), built("app", "-trimpath", "-ldflags=-s -w")

// site is a server with a test in its worker's place: it claims runs, starts
// their processes and says how those ended.
type site struct {
	t      *testing.T
	srv    *server.Server
	svc    *local.Service
	holder core.UUID
	dir    string
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, "")
}

func newSiteOn(t *testing.T, database string) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts programs; left out with -short")
	}
	srv, err := server.New(server.Config{DatabaseURL: database, Port: -1, NoUI: true, NoLoops: true, Home: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	svc := srv.Service()
	if _, err := svc.CreateWorkPool(t.Context(), core.WorkPoolCreate{Name: "default", Type: "process"}); err != nil && core.CodeOf(err) != core.EConflict {
		t.Fatal(err)
	}
	return &site{t: t, srv: srv, svc: svc, holder: core.NewID(), dir: t.TempDir()}
}

// order makes a run of a deployment of the flow.
func (s *site) order(flow string, params map[string]any) *core.FlowRun {
	s.t.Helper()
	f, err := s.svc.CreateFlow(s.t.Context(), core.FlowCreate{Name: flow})
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := s.svc.CreateDeployment(s.t.Context(), core.DeploymentCreate{Name: "local", FlowID: f.ID, WorkPoolName: core.Some("default"), EnforceParameterSchema: core.Some(false)})
	if err != nil {
		s.t.Fatal(err)
	}
	run, err := s.svc.CreateDeploymentFlowRun(s.t.Context(), d.ID, core.DeploymentFlowRunCreate{Parameters: core.ToJSON(params)})
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

func (s *site) claim() core.Claim {
	s.t.Helper()
	res, err := s.svc.Poll(s.t.Context(), core.PollRequest{Pool: "default", Holder: s.holder, Worker: "test", Free: 1, Wait: 10})
	if err != nil || len(res.Claims) != 1 {
		s.t.Fatal("nothing to claim", res, err)
	}
	return res.Claims[0]
}

func (s *site) crash(c core.Claim, message string, recoverable bool) {
	s.t.Helper()
	if _, err := s.svc.ReportCrash(core.WithRunToken(s.t.Context(), c.Token), c.FlowRun.ID, message, recoverable); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) run(id core.UUID) *core.FlowRun {
	s.t.Helper()
	r, err := s.svc.FlowRun(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *site) effects() []string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "effects"))
	return strings.Fields(string(b))
}

// letGo lets the task that hangs go on in the next process.
func (s *site) letGo() {
	if err := os.WriteFile(filepath.Join(s.dir, "go"), nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// process is a flow's process, started as a worker starts it.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string
	said  []string
}

func (s *site) launch(c core.Claim) *process { return s.launchAt(s.srv.APIURL(), c) }

func (s *site) launchAt(api string, c core.Claim) *process {
	s.t.Helper()
	cmd := exec.Command(flowBinary(s.t))
	cmd.Env = append(os.Environ(), "FLOWLITE_API_URL="+api, "FLOWLITE_FLOW_RUN_ID="+c.FlowRun.ID.String(),
		"FLOWLITE_RUN_TOKEN="+c.Token.String(), "FLOWLITE_ENTRYPOINT="+c.Flow.Name, "FLOWLITE_WATCH_STDIN=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p := &process{t: s.t, cmd: cmd, stdin: stdin, lines: make(chan string, 100)}
	s.t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(p.lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			p.lines <- sc.Text()
		}
	}()
	return p
}

// until reads on until the process says text.
func (p *process) until(text string) {
	p.t.Helper()
	for l := range p.lines {
		if p.said = append(p.said, l); l == text {
			return
		}
	}
	p.t.Fatalf("the process never said %q, but %q", text, p.said)
}

// wait returns the exit code; -1 is a death by signal.
func (p *process) wait() int {
	for l := range p.lines {
		p.said = append(p.said, l)
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func TestKilledProcessResumesWithoutRepeating(t *testing.T) {
	s := newSite(t)
	run := s.order("chain", map[string]any{"tasks": 4, "hang": 2, "dir": s.dir})
	c := s.claim()
	p := s.launch(c)
	p.until("hanging")
	_ = p.cmd.Process.Kill()
	if code := p.wait(); code != -1 || s.run(run.ID).StateType != core.Running {
		t.Fatal(code, s.run(run.ID).StateName)
	}
	s.crash(c, "killed", true)
	s.letGo()
	p = s.launch(s.claim())
	if code := p.wait(); code != 0 {
		t.Fatal(code, p.said)
	}
	r := s.run(run.ID)
	if r.StateType != core.Completed || r.RunCount != 1 || string(r.State.Data) != `{"type":"flowlite","value":6}` {
		t.Fatal(r.StateName, r.RunCount, string(r.State.Data))
	}
	if got := s.effects(); !slices.Equal(got, []string{"0", "1", "2", "2", "3"}) {
		t.Fatal("only the task that was under way runs twice:", got)
	}
}

// A killed process is replaced by a version whose input struct has one more field.
func TestEditedProgramRepeatsNothing(t *testing.T) {
	for _, on := range dbtest.Engines(t) {
		t.Run(on.Name, func(t *testing.T) {
			s := newSiteOn(t, on.URL(t))
			t.Setenv("EDITED_DIR", s.dir)
			run := s.order("edited", map[string]any{"tasks": 0, "hang": 0, "dir": s.dir})
			c := s.claim()
			p := s.launch(c)
			p.until("hanging")
			eventually(t, "the start of the third task is stored", func() error {
				tasks, err := s.svc.TaskRunsOf(t.Context(), run.ID, core.UUID{}, 10)
				if err == nil && len(tasks) != 3 {
					err = errors.New("not yet")
				}
				return err
			})
			_ = p.cmd.Process.Kill()
			p.wait()
			s.crash(c, "killed", true)
			t.Setenv("EDITED", "1")
			p = s.launch(s.claim())
			if code := p.wait(); code != 0 || s.run(run.ID).StateType != core.Completed {
				t.Fatal(code, p.said, s.run(run.ID).StateName)
			}
			got := s.effects()
			if len(got) != 4 || got[2] != got[3] {
				t.Fatal("only the task that was under way runs twice, under one idempotency key:", got)
			}
			for i, name := range []string{"reserve:", "charge:", "ship:"} {
				if !strings.HasPrefix(got[i], name) {
					t.Fatal(got)
				}
			}
		})
	}
}

func TestSIGTERMCancels(t *testing.T) {
	s := newSite(t)
	run := s.order("chain", map[string]any{"tasks": 2, "hang": 1, "dir": s.dir})
	p := s.launch(s.claim())
	p.until("hanging")
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 || !slices.Equal(p.said, []string{"hanging", "cause: the run was cancelled", "hook: Cancelled"}) {
		t.Fatal(code, p.said)
	}
	if r := s.run(run.ID); r.StateType != core.Cancelled {
		t.Fatal(r.StateName)
	}
}

func TestCancelFromOutsideEndsTheProcess(t *testing.T) {
	s := newSite(t)
	run := s.order("chain", map[string]any{"tasks": 2, "hang": 0, "dir": s.dir})
	p := s.launch(s.claim())
	p.until("hanging")
	if _, err := s.svc.CancelFlowRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(); code != 0 || !slices.Contains(p.said, "hook: Cancelled") || s.run(run.ID).StateType != core.Cancelled {
		t.Fatal(code, p.said, s.run(run.ID).StateName)
	}
}

func TestEndOfStdinLeavesTheRunAsItStands(t *testing.T) {
	s := newSite(t)
	run := s.order("chain", map[string]any{"tasks": 2, "hang": 1, "deaf": true, "dir": s.dir})
	p := s.launch(s.claim())
	p.until("hanging")
	before := s.run(run.ID).StateID
	_ = p.stdin.Close()
	if code := p.wait(); code != 137 || s.run(run.ID).StateID != before {
		t.Fatal(code, s.run(run.ID).StateName)
	}
}

func TestLostLeaseEndsTheProcess(t *testing.T) {
	s := newSite(t)
	run := s.order("chain", map[string]any{"tasks": 3, "hang": 1, "deaf": true, "dir": s.dir})
	c := s.claim()
	p := s.launch(c)
	p.until("hanging")
	s.crash(c, "not heard of", true) // as the sweep of leases does
	again := s.claim()
	if code := p.wait(); code != 0 {
		t.Fatal(code, p.said)
	}
	if r := s.run(run.ID); r.StateType != core.Pending {
		t.Fatal("the loser wrote", r.StateName)
	}
	s.letGo()
	if code := s.launch(again).wait(); code != 0 || s.run(run.ID).StateType != core.Completed {
		t.Fatal(code, s.run(run.ID).StateName)
	}
}

func TestExitCodeTellsThatNothingWasRecorded(t *testing.T) {
	s := newSite(t)
	run := s.order("stray", nil)
	c := s.claim()
	p := s.launch(c)
	if code := p.wait(); code == 0 || s.run(run.ID).StateType.Final() {
		t.Fatal(code, s.run(run.ID).StateName)
	}
	s.crash(c, "process exited with code 2", false)
	if r := s.run(run.ID); r.StateType != core.Crashed || slices.Contains(p.said, "hook: Crashed") {
		t.Fatal(r.StateName, p.said)
	}
	c.Flow.Name = "unknown"
	if code := s.launch(c).wait(); code == 0 {
		t.Fatal("a flow that the binary does not have")
	}
}
