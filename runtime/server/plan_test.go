package server

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
)

var (
	planFor  = flag.Duration("plan.for", 8*time.Second, "how long TestEachSlotOnce goes on changing a deployment")
	planSeed = flag.Uint64("plan.seed", 0, "seed of TestEachSlotOnce; 0 takes one by chance and prints it")
)

// TestEachSlotOnce redeploys, edits, pauses and resumes a deployment at random
// while its slots come due each second, and then counts: each slot of the time
// has one run, which was executed once.
//
//	go test ./runtime/server -run TestEachSlotOnce -v -plan.for=5m -plan.seed=7
func TestEachSlotOnce(t *testing.T) {
	seed := *planSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d: run it again with -plan.seed=%d -plan.for=%s", seed, seed, *planFor)
			p := newPlanned(t, e.URL(t), rand.New(rand.NewPCG(seed, 0)))
			end := time.NewTimer(*planFor)
			for done := false; !done; {
				pause := time.NewTimer(time.Duration(p.rand.IntN(400)) * time.Millisecond)
				select {
				case <-end.C:
					done = true
				case <-pause.C:
					p.step()
				}
			}
			p.count()
		})
	}
}

// planned is a deployment of two schedules, told apart by the parameter s of
// their runs, under a server with a worker.
type planned struct {
	*Server
	t    *testing.T
	ctx  context.Context
	rand *rand.Rand
	id   core.UUID
	flow core.UUID

	given []core.ScheduleCreate
	x     int // a parameter of the deployment

	changes int

	mu       sync.Mutex
	executed map[core.UUID]int
	taken    map[core.UUID]bool // by a worker that takes runs before they are due
	certain  []certainty
}

// certainty is what the schedules were between two changes.
type certainty struct {
	from, to  core.Time
	schedules []*core.Schedule // those that are active
	after     string           // the last change in it
}

func newPlanned(t *testing.T, database string, r *rand.Rand) *planned {
	p := &planned{t: t, ctx: t.Context(), rand: r, executed: map[core.UUID]int{}, taken: map[core.UUID]bool{}}
	cfg := testConfig(t)
	cfg.DatabaseURL, cfg.Worker, cfg.Flows = database, true, []string{"f"}
	ready := make(chan struct{})
	cfg.InProcess = func(ctx context.Context, c core.Claim) (bool, error) {
		<-ready
		p.mu.Lock()
		p.executed[c.FlowRun.ID]++
		p.mu.Unlock()
		for _, state := range []core.StateType{core.Running, core.Completed} {
			if _, err := p.Service().SetFlowRunState(ctx, c.FlowRun.ID, core.StateCreate{Type: state}, false); err != nil {
				return true, err
			}
		}
		return true, nil
	}
	p.Server = start(t, cfg)
	close(ready)
	f, err := p.Service().CreateFlow(p.ctx, core.FlowCreate{Name: "f"})
	p.ok(err)
	p.flow = f.ID
	p.given = []core.ScheduleCreate{
		{Rule: core.JSON(`{"cron":"* * * * * *"}`), Parameters: core.JSON(`{"s":"cron"}`)},
		{Rule: core.JSON(`{"interval":1}`), Parameters: core.JSON(`{"s":"interval"}`)},
	}
	if r.IntN(2) == 0 {
		p.given[0].Slug, p.given[1].Slug = core.Ptr("a"), core.Ptr("b")
	}
	p.deploy()
	p.note("deploy", core.Now())
	return p
}

func (p *planned) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *planned) deploy() {
	d, err := p.Service().CreateDeployment(p.ctx, core.DeploymentCreate{Name: "d", FlowID: p.flow, WorkPoolName: core.Some("default"),
		ParameterOpenAPISchema: core.Some(core.JSON(`{}`)), Parameters: core.Some(core.ToJSON(map[string]int{"x": p.x})),
		Schedules: core.Some(p.given)})
	p.ok(err)
	p.id = d.ID
}

func (p *planned) patch(u core.DeploymentUpdate) { p.ok(p.Service().UpdateDeployment(p.ctx, p.id, u)) }

// step is a change by chance. What holds after it is noted.
func (p *planned) step() {
	d, err := p.Store().Deployment(p.ctx, p.id)
	p.ok(err)
	which := p.rand.IntN(len(d.Schedules))
	s := d.Schedules[which]
	change := func(u core.ScheduleUpdate) { p.ok(p.Service().UpdateSchedule(p.ctx, p.id, s.ID, u)) }
	steps := []struct {
		name string
		do   func()
	}{
		{"deploy again", p.deploy},
		{"deploy with other parameters", func() { p.x++; p.deploy() }},
		{"patch the description", func() { p.patch(core.DeploymentUpdate{Description: core.Some("new")}) }},
		{"patch the parameters", func() {
			p.x++
			p.patch(core.DeploymentUpdate{Parameters: core.Some(core.ToJSON(map[string]int{"x": p.x}))})
		}},
		{"move to another queue", func() {
			p.patch(core.DeploymentUpdate{WorkQueueName: core.Some([]string{"default",
				"other"}[p.rand.IntN(2)])})
		}},
		{"pause", func() { p.ok(p.Service().PauseDeployment(p.ctx, p.id)) }},
		{"resume", func() { p.ok(p.Service().ResumeDeployment(p.ctx, p.id)) }},
		{"pause a schedule", func() { change(core.ScheduleUpdate{Active: core.Some(false)}) }},
		{"edit a schedule", func() { p.edit(s); change(core.ScheduleUpdate{Rule: core.Some(p.of(s).Rule)}) }},
		{"deploy an edited schedule", func() { p.edit(s); p.deploy() }},
		{anew, func() {
			if p.of(s).Rule.Map()["interval"] != nil {
				return // it would count from now
			}
			p.ok(p.Service().DeleteSchedule(p.ctx, p.id, s.ID))
			_, err := p.Service().CreateSchedules(p.ctx, p.id, []core.ScheduleCreate{*p.of(s)})
			p.ok(err)
		}},
		{"take a run early", p.take}, {"take a run early", p.take}, {"take a run early", p.take},
		{"schedule", func() { _, err := p.Service().ScheduleRuns(p.ctx); p.ok(err) }},
	}
	x := steps[p.rand.IntN(len(steps))]
	for i, s := range d.Schedules { // nothing stays paused for long
		if p.rand.IntN(3) == 0 && (d.Paused || !s.Active) {
			x.name, x.do = "resume", func() {
				p.ok(p.Service().ResumeDeployment(p.ctx, p.id))
				p.ok(p.Service().UpdateSchedule(p.ctx, p.id, d.Schedules[i].ID, core.ScheduleUpdate{Active: core.Some(true)}))
			}
		}
	}
	before := core.Now()
	x.do()
	p.note(x.name, before)
}

// of is what was given of a stored schedule.
func (p *planned) of(s *core.Schedule) *core.ScheduleCreate {
	for i := range p.given {
		if p.given[i].Parameters.Map()["s"] == s.Parameters.Map()["s"] {
			return &p.given[i]
		}
	}
	p.t.Fatalf("no schedule like %s was given", s.Parameters)
	return nil
}

// edit lets a schedule fire each second, or each other one.
func (p *planned) edit(s *core.Schedule) {
	rules := [][]string{{`{"cron":"* * * * * *"}`, `{"cron":"* * * * * */2"}`}, {`{"interval":1}`, `{"interval":2}`}}
	kind := 0
	if p.of(s).Rule.Map()["interval"] != nil {
		kind = 1
	}
	p.of(s).Rule = core.JSON(rules[kind][p.rand.IntN(2)])
}

// take makes a run PENDING that is not due for some seconds, as Prefect's workers do.
func (p *planned) take() {
	runs, err := p.Store().PlannedRuns(p.ctx, p.id, core.Now().Add(50*time.Millisecond))
	p.ok(err)
	if len(runs) == 0 {
		return
	}
	r := runs[p.rand.IntN(min(len(runs), 6))]
	result, err := p.Service().SetFlowRunState(p.ctx, r.ID, core.StateCreate{Type: core.Pending}, false)
	if core.IsNotFound(err) || err == nil && result.Status != core.Accept {
		return // somebody else has it
	}
	p.ok(err)
	p.taken[r.ID] = true
}

// note closes the certainty before a change and begins that after it. A change
// that leaves the schedules as they are changes no certainty: what comes due in
// the midst of it is owed, too.
func (p *planned) note(change string, before core.Time) {
	d, err := p.Store().Deployment(p.ctx, p.id)
	p.ok(err)
	c := certainty{from: core.Now(), after: change}
	for _, s := range d.Schedules {
		if s.Active && !d.Paused {
			c.schedules = append(c.schedules, s)
		}
	}
	p.changes++
	n := len(p.certain) - 1
	if n >= 0 && change != anew && slices.EqualFunc(c.schedules, p.certain[n].schedules, func(a, b *core.Schedule) bool {
		return a.ID == b.ID && string(a.Rule) == string(b.Rule)
	}) {
		p.certain[n].after = change
		return
	}
	if n >= 0 {
		p.certain[n].to = before
	}
	p.certain = append(p.certain, c)
}

// anew is the change in whose midst a schedule is not there.
const anew = "make a schedule anew"

// count ends the time, waits for what is due and compares.
func (p *planned) count() {
	before := core.Now()
	p.ok(p.Service().PauseDeployment(p.ctx, p.id))
	p.note("the end", before)
	if last := &p.certain[len(p.certain)-1]; len(last.schedules) == 0 {
		last.to = core.Now()
	}
	for id := range p.taken {
		for _, state := range []core.StateType{core.Running, core.Completed} {
			_, err := p.Service().SetFlowRunState(p.ctx, id, core.StateCreate{Type: state}, true)
			p.ok(err)
		}
	}
	all := core.Filters{Deployments: &core.DeploymentFilter{ID: &core.IDFilter{Any: []core.UUID{p.id}}}}
	var runs []*core.FlowRun
	bustest.Soon(p.t, "all runs have ended", func() bool {
		runs = nil
		for {
			page, err := p.Store().FlowRuns(p.ctx, all, core.Page{Limit: core.MaxLimit, Offset: len(runs)})
			p.ok(err)
			runs = append(runs, page...)
			if len(page) < core.MaxLimit {
				break
			}
		}
		for _, r := range runs {
			if !r.StateType.Final() {
				return false
			}
		}
		return true
	})
	type slot struct {
		schedule any
		at       core.Time
	}
	made := map[slot]*core.FlowRun{}
	for _, r := range runs {
		at := slot{r.Parameters.Map()["s"], r.ExpectedStartTime}
		if other := made[at]; other != nil {
			p.t.Errorf("slot %s of %v has two runs: %s and %s", at.at, at.schedule, other.ID, r.ID)
		}
		made[at] = r
		want := 1
		if p.taken[r.ID] {
			want = 0 // by its own worker
		}
		if n := p.executed[r.ID]; n != want || r.StateType != core.Completed {
			p.t.Errorf("the run of slot %s was executed %d times and is %s, want %d", at.at, n, r.StateType, want)
		}
	}
	owed := 0
	wanted := map[slot]bool{}
	for _, c := range p.certain {
		for _, s := range c.schedules {
			rule, err := schedule.Parse(s.Rule)
			p.ok(err)
			for _, at := range rule.Between(c.from, c.to-1, 10_000) {
				owed++
				x := slot{s.Parameters.Map()["s"], at}
				if wanted[x] = true; made[x] == nil {
					p.t.Errorf("slot %s of %v has no run; the last change then was %q", at, x.schedule, c.after)
				}
			}
		}
	}
	for x, r := range made {
		for _, c := range p.certain {
			if x.at > c.from && x.at < c.to && !wanted[x] && !p.taken[r.ID] {
				p.t.Errorf("slot %s of %v has a run that nobody wanted; the last change then was %q", x.at, x.schedule, c.after)
			}
		}
	}
	if p.t.Logf("%d changes, %d slots owed, %d runs, %d taken early", p.changes, owed, len(made), len(p.taken)); owed == 0 {
		p.t.Error("no slot came due")
	}
}
