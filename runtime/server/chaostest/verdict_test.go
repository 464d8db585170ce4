package chaostest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// verdict is what must hold once nothing is broken any more.
type verdict struct {
	*testing.T
	w       *fixture
	l       *load
	f       *faults
	runs    map[core.UUID][]*core.FlowRun // by deployment
	began   time.Time
	printed map[string]int
	held    []held
	taken   int64 // runs that went to another process
	again   int   // effects that happened a second time
}

// held is how long a task held a slot of the global limit, by its own word.
type held struct{ from, to int64 }

// calm is how long after its end a fault may still be felt: leases run out,
// connections are found dead, and what waited is tried again.
const calm = 30 * time.Second

var live = []core.StateType{core.Scheduled, core.Pending, core.Running, core.Paused, core.Cancelling}

func newVerdict(w *fixture, l *load, f *faults) *verdict {
	return &verdict{T: w.t, w: w, l: l, f: f, printed: map[string]int{}, runs: map[core.UUID][]*core.FlowRun{}, began: time.Now()}
}

// say reports the first few of a kind: the hundredth says no more.
func (v *verdict) say(kind, format string, args ...any) {
	v.Helper()
	v.Fail()
	if v.printed[kind]++; v.printed[kind] <= 10 {
		v.Logf("WRONG, "+kind+": "+format, args...)
	}
}

func (v *verdict) eventually(limit time.Duration, what string, yes func(context.Context) bool) {
	v.Helper()
	if !within(limit, func() bool { return yes(context.Background()) }) {
		v.say("calm", "not within %s of the last fault: %s", limit, what)
	}
}

// settle waits until what was begun is done, up to a bound for each part.
func (v *verdict) settle() {
	none := func(n int64, err error) bool { return err == nil && n == 0 }
	due := core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: live}}, ExpectedStartTime: &core.TimeFilter{Before: v.l.until}}}
	v.eventually(4*time.Minute, "every run that was due is final", func(ctx context.Context) bool { return none(v.w.store.CountFlowRuns(ctx, due)) })
	for _, c := range v.l.clocks {
		v.l.must("POST", "/deployments/"+c.ID.String()+"/pause_deployment", nil, nil)
	}
	v.eventually(2*time.Minute, "the automation has fired for every completed run", func(ctx context.Context) bool {
		done, err := v.w.store.CountFlowRuns(ctx, runsOf(v.l.plain.ID, core.Completed))
		fired, err2 := v.w.store.CountFlowRuns(ctx, runsOf(v.l.fired.ID))
		return err == nil && err2 == nil && fired >= done
	})
	all := core.Filters{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: live}}}}
	v.eventually(time.Minute, "every run is final", func(ctx context.Context) bool { return none(v.w.store.CountFlowRuns(ctx, all)) })
	v.eventually(30*time.Second, "no process of a flow is left", func(context.Context) bool { return len(v.w.flowPIDs()) == 0 })
	v.eventually(30*time.Second, "no lease of a run is left", func(ctx context.Context) bool {
		leases, err := v.w.store.ExpiredLeases(ctx, core.Forever, 1)
		return err == nil && len(leases) == 0
	})
	v.eventually(100*time.Second, "all slots are free", func(ctx context.Context) bool {
		limited, err := v.w.store.Deployment(ctx, v.l.limited.ID)
		return err == nil && none(v.w.store.SlotsHeld(ctx, v.l.limit.ID, core.Now())) && none(v.w.store.SlotsHeld(ctx, limited.GlobalConcurrencyLimit.ID, core.Now()))
	})
	for i := range v.w.servers {
		v.eventually(time.Minute, fmt.Sprintf("server %d is ready", i), func(context.Context) bool { return v.w.ready(i) })
	}
	v.eventually(time.Minute, "all workers are online", func(ctx context.Context) bool {
		pool, err := v.w.store.WorkPoolByName(ctx, "chaos")
		if err != nil {
			return false
		}
		all, err := v.w.store.Workers(ctx, pool.ID, nil, core.Page{})
		return err == nil && len(all) == workers && !slices.ContainsFunc(all, func(w *core.Worker) bool { return w.Status != core.Online })
	})
}

func (v *verdict) check() {
	v.read()
	v.checkOrders()
	total, states := 0, map[core.StateType]int{}
	for _, d := range append([]*core.Deployment{v.l.plain, v.l.slots, v.l.limited, v.l.fired}, v.l.clocks...) {
		for _, r := range v.runs[d.ID] {
			total++
			states[r.StateType]++
			v.checkRun(d, r)
		}
	}
	for _, c := range v.l.clocks {
		v.checkClock(c)
	}
	v.checkAutomation()
	v.checkLimits()
	for _, b := range v.w.answers.failures(func(at time.Time) bool { return v.f.during(at, calm) }) {
		v.say("answers", "%s", b)
	}
	for _, p := range append(slices.Clone(v.w.servers), v.w.workers...) {
		p.mu.Lock()
		ends := slices.Clone(p.ends)
		p.mu.Unlock()
		for _, at := range ends {
			if !v.f.during(at, calm) {
				v.say("processes", "%s ended by itself at %s", p.name, at.Format("15:04:05.000"))
			}
		}
		v.Logf("%s ended by itself %d times", p.name, len(ends))
	}
	v.Logf("%d faults; %d runs: %v; %d times a run went on in another process, %d effects happened again; answers: %v; calm after %s",
		len(v.f.windows), total, states, v.taken, v.again, v.w.answers.count, time.Since(v.began).Round(time.Second))
}

// read takes all runs but slots yet to come.
func (v *verdict) read() {
	for offset := 0; ; offset += core.MaxLimit {
		some, err := v.w.store.FlowRuns(context.Background(), core.Filters{}, core.Page{Sort: "ID_DESC", Limit: core.MaxLimit, Offset: offset})
		if err != nil {
			v.Fatal(err)
		}
		for _, r := range some {
			v.runs[r.DeploymentID] = append(v.runs[r.DeploymentID], r)
		}
		if len(some) < core.MaxLimit {
			return
		}
	}
}

func (v *verdict) checkOrders() {
	seen := map[string]int{}
	for _, d := range []*core.Deployment{v.l.plain, v.l.slots, v.l.limited} {
		for _, r := range v.runs[d.ID] {
			seen[core.Deref(r.IdempotencyKey)]++
		}
	}
	for name := range v.l.asked {
		if seen[name] != 1 {
			v.say("orders", "%s was acknowledged, and there are %d runs of it", name, seen[name])
		}
	}
	if len(seen) != len(v.l.asked) {
		v.say("orders", "%d were acknowledged, %d are there", len(v.l.asked), len(seen))
	}
}

func (v *verdict) checkRun(d *core.Deployment, r *core.FlowRun) {
	name := fmt.Sprintf("run %s of %s", r.ID, d.Name)
	spent := r.StateType == core.Crashed && r.Recoveries >= core.MaxRecoveries
	if r.StateType != core.Completed && !spent {
		v.say("runs", "%s is %s: %s", name, r.StateName, core.Deref(r.State.Message))
	}
	v.taken += r.Recoveries
	lines := v.lines(r.ID)
	n, _ := strconv.Atoi(fmt.Sprint(r.Parameters.Map()["tasks"]))
	v.checkTasks(name, r, n)
	v.checkEffects(name, r, n, lines)
}

// checkTasks: a task that has completed does not run again.
func (v *verdict) checkTasks(name string, r *core.FlowRun, n int) {
	ctx := context.Background()
	all, err := v.w.store.TaskRunsOf(ctx, r.ID, core.UUID{}, 1000)
	if err != nil {
		v.Fatal(err)
	}
	if r.StateType == core.Completed && len(all) != n {
		v.say("tasks", "%s has %d task runs, want %d", name, len(all), n)
	}
	for _, task := range all {
		states, err := v.w.store.TaskRunStates(ctx, task.ID)
		if err != nil {
			v.Fatal(err)
		}
		done := 0
		for _, s := range states {
			if done > 0 {
				v.say("tasks", "%s, %s: %s after it had completed", name, task.Name, s.Name)
			}
			if s.Type == core.Completed {
				done++
			}
		}
		if r.StateType == core.Completed && done != 1 {
			v.say("tasks", "%s, %s completed %d times", name, task.Name, done)
		}
	}
}

// line is what a flow said of itself.
type line struct {
	at                    int64
	process, what, detail string
	n                     int
}

func (v *verdict) lines(id core.UUID) (all []line) {
	text, err := os.ReadFile(filepath.Join(v.w.dir, "effects", id.String()))
	if err != nil && !os.IsNotExist(err) {
		v.Fatal(err)
	}
	for row := range strings.Lines(string(text)) {
		var l line
		if _, err := fmt.Sscan(row, &l.at, &l.process, &l.what, &l.n, &l.detail); err != nil {
			v.Fatalf("%q: %v", row, err)
		}
		all = append(all, l)
	}
	return all
}

// checkEffects: a task's effect happened, under one key, and the completion
// that is recorded is that of one process. Another process may have done the
// same, but only as the last thing that it did: it was ended, or its run taken
// from it, between the effect and the record.
func (v *verdict) checkEffects(name string, r *core.FlowRun, n int, lines []line) {
	recorded, keys := map[int]string{}, map[int]string{}
	effects := map[string][]int{} // of each process, in order
	entered := map[string]int64{}
	for _, l := range lines {
		switch l.what {
		case "recorded":
			if by := recorded[l.n]; by != "" && by != l.detail {
				v.say("effects", "%s, task %d was recorded as done by %s and by %s", name, l.n, by, l.detail)
			}
			recorded[l.n] = l.detail
		case "effect":
			if k := keys[l.n]; k != "" && k != l.detail {
				v.say("effects", "%s, task %d has the keys %s and %s", name, l.n, k, l.detail)
			}
			if keys[l.n] != "" {
				v.again++
			}
			keys[l.n] = l.detail
			effects[l.process] = append(effects[l.process], l.n)
		case "in":
			entered[fmt.Sprint(l.process, l.n)] = l.at
		case "out":
			v.held = append(v.held, held{entered[fmt.Sprint(l.process, l.n)], l.at})
		}
	}
	if r.StateType == core.Completed {
		for i := range n {
			if !slices.Contains(effects[recorded[i]], i) {
				v.say("effects", "%s completed without the effect of task %d", name, i)
			}
		}
	}
	for process, did := range effects {
		for i, task := range did {
			if slices.Contains(did[:i], task) {
				v.say("effects", "%s: process %s did task %d twice", name, process, task)
			}
			if recorded[task] != process && i < len(did)-1 {
				v.say("effects", "%s: process %s went on after task %d although that was not recorded as its", name, process, task)
			}
		}
	}
	if most := int(r.Recoveries) + 1; len(effects) > most {
		v.say("effects", "%s was executed by %d processes, and recovered %d times", name, len(effects), r.Recoveries)
	}
}

// checkClock wants one run for each slot from the first to the end.
func (v *verdict) checkClock(d *core.Deployment) {
	var slots []core.Time
	for _, r := range v.runs[d.ID] {
		if r.ExpectedStartTime <= v.l.until {
			slots = append(slots, r.ExpectedStartTime)
		}
	}
	slices.Sort(slots)
	if len(slots) == 0 || v.l.until.Sub(slots[len(slots)-1]) > clockEvery {
		v.say("schedules", "%s has %d slots and should have one up to %s", d.Name, len(slots), v.l.until)
	}
	for i := 1; i < len(slots); i++ {
		if slots[i].Sub(slots[i-1]) != clockEvery {
			v.say("schedules", "%s: after the slot of %s comes that of %s", d.Name, slots[i-1], slots[i])
		}
	}
}

func (v *verdict) checkAutomation() {
	fired := map[string]int{}
	for _, r := range v.runs[v.l.fired.ID] {
		of, _ := r.Parameters.Map()["of"].(string)
		fired[of]++
	}
	for _, r := range v.runs[v.l.plain.ID] {
		want := 0
		if r.StateType == core.Completed {
			want = 1
		}
		if n := fired[r.ID.String()]; n != want {
			v.say("automation", "it fired %d times for run %s, which is %s", n, r.ID, r.StateName)
		}
		delete(fired, r.ID.String())
	}
	if len(fired) > 0 {
		v.say("automation", "it fired for runs that are not there: %v", fired)
	}
}

// checkLimits: neither the database saw more than the limits allow, nor did the tasks.
func (v *verdict) checkLimits() {
	for _, o := range v.l.over {
		v.say("limits", "%s", o)
	}
	type edge struct {
		at   int64
		step int
	}
	var edges []edge
	for _, h := range v.held {
		edges = append(edges, edge{h.from, 1}, edge{h.to, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step)) })
	most, now := 0, 0
	for _, e := range edges {
		now += e.step
		most = max(most, now)
	}
	if most > slotLimit {
		v.say("limits", "%d tasks held one of %d slots at a time", most, slotLimit)
	}
	v.Logf("%d tasks held a slot, at most %d at a time", len(v.held), most)
}

// explain prints what a developer needs.
func (v *verdict) explain() {
	ctx := context.Background()
	for _, all := range v.runs {
		for _, r := range all {
			if r.StateType.Final() {
				continue
			}
			v.Logf("run %s %s since %s, recovered %d times: %s", r.ID, r.StateName, r.StateTimestamp, r.Recoveries, core.Deref(r.State.Message))
		}
	}
	leases, err := v.w.store.ExpiredLeases(ctx, core.Forever, 100)
	for _, l := range leases {
		v.Logf("lease of %s: worker %s, until %s", l.FlowRunID, l.Worker, l.Expires)
	}
	if err != nil {
		v.Log(err)
	}
	slots, _ := v.w.store.SlotLeases(ctx, v.l.limit.ID, core.Now())
	for _, s := range slots {
		v.Logf("slots of %s: %d until %s", s.Holder, s.Slots, s.Expires)
	}
	for _, w := range v.f.windows {
		v.Logf("%s to %s: %s", w.from.Format("15:04:05.000"), w.to.Format("15:04:05.000"), w.what)
	}
	v.Log(v.w.tails())
}
