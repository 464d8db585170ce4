package main_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/core"
)

var (
	killRounds = flag.Int("kill.rounds", 40, "rounds of TestKill; TestKillApart has 16 in place of 40")
	killSeed   = flag.Uint64("kill.seed", 1, "their seed")
)

// slot is the step of the schedule that runs throughout the kill tests.
const slot = 2 * time.Second

// killing is what both kill tests do: order runs of chain, kill, look.
type killing struct {
	t       *testing.T
	p       *program // the server
	rnd     *rand.Rand
	effects string
	asked   int
	chain   core.Deployment
}

// deploySchedule deploys chain a second time, by the clock.
func (k *killing) deploySchedule() {
	k.t.Helper()
	body := map[string]any{"name": "clock", "flow_id": k.chain.FlowID, "entrypoint": k.chain.Entrypoint, "path": k.chain.Path,
		"work_pool_name": k.chain.WorkPoolName, "parameters": map[string]any{"tasks": 2, "millis": 5, "dir": k.effects},
		"schedules": []any{map[string]any{"schedule": map[string]any{"cron": "* * * * * */2"}}}}
	if err := k.p.call("POST", "/deployments/", body, nil); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killing) order() {
	k.t.Helper()
	for range 1 + k.rnd.IntN(2) {
		body := map[string]any{"parameters": map[string]any{"tasks": 2 + k.rnd.IntN(5), "millis": k.rnd.IntN(60), "dir": k.effects}}
		if err := k.p.call("POST", "/deployments/"+k.chain.ID.String()+"/create_flow_run", body, nil); err != nil {
			k.t.Fatal(err)
		}
		k.asked++
	}
}

// moment is the random point, not a wait for something.
func (k *killing) moment() { <-time.After(time.Duration(k.rnd.IntN(500)) * time.Millisecond) }

// settle waits until every run that is due is final. The slots that are yet to
// come stay.
func (k *killing) settle() (until core.Time) {
	k.t.Helper()
	until = core.Now()
	live := map[string]any{"flow_runs": map[string]any{
		"expected_start_time": map[string]any{"before_": until},
		"state": map[string]any{"type": map[string]any{
			"not_any_": []core.StateType{core.Completed, core.Failed, core.Crashed, core.Cancelled}}}}}
	k.p.eventually(4*time.Minute, "every run is final", func() bool {
		var n int64
		return k.p.call("POST", "/flow_runs/count", live, &n) == nil && n == 0
	})
	return until
}

// TestKill kills the program or a flow's process at random moments, starts it
// again, and then looks into the database: every run is final, no task that
// had completed was started again, and each slot of a schedule has one run.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	t.Parallel()
	home := t.TempDir()
	k := &killing{t: t, effects: t.TempDir(), rnd: rand.New(rand.NewPCG(*killSeed, 2026))}
	k.p = newProgram(t, home, "--flows", "testdata/flows")
	k.p.start()
	t.Cleanup(func() { k.p.kill(syscall.SIGKILL) })
	k.p.eventually(2*time.Minute, "chain/local is deployed", func() bool {
		return k.p.call("GET", "/deployments/name/chain/local", nil, &k.chain) == nil
	})
	k.deploySchedule()
	for range *killRounds {
		k.order()
		k.moment()
		if pid := flowProcess(k.p, k.rnd); pid > 0 && k.rnd.IntN(3) == 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			continue
		}
		k.p.kill(syscall.SIGKILL)
		k.p.start()
	}
	until := k.settle()
	k.p.kill(syscall.SIGTERM)
	k.check(filepath.Join(home, "flowlite.db"), until)
}

// TestKillApart has server and worker as two processes, and kills the one, the
// other or both. The runs of a killed worker wait for its leases to expire.
func TestKillApart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs; left out with -short")
	}
	t.Parallel()
	home := t.TempDir()
	k := &killing{t: t, effects: t.TempDir(), rnd: rand.New(rand.NewPCG(*killSeed, 2027))}
	k.p = newCommand(t, home, "server", "start")
	k.p.start()
	t.Cleanup(func() { k.p.kill(syscall.SIGKILL) })
	client := func(args ...string) *program {
		c := newCommand(t, home, args...)
		c.at(k.p.port)
		return c
	}
	client("work-pool", "create", "apart", "-t", "process").succeeds()
	client("deploy", "testdata/flows/chain.go:Chain", "-n", "far", "-p", "apart").succeeds()
	if err := k.p.call("GET", "/deployments/name/chain/far", nil, &k.chain); err != nil {
		t.Fatal(err)
	}
	k.deploySchedule()
	w := client("worker", "start", "--pool", "apart")
	w.launch()
	t.Cleanup(func() { w.kill(syscall.SIGKILL) })
	for range *killRounds * 2 / 5 {
		k.order()
		k.moment()
		which := k.rnd.IntN(3)
		if which != 0 {
			w.kill(syscall.SIGKILL)
		}
		if which != 1 {
			k.p.kill(syscall.SIGKILL)
			k.p.start()
		}
		if which != 0 {
			w.launch()
		}
	}
	until := k.settle()
	w.succeedsOn(syscall.SIGTERM)
	k.p.kill(syscall.SIGTERM)
	k.check(filepath.Join(home, "flowlite.db"), until)
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

func (k *killing) check(file string, until core.Time) {
	t := k.t
	t.Helper()
	ctx := context.Background()
	store, err := db.Open(ctx, "sqlite:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	outcome := map[core.StateType]int{}
	var slots []core.Time
	total := 0
	for offset := 0; ; offset += core.MaxLimit {
		runs, err := store.FlowRuns(ctx, core.Filters{}, core.Page{Limit: core.MaxLimit, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		if len(runs) == 0 {
			break
		}
		for _, r := range runs {
			if r.ExpectedStartTime > until {
				continue // a slot yet to come
			}
			if r.AutoScheduled {
				slots = append(slots, r.ExpectedStartTime)
			} else {
				total++
			}
			outcome[r.StateType]++
			if r.StateType != core.Completed && r.StateType != core.Crashed {
				t.Errorf("run %s is %s: %s", r.ID, r.StateType, core.Deref(r.State.Message))
			}
			checkTasks(t, store, r, k.effects)
		}
	}
	if total != k.asked {
		t.Errorf("%d runs were acknowledged, %d are there", k.asked, total)
	}
	checkSlots(t, slots, until)
	t.Logf("%d runs and %d slots: %v", total, len(slots), outcome)
}

// checkSlots wants one run for each step from the first to the end.
func checkSlots(t *testing.T, slots []core.Time, until core.Time) {
	t.Helper()
	if len(slots) == 0 {
		t.Fatal("the schedule made no run")
	}
	slices.Sort(slots)
	for i := 1; i < len(slots); i++ {
		if d := slots[i].Sub(slots[i-1]); d != slot {
			t.Errorf("after the slot of %s comes that of %s", slots[i-1], slots[i])
		}
	}
	if last := slots[len(slots)-1]; until.Sub(last) > slot {
		t.Errorf("the last slot is that of %s, and it was %s", last, until)
	}
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
	n, _ := strconv.Atoi(fmt.Sprint(r.Parameters.Map()["tasks"]))
	if len(tasks) != n {
		t.Errorf("run %s has %d task runs, want %d", r.ID, len(tasks), n)
	}
	for i := range n {
		if _, err := os.Stat(filepath.Join(effects, fmt.Sprintf("%s-%d", r.ID, i))); err != nil {
			t.Errorf("run %s completed without the effect of task %d", r.ID, i)
		}
	}
}
