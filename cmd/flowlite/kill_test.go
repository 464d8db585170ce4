package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
)

var (
	killRounds = flag.Int("kill.rounds", 100, "rounds of the kill test")
	killSeed   = flag.Uint64("kill.seed", 1, "its seed")
)

var buildProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "flowlite-bin")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "flowlite")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// program is a flowlite that a test starts, kills and starts again.
type program struct {
	t    *testing.T
	args []string
	env  []string
	as   *syscall.SysProcAttr
	port string
	api  string
	cmd  *exec.Cmd
	out  bytes.Buffer
}

func newProgram(t *testing.T, home string, args ...string) *program {
	t.Helper()
	bin, err := buildProgram()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	p := &program{t: t, args: append([]string{bin, "up"}, args...), env: append(os.Environ(), "FLOWLITE_HOME="+home)}
	p.at(port)
	return p
}

// at is where the program listens.
func (p *program) at(port string) {
	p.port, p.api = port, "http://127.0.0.1:"+port+"/api"
	p.env = append(p.env, "FLOWLITE_PORT="+port, "FLOWLITE_API_URL="+p.api)
}

func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Env, p.cmd.SysProcAttr = p.env, p.as
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.eventually(30*time.Second, "the server answers", func() bool {
		res, err := http.Get(p.api + "/health")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == 200
	})
}

func (p *program) kill(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig)
	_ = p.cmd.Wait()
	p.cmd = nil
}

// eventually asks again until the answer is yes; the deadline only bounds a failure.
func (p *program) eventually(limit time.Duration, what string, yes func() bool) {
	p.t.Helper()
	deadline, tick := time.After(limit), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("within %s it did not come true that %s\n%s", limit, what, p.out.String())
		}
	}
}

// call does not fail on a dead server: the test kills it.
func (p *program) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, p.api+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// TestKill kills the program or a flow's process at random moments, starts it
// again, and then looks into the database: every run is final, and no task
// that had completed was started again.
func TestKill(t *testing.T) {
	home, effects := t.TempDir(), t.TempDir()
	rnd := rand.New(rand.NewPCG(*killSeed, 2026))
	p := newProgram(t, home, "--flows", "testdata/flows")
	p.start()
	t.Cleanup(func() { p.kill(syscall.SIGKILL) })

	var dep core.Deployment
	p.eventually(2*time.Minute, "chain/local is deployed", func() bool {
		return p.call("GET", "/deployments/name/chain/local", nil, &dep) == nil
	})
	asked := 0
	for round := range *killRounds {
		for range 1 + rnd.IntN(2) {
			body := map[string]any{"parameters": map[string]any{"tasks": 2 + rnd.IntN(5), "millis": rnd.IntN(60), "dir": effects}}
			if err := p.call("POST", "/deployments/"+dep.ID.String()+"/create_flow_run", body, nil); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			asked++
		}
		<-time.After(time.Duration(rnd.IntN(500)) * time.Millisecond) // the random point, not a wait for something
		if pid := flowProcess(p, rnd); pid > 0 && rnd.IntN(3) == 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			continue
		}
		p.kill(syscall.SIGKILL)
		p.start()
	}
	live := map[string]any{"flow_runs": map[string]any{"state": map[string]any{"type": map[string]any{
		"not_any_": []core.StateType{core.Completed, core.Failed, core.Crashed, core.Cancelled}}}}}
	p.eventually(4*time.Minute, "every run is final", func() bool {
		var n int64
		return p.call("POST", "/flow_runs/count", live, &n) == nil && n == 0
	})
	p.kill(syscall.SIGTERM)
	checkRuns(t, filepath.Join(home, "flowlite.db"), effects, asked)
}

func flowProcess(p *program, rnd *rand.Rand) int {
	running := map[string]any{"flow_runs": map[string]any{"state": map[string]any{"type": map[string]any{"any_": []core.StateType{core.Running}}}}}
	var runs []core.FlowRun
	if p.call("POST", "/flow_runs/filter", running, &runs) != nil || len(runs) == 0 {
		return 0
	}
	pid, _ := strconv.Atoi(core.Deref(runs[rnd.IntN(len(runs))].InfrastructurePID))
	return pid
}

func checkRuns(t *testing.T, file, effects string, asked int) {
	t.Helper()
	ctx := context.Background()
	store, err := db.Open(ctx, "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	outcome := map[core.StateType]int{}
	total := 0
	for {
		runs, err := store.FlowRuns(ctx, core.Filters{}, core.Page{Limit: core.MaxLimit, Offset: total})
		if err != nil {
			t.Fatal(err)
		}
		if len(runs) == 0 {
			break
		}
		total += len(runs)
		for _, r := range runs {
			outcome[r.StateType]++
			if r.StateType != core.Completed && r.StateType != core.Crashed {
				t.Errorf("run %s is %s: %s", r.ID, r.StateType, core.Deref(r.State.Message))
			}
			checkTasks(t, store, r, effects)
		}
	}
	if total != asked {
		t.Errorf("%d runs were acknowledged, %d are there", asked, total)
	}
	t.Logf("%d runs: %v", total, outcome)
}

func checkTasks(t *testing.T, store core.Store, r *core.FlowRun, effects string) {
	t.Helper()
	ctx := context.Background()
	tasks, err := store.TaskRunsOf(ctx, r.ID, core.UUID{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		states, err := store.TaskRunStates(ctx, task.ID)
		if err != nil {
			t.Fatal(err)
		}
		done := false
		for _, s := range states {
			if done {
				t.Errorf("run %s, task %s: %s after it had completed", r.ID, task.Name, s.Name)
			}
			done = done || s.Type == core.Completed
		}
	}
	if r.StateType != core.Completed {
		return
	}
	n := int(r.Parameters.Map()["tasks"].(float64))
	if len(tasks) != n {
		t.Errorf("run %s has %d task runs, want %d", r.ID, len(tasks), n)
	}
	for i := range n {
		if _, err := os.Stat(filepath.Join(effects, fmt.Sprintf("%s-%d", r.ID, i))); err != nil {
			t.Errorf("run %s completed without the effect of task %d", r.ID, i)
		}
	}
}
