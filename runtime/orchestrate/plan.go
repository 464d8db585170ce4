package orchestrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
)

// Defaults of the scheduler: the least and the most of runs, and of time ahead.
const (
	scheduleMinRuns = 3
	scheduleMinTime = time.Hour
	scheduleMaxRuns = 100
	scheduleMaxTime = 100 * 24 * time.Hour
	scheduleBatch   = 100
	scheduleRecent  = 5 * time.Second // how often ScheduleRecent is called
	scheduleSoon    = 20 * time.Second
)

// plan is what a deployment's schedules want, beside the runs that their slots
// have. Each slot of a schedule has one run. Which run is whose is not
// told by the schedule's id alone, since a schedule may be deleted and made
// again, nor by what the schedule means alone, since it may be edited: a run
// stands for the slot of the schedule that has its id, or, where no schedule has
// that id any more, of one that means the same.
type plan struct {
	d       *core.Deployment
	entries []planEntry
	known   map[core.UUID]bool // ids of the schedules, also of those that cannot be read
	taken   map[core.Time][]core.SlotRun
}

type planEntry struct {
	*core.Schedule
	rule        *schedule.Rule
	shown, slot string
}

// readPlan comes with an error for a rule that cannot be read; the others stand.
func readPlan(ctx context.Context, r planReader, d *core.Deployment) (*plan, error) {
	stored, err := r.Schedules(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	p := &plan{d: d, known: map[core.UUID]bool{}, taken: map[core.Time][]core.SlotRun{}}
	for _, e := range stored {
		p.known[e.ID] = true
		rule, bad := schedule.Parse(e.Rule)
		if bad != nil {
			err = fmt.Errorf("schedule %s: %w", e.ID, bad)
			continue
		}
		x := planEntry{Schedule: e, rule: rule, shown: rule.Kind(), slot: "rule " + core.NameID(rule.Meaning()).String()}
		if e.Slug != nil {
			x.shown, x.slot = *e.Slug, "slug "+*e.Slug
		}
		p.entries = append(p.entries, x)
	}
	return p, err
}

// slot is a time of a schedule.
type slot struct {
	of planEntry
	at core.Time
}

// free are those of the wanted slots that have no run.
func (p *plan) free(ctx context.Context, r planReader, wanted []slot) ([]slot, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	first, last := wanted[0].at, wanted[0].at
	for _, w := range wanted {
		first, last = min(first, w.at), max(last, w.at)
	}
	runs, err := r.SlotRuns(ctx, p.d.ID, first, last)
	if err != nil {
		return nil, err
	}
	clear(p.taken)
	for _, run := range runs {
		p.taken[run.At] = append(p.taken[run.At], run)
	}
	return slices.DeleteFunc(wanted, p.covered), nil
}

func (p *plan) covered(s slot) bool {
	runs := p.taken[s.at]
	if slices.ContainsFunc(runs, func(r core.SlotRun) bool { return r.ScheduleID == s.of.ID }) {
		return true
	}
	at := slices.IndexFunc(runs, func(r core.SlotRun) bool {
		// A run of an older version tells only the slug, or else the kind of rule.
		return !p.known[r.ScheduleID] && (r.Slot == s.of.slot || r.Slot == "" && r.Shown == s.of.shown)
	})
	if at >= 0 { // it stands for one slot
		p.taken[s.at] = slices.Delete(runs, at, at+1)
	}
	return at >= 0
}

// keeps says whether a planned run is what the plan would make now.
func (s *Service) keeps(p *plan, r *core.FlowRun) bool {
	at := slices.IndexFunc(p.entries, func(e planEntry) bool { return r.CreatedBy != nil && e.ID == r.CreatedBy.ID })
	switch {
	case p.d.Paused:
		return false
	case at < 0: // not that of a rule that only a newer server can read
		return r.CreatedBy != nil && p.known[r.CreatedBy.ID]
	case !p.entries[at].Active || !p.entries[at].rule.Fires(r.ExpectedStartTime):
		return false
	}
	now := s.scheduledRun(p.d, slot{p.entries[at], r.ExpectedStartTime})
	return r.WorkQueueID == now.WorkQueueID && r.InfrastructureDocumentID == now.InfrastructureDocumentID &&
		core.Deref(r.DeploymentVersion) == core.Deref(now.DeploymentVersion) && slices.Equal(r.Tags, now.Tags) &&
		core.Deref(r.CreatedBy.DisplayValue) == *now.CreatedBy.DisplayValue &&
		core.SameJSON(r.Parameters, now.Parameters) && core.SameJSON(r.Labels, now.Labels)
}

// replan makes a deployment's plan fit what was changed in tx. Planned runs that
// the schedules no longer want, or want otherwise, are deleted, and the latter
// made anew. What is due, waits or was touched by somebody is not planned but
// owed, and stays; so does a planned run that would be made the same. Slots that
// are due before the scheduler surely comes by get their runs here, too: it
// cannot tell afterwards since when they are wanted.
func (s *Service) replan(ctx context.Context, tx planTx, out *commit.Outbox, d *core.Deployment) error {
	out.Pool(d.WorkPoolID)
	now := s.now()
	planned, err := tx.PlannedRuns(ctx, d.ID, now)
	if err != nil {
		return err
	}
	p, err := readPlan(ctx, tx, d)
	if p == nil {
		return err
	}
	change := planChange{deployment: d.FullName()}
	var wanted []slot
	for _, r := range planned {
		if s.keeps(p, r) {
			continue
		}
		gone, err := tx.DeletePlannedRun(ctx, r.ID)
		if err != nil {
			return err
		}
		if !gone {
			continue
		}
		change.deleted++
		for _, e := range p.entries {
			if at := r.ExpectedStartTime; e.Active && at > now.Add(scheduleSoon) && e.rule.Fires(at) && !hasSlot(wanted, e, at) {
				wanted = append(wanted, slot{e, at})
			}
		}
	}
	wanted = append(wanted, p.wants(core.ScheduleRange{Start: now, End: now.Add(scheduleSoon)})...)
	if d.Paused {
		wanted = nil
	}
	if change.created, err = s.fill(ctx, tx, p, wanted); err != nil {
		return err
	}
	if change.deleted > 0 {
		s.logPlan(out, change)
	}
	return p.stamp(ctx, tx, now)
}

// stamp writes to the runs of coming slots what their schedules mean since they
// were edited, for the time when these are gone.
func (p *plan) stamp(ctx context.Context, tx planTx, now core.Time) error {
	runs, err := tx.SlotRuns(ctx, p.d.ID, now, core.Forever)
	for _, r := range runs {
		at := slices.IndexFunc(p.entries, func(e planEntry) bool { return e.ID == r.ScheduleID })
		if at < 0 || p.entries[at].slot == r.Slot {
			continue
		}
		if err := tx.SetSlot(ctx, r.ID, p.entries[at].slot); err != nil {
			return err
		}
	}
	return err
}

func hasSlot(list []slot, e planEntry, at core.Time) bool {
	return slices.ContainsFunc(list, func(w slot) bool { return w.at == at && w.of.ID == e.ID })
}

// fill makes the runs of those wanted slots that have none.
func (s *Service) fill(ctx context.Context, tx planTx, p *plan, wanted []slot) (made int, err error) {
	free, err := p.free(ctx, tx, wanted)
	for _, w := range free {
		ok, err := tx.InsertFlowRun(ctx, s.scheduledRun(p.d, w))
		if err != nil {
			return made, err
		}
		if ok {
			made++
		}
	}
	return made, err
}

// planChange is what replan did, for the log.
type planChange struct {
	deployment       string
	deleted, created int
}

func (s *Service) logPlan(out *commit.Outbox, p planChange) {
	out.After(func() {
		s.log.Info("plan of a deployment changed", "deployment", p.deployment, "flow_runs_deleted", p.deleted, "flow_runs_created", p.created)
	})
}

// ScheduleRuns makes the coming runs of every deployment that has too few.
func (s *Service) ScheduleRuns(ctx context.Context) (int, error) { return s.scheduleAll(ctx, 0) }

// ScheduleRecent does so for deployments that changed just now.
func (s *Service) ScheduleRecent(ctx context.Context) (int, error) {
	return s.scheduleAll(ctx, s.now().Add(-scheduleRecent-time.Second))
}

func (s *Service) scheduleAll(ctx context.Context, updatedSince core.Time) (made int, err error) {
	var after core.UUID
	var failed error
	for {
		list, err := s.store.DeploymentsToSchedule(ctx, after, updatedSince, scheduleBatch)
		if err != nil {
			return made, err
		}
		for _, d := range list {
			after = d.ID
			k, err := s.scheduleDeployment(ctx, d, core.ScheduleRange{})
			// One deployment must not keep the others from being scheduled.
			if err != nil && failed == nil {
				failed = fmt.Errorf("schedule deployment %s: %w", d.FullName(), err)
			}
			made += k
		}
		if len(list) < scheduleBatch {
			return made, failed
		}
	}
}

// ScheduleDeployment makes the runs of a range now, also of a paused
// deployment. An unknown id does nothing.
func (s *Service) ScheduleDeployment(ctx context.Context, id core.UUID, r core.ScheduleRange) error {
	d, err := s.store.Deployment(ctx, id)
	if core.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.scheduleDeployment(ctx, d, r)
	return err
}

func (s *Service) scheduleDeployment(ctx context.Context, d *core.Deployment, r core.ScheduleRange) (int, error) {
	sweep := r == core.ScheduleRange{}
	if r.Start == 0 {
		r.Start = s.now()
	}
	p, failed := readPlan(ctx, s.store, d)
	if p == nil {
		return 0, failed
	}
	// Most slots have their run: looking costs no commit.
	if free, err := p.free(ctx, s.store, p.wants(r)); err != nil || len(free) == 0 {
		return 0, cmp.Or(err, failed)
	}
	made := 0
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		made = 0
		fresh, err := tx.LockDeployment(ctx, d.ID)
		if core.IsNotFound(err) || err == nil && sweep && fresh.Paused {
			return nil // changed since
		}
		if err != nil {
			return err
		}
		p, err := readPlan(ctx, tx, fresh)
		if p == nil {
			return err
		}
		made, err = s.fill(ctx, tx, p, p.wants(r))
		out.Pool(fresh.WorkPoolID)
		return err
	})
	return made, cmp.Or(err, failed)
}

// wants are the slots of a range.
func (p *plan) wants(r core.ScheduleRange) (all []slot) {
	for _, e := range p.entries {
		if !e.Active {
			continue
		}
		for _, at := range slots(e.rule, r) {
			all = append(all, slot{e, at})
		}
	}
	return all
}

// slots are a rule's times from the start of the range (inclusive) on, until
// there are enough and they reach far enough.
func slots(rule *schedule.Rule, r core.ScheduleRange) []core.Time {
	start, end := r.Start, r.End
	if end == 0 || end > start.Add(scheduleMaxTime) {
		end = start.Add(scheduleMaxTime)
	}
	minRuns, maxRuns, minTime := r.MinRuns, r.MaxRuns, r.MinTime.Duration()
	if minRuns <= 0 {
		minRuns = scheduleMinRuns
	}
	if maxRuns <= 0 || maxRuns > 1000 {
		maxRuns = scheduleMaxRuns
	}
	if minTime <= 0 {
		minTime = scheduleMinTime
	}
	found := rule.Between(start-1, end, maxRuns)
	for i, at := range found {
		if i+1 >= minRuns && at >= start.Add(minTime) {
			return found[:i+1]
		}
	}
	return found
}

func (s *Service) scheduledRun(d *core.Deployment, w slot) *core.FlowRun {
	now := s.now()
	run := &core.FlowRun{
		ID: core.NewID(), Created: now, Updated: now, Name: newName(), FlowID: d.FlowID, DeploymentID: d.ID,
		DeploymentVersion: d.Version,
		WorkQueueID:       d.WorkQueueID, WorkQueueName: d.WorkQueueName, WorkPoolID: d.WorkPoolID, WorkPoolName: d.WorkPoolName,
		InfrastructureDocumentID: d.InfrastructureDocumentID, Parameters: overlay(d.Parameters, w.of.Parameters), Slot: &w.of.slot,
		// A server of an older version beside this one knows the slot by this key.
		IdempotencyKey:  core.Ptr(fmt.Sprintf("scheduled %s %s %s", d.ID, w.of.ID, w.of.rule.Local(w.at))),
		Context:         core.JSON("{}"),
		EmpiricalPolicy: core.FlowRunPolicy{PauseKeys: []string{}},
		Tags:            union(core.Tags{"auto-scheduled"}, d.Tags),
		Labels: mergeLabels(d.Labels, map[string]string{"prefect.flow.id": d.FlowID.String(),
			"prefect.deployment.id": d.ID.String()}, nil),
		AutoScheduled: true, JobVariables: core.JSON("{}"),
		CreatedBy: &core.CreatedBy{ID: w.of.ID, Type: core.Ptr("SCHEDULE"), DisplayValue: &w.of.shown},
	}
	run.State = rules.ScheduledAt(w.at, "", "Flow run scheduled", now)
	rules.ApplyFlowState(run, run.State, run.EmpiricalPolicy)
	return run
}
