package orchestrate_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

const everyMinute = `{"cron":"* * * * *"}`

func schedules(list ...core.ScheduleCreate) func(*core.DeploymentCreate) {
	return func(c *core.DeploymentCreate) { c.Schedules = core.Some(list) }
}

func named(name string) func(*core.DeploymentCreate) {
	return func(c *core.DeploymentCreate) { c.Name = name }
}

func ofRule(rule string) core.ScheduleCreate { return core.ScheduleCreate{Rule: core.JSON(rule)} }

// auto returns the deployment's auto-scheduled runs by time.
func auto(h *localtest.Fixture, d *core.Deployment) []*core.FlowRun {
	h.T.Helper()
	list := localtest.Must(h.Store.FlowRuns(h.Ctx, core.Filters{Deployments: &core.DeploymentFilter{ID: &core.IDFilter{Any: []core.UUID{d.ID}}}},
		core.Page{Sort: "EXPECTED_START_TIME_ASC"}))(h.T)
	return slices.DeleteFunc(list, func(r *core.FlowRun) bool { return !r.AutoScheduled })
}

func plan(h *localtest.Fixture, d *core.Deployment) []*core.FlowRun {
	h.T.Helper()
	localtest.Must(h.ScheduleRuns(h.Ctx))(h.T)
	return auto(h, d)
}

func ids(list []*core.FlowRun) []core.UUID {
	var out []core.UUID
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

// once fails unless each slot has one run.
func once(h *localtest.Fixture, d *core.Deployment) {
	h.T.Helper()
	seen := map[core.Time]core.StateType{}
	for _, r := range auto(h, d) {
		if other, twice := seen[r.ExpectedStartTime]; twice {
			h.T.Errorf("slot %s has two runs: %s and %s", r.ExpectedStartTime, other, r.StateType)
		}
		seen[r.ExpectedStartTime] = r.StateType
	}
}

// changes are all ways in which a deployment and its schedules change.
func changes(h *localtest.Fixture, d *core.Deployment) map[string]func() error {
	s := localtest.Must(h.Store.Schedules(h.Ctx, d.ID))(h.T)[0]
	return map[string]func() error{
		"patch": func() error {
			return h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{Description: core.Some("new")})
		},
		"patch parameters": func() error {
			return h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{Parameters: core.Some(core.JSON(`{"x":7}`))})
		},
		"patch schedules": func() error {
			return h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{Schedules: core.Some([]core.ScheduleUpdate{{Rule: core.Some(core.JSON(`{"cron":"0 9 * * *"}`))}})})
		},
		"post":                   func() error { h.Deployed(named(d.Name), schedules(ofRule(everyMinute))); return nil },
		"post without schedules": func() error { h.Deployed(named(d.Name), schedules()); return nil },
		"pause":                  func() error { return h.PauseDeployment(h.Ctx, d.ID) },
		"resume":                 func() error { return h.ResumeDeployment(h.Ctx, d.ID) },
		"add a schedule": func() error {
			_, err := h.CreateSchedules(h.Ctx, d.ID, []core.ScheduleCreate{ofRule(`{"cron":"0 9 * * *"}`)})
			return err
		},
		"edit the schedule": func() error {
			return h.UpdateSchedule(h.Ctx, d.ID, s.ID, core.ScheduleUpdate{Rule: core.Some(core.JSON(`{"cron":"0 9 * * *"}`))})
		},
		"pause the schedule": func() error {
			return h.UpdateSchedule(h.Ctx, d.ID, s.ID, core.ScheduleUpdate{Active: core.Some(false)})
		},
		"delete the schedule": func() error { return h.DeleteSchedule(h.Ctx, d.ID, s.ID) },
	}
}

// No change of a deployment removes a run that is due, waits or was touched.
func TestDueRunsStay(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		for name := range changes(h, h.Deployed(schedules(ofRule(everyMinute)))) {
			d := h.Deployed(named(name), schedules(ofRule(everyMinute)))
			plan(h, d)
			h.Later(3*time.Minute + time.Second)
			localtest.Must(h.MarkLate(h.Ctx))(t)
			runs := plan(h, d)
			late, waiting, renamed := runs[0], runs[1], runs[6]
			if late.StateName != "Late" {
				t.Fatalf("run is %s, want Late", late.StateName)
			}
			wait := core.StateCreate{Type: core.Scheduled, Name: "AwaitingConcurrencySlot",
				Details: core.StateDetails{ScheduledTime: core.Now().Add(time.Hour)}}
			localtest.Must(h.SetFlowRunState(h.Ctx, waiting.ID, wait, true))(t)
			if err := h.UpdateFlowRun(h.Ctx, renamed.ID, core.FlowRunUpdate{Name: core.Some("mine")}); err != nil {
				t.Fatal(err)
			}
			owed := []core.UUID{runs[0].ID, waiting.ID, runs[2].ID, renamed.ID}
			if err := changes(h, d)[name](); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			left := ids(auto(h, d))
			for i, id := range owed {
				if !slices.Contains(left, id) {
					t.Errorf("%s removed owed run %d", name, i)
				}
			}
			plan(h, d)
			once(h, d)
		}
	})
}

// Planned runs keep their ids unless what they would run changes.
func TestPlanStays(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		d := h.Deployed(schedules(ofRule(everyMinute)))
		before := plan(h, d)
		for _, name := range []string{"patch", "post", "resume", "add a schedule"} {
			if err := changes(h, d)[name](); err != nil {
				t.Fatal(err)
			}
			if got := ids(auto(h, d)); !slices.Equal(got, ids(before)) {
				t.Errorf("%s changed the plan", name)
			}
		}
		if err := changes(h, d)["patch parameters"](); err != nil {
			t.Fatal(err)
		}
		after := auto(h, d)
		if len(after) != len(before) {
			t.Errorf("%d runs are planned after the change, want %d at once", len(after), len(before))
		}
		for _, r := range after {
			if string(r.Parameters) != `{"x":7}` && string(r.Parameters) != `{"x": 7}` {
				t.Errorf("a planned run has parameters %s", r.Parameters)
			}
			if slices.Contains(ids(before), r.ID) {
				t.Error("a planned run has its old parameters")
			}
		}
		if err := changes(h, d)["pause"](); err != nil {
			t.Fatal(err)
		}
		if n := len(auto(h, d)); n != 0 {
			t.Errorf("%d runs are planned of a paused deployment", n)
		}
	})
}

// A run that was taken early stands for its slot, whatever becomes of the schedule's row.
func TestSlotOnce(t *testing.T) {
	slug := func(rule string) core.ScheduleCreate {
		return core.ScheduleCreate{Rule: core.JSON(rule), Slug: core.Ptr("s")}
	}
	for name, x := range map[string]struct {
		before, after []core.ScheduleCreate
	}{
		"same rule": {[]core.ScheduleCreate{ofRule(everyMinute)}, []core.ScheduleCreate{ofRule(everyMinute)}},
		"same rule, spelled": {[]core.ScheduleCreate{ofRule(everyMinute)},
			[]core.ScheduleCreate{ofRule(`{"cron":"* * * * *","day_or":true}`)}},
		"same slug":   {[]core.ScheduleCreate{slug(everyMinute)}, []core.ScheduleCreate{slug(`{"cron":"*/1 * * * *"}`)}},
		"rule edited": {[]core.ScheduleCreate{ofRule(everyMinute)}, []core.ScheduleCreate{ofRule(`{"cron":"0-59 * * * *"}`)}},
		"zone changed": {[]core.ScheduleCreate{ofRule(everyMinute)},
			[]core.ScheduleCreate{ofRule(`{"cron":"* * * * *","timezone":"Asia/Tokyo"}`)}},
		"interval, no anchor": {[]core.ScheduleCreate{ofRule(`{"interval":60}`)}, []core.ScheduleCreate{ofRule(`{"interval":60}`)}},
		"slug added":          {[]core.ScheduleCreate{ofRule(everyMinute)}, []core.ScheduleCreate{slug(everyMinute)}},
	} {
		t.Run(name, func(t *testing.T) {
			localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
				h.NextMinute()
				d := h.Deployed(schedules(x.before...))
				first := plan(h, d)[0]
				h.Later(first.ExpectedStartTime.Sub(h.Now()) - 5*time.Second)
				h.Set(first.ID, core.Pending, core.Accept)
				again := func() {
					t.Helper()
					plan(h, d)
					once(h, d)
				}
				stored := localtest.Must(h.Store.Schedules(h.Ctx, d.ID))(t)
				h.Deployed(schedules(x.after...))
				if s := localtest.Must(h.Store.Schedules(h.Ctx, d.ID))(t); s[0].ID != stored[0].ID {
					t.Error("the schedule has another id")
				}
				again()
				// Deleted and made anew.
				for _, s := range localtest.Must(h.Store.Schedules(h.Ctx, d.ID))(t) {
					if err := h.DeleteSchedule(h.Ctx, d.ID, s.ID); err != nil {
						t.Fatal(err)
					}
				}
				if x.before[0].Slug == nil && name != "same rule" {
					return // another schedule
				}
				localtest.Must(h.CreateSchedules(h.Ctx, d.ID, x.after))(t)
				again()
			})
		})
	}
}

// A run that a server of an older version made stands for its slot in any
// state, also if the schedule's row was made anew since.
func TestOldSlots(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		for name, s := range map[string]core.ScheduleCreate{"rule": ofRule(everyMinute), "slug": {Rule: core.JSON(everyMinute),
			Slug: core.Ptr("s")}} {
			d := h.Deployed(named(name), schedules(s))
			shown := core.Deref(s.Slug)
			if shown == "" {
				shown = "CronSchedule"
			}
			next := core.TimeFrom(h.Now().Time().Truncate(time.Minute)).Add(time.Minute)
			old := func(schedule core.UUID, at core.Time, state core.StateType) *core.FlowRun {
				r := &core.FlowRun{ID: core.NewID(), Created: at, Updated: at + 1, Name: "old", FlowID: d.FlowID,
					DeploymentID: d.ID, AutoScheduled: true,
					ExpectedStartTime: at, NextScheduledStartTime: at,
					IdempotencyKey: core.Ptr("scheduled " + d.ID.String() + " " + schedule.String() + " " + at.Time().Format("2006-01-02 15:04:05-07:00")),
					CreatedBy:      &core.CreatedBy{ID: schedule, Type: core.Ptr("SCHEDULE"), DisplayValue: &shown},
					State:          &core.State{ID: core.NewID(), Type: state, Name: "Any", Timestamp: at}}
				if err := h.Store.Write(h.Ctx, func(tx core.Tx) error {
					_, err := tx.InsertFlowRun(h.Ctx, r)
					return err
				}); err != nil {
					t.Fatal(err)
				}
				return r
			}
			row := d.Schedules[0].ID
			for i, state := range []core.StateType{core.Pending, core.Scheduled, core.Completed, core.Cancelled} {
				if i%2 == 0 {
					old(row, next.Add(time.Duration(i)*time.Minute), state)
				} else {
					old(core.NewID(), next.Add(time.Duration(i)*time.Minute), state)
				}
			}
			for _, r := range plan(h, d) {
				if want := "scheduled " + d.ID.String() + " " + row.String() + " " + r.ExpectedStartTime.Time().Format("2006-01-02 15:04:05-07:00"); r.Name != "old" && *r.IdempotencyKey != want {
					t.Errorf("the key %q is not the one that older versions look for", *r.IdempotencyKey)
				}
			}
			once(h, d)
			if err := h.DeleteSchedule(h.Ctx, d.ID, row); err != nil {
				t.Fatal(err)
			}
			localtest.Must(h.CreateSchedules(h.Ctx, d.ID, []core.ScheduleCreate{s}))(t)
			plan(h, d)
			once(h, d)
		}
	})
}

// Two servers schedule while the deployment changes: no slot has two runs, and
// no planned run has what a change replaced.
func TestPlanOfPeers(t *testing.T) {
	a, b, ok := localtest.Peers(t)
	if !ok {
		return
	}
	a.NextMinute()
	b.NextMinute()
	d := a.Deployed(schedules(ofRule(everyMinute)))
	var wg sync.WaitGroup
	done := make(chan struct{})
	for _, h := range []*localtest.Fixture{a, b} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := h.ScheduleRecent(h.Ctx); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 12 {
		h := []*localtest.Fixture{a, b}[i%2]
		if err := h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{
			Parameters: core.Some(core.JSON(fmt.Sprintf(`{"x":%d}`, i)))}); err != nil {
			t.Fatal(err)
		}
		s := localtest.Must(h.Store.Schedules(h.Ctx, d.ID))(t)[0]
		rule := []string{everyMinute, `{"cron":"*/2 * * * *"}`}[i%2]
		if err := h.UpdateSchedule(h.Ctx, d.ID, s.ID, core.ScheduleUpdate{Rule: core.Some(core.JSON(rule))}); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
	once(a, d)
	runs := plan(a, d)
	for _, r := range runs {
		if x := fmt.Sprint(r.Parameters.Map()["x"]); x != "11" || r.ExpectedStartTime.Time().Minute()%2 != 0 {
			t.Errorf("a run at %s with %v is planned after the last change", r.ExpectedStartTime, x)
		}
	}
	if len(runs) < 30 {
		t.Errorf("%d runs are planned, want those of an hour", len(runs))
	}
}

// Two equal schedules have a run each.
func TestEqualSchedules(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		both := schedules(core.ScheduleCreate{Rule: core.JSON(everyMinute), Parameters: core.JSON(`{"x":1}`)},
			core.ScheduleCreate{Rule: core.JSON(everyMinute), Parameters: core.JSON(`{"x":2}`)})
		d := h.Deployed(both)
		before := plan(h, d)
		h.Deployed(both)
		after := plan(h, d)
		if !slices.Equal(ids(before), ids(after)) {
			t.Error("a deploy with nothing new changed the plan")
		}
		at := map[string]int{}
		for _, r := range after {
			at[fmt.Sprint(r.ExpectedStartTime, r.Parameters.Map()["x"])]++
		}
		if len(at) != len(after) || len(after) < 120 {
			t.Errorf("%d runs for %d slots", len(after), len(at))
		}
	})
}

// A schedule with many runs ahead does not hide that another has none.
func TestEachScheduleIsPlanned(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		d := h.Deployed(schedules(ofRule(everyMinute), ofRule(`{"cron":"0 0 1 * *"}`)))
		plan(h, d)
		h.Later(50 * time.Minute)
		ahead := 0
		for _, r := range plan(h, d) {
			if at := r.ExpectedStartTime.Sub(core.Now()); at > 50*time.Minute && at < 2*time.Hour {
				ahead++
			}
		}
		if ahead < 59 {
			t.Errorf("%d runs of the next hour are planned, want 60", ahead)
		}
	})
}

// A schedule that a person paused stays paused unless a deploy says otherwise.
func TestPausedScheduleStays(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		for name, list := range map[string][]core.ScheduleCreate{
			"rule": {ofRule(everyMinute)}, "slug": {{Rule: core.JSON(everyMinute), Slug: core.Ptr("s")}},
			"interval": {ofRule(`{"interval":60}`)},
		} {
			deploy := func(list ...core.ScheduleCreate) *core.Deployment {
				return h.Deployed(named(name), schedules(list...))
			}
			d := deploy(list...)
			if err := h.UpdateSchedule(h.Ctx, d.ID, d.Schedules[0].ID, core.ScheduleUpdate{Active: core.Some(false)}); err != nil {
				t.Fatal(err)
			}
			if d = deploy(list...); d.Schedules[0].Active {
				t.Errorf("%s: a deploy that does not say so made the schedule active", name)
			}
			list[0].Active = core.Some(true)
			if d = deploy(list...); !d.Schedules[0].Active {
				t.Errorf("%s: a deploy that says so left the schedule paused", name)
			}
		}
	})
}

// Runs that wait follow their deployment to another pool; those that were put into another queue do not.
func TestWaitingRunsFollow(t *testing.T) {
	localtest.OnEngines(t, func(t *testing.T, h *localtest.Fixture) {
		h.NextMinute()
		d := h.Deployed(schedules(ofRule(everyMinute)))
		localtest.Must(h.CreateWorkQueue(h.Ctx, "p", core.WorkQueueCreate{Name: "aside"}))(t)
		localtest.Must(h.CreateWorkPool(h.Ctx, core.WorkPoolCreate{Name: "other", Type: "process"}))(t)
		plan(h, d)
		h.Later(2 * time.Minute)
		localtest.Must(h.MarkLate(h.Ctx))(t)
		aside := localtest.Must(h.CreateDeploymentFlowRun(h.Ctx, d.ID, core.DeploymentFlowRunCreate{WorkQueueName: core.Ptr("aside")}))(t)
		byHand := h.Run(d)
		n := len(auto(h, d))
		if err := h.UpdateDeployment(h.Ctx, d.ID, core.DeploymentUpdate{WorkPoolName: core.Some("other")}); err != nil {
			t.Fatal(err)
		}
		for _, r := range append(auto(h, d), byHand) {
			if r = localtest.Must(h.Store.FlowRun(h.Ctx, r.ID))(t); core.Deref(r.WorkPoolName) != "other" {
				t.Errorf("a run %s stayed in pool %s", r.StateName, core.Deref(r.WorkPoolName))
			}
		}
		if r := localtest.Must(h.Store.FlowRun(h.Ctx, aside.ID))(t); core.Deref(r.WorkQueueName) != "aside" {
			t.Errorf("a run that was put into queue aside is in %s", core.Deref(r.WorkQueueName))
		}
		if got := len(auto(h, d)); got != n {
			t.Errorf("%d runs, want %d", got, n)
		}
	})
}
