package orchestrate

import (
	"context"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schedule"
)

// Defaults of the scheduler: at least so many runs and so far ahead, at most
// so many and so far.
const (
	scheduleMinRuns = 3
	scheduleMinTime = time.Hour
	scheduleMaxRuns = 100
	scheduleMaxTime = 100 * 24 * time.Hour
	scheduleBatch   = 100
	scheduleRecent  = 5 * time.Second // how often ScheduleRecent is called
)

// newSchedules reads and normalises schedules. max_scheduled_runs that come
// inside a deployment are dropped, as the peer does.
func newSchedules(list []core.ScheduleCreate, inDeployment bool) ([]*core.Schedule, error) {
	out := make([]*core.Schedule, 0, len(list))
	slugs := map[string]bool{}
	for _, c := range list {
		rule, err := schedule.Parse(c.Rule)
		if err != nil {
			return nil, err
		}
		if err := checkMaxRuns(c.MaxScheduledRuns); err != nil {
			return nil, err
		}
		if c.Slug != nil {
			if slugs[*c.Slug] {
				return nil, slugTaken(*c.Slug)
			}
			slugs[*c.Slug] = true
		}
		e := &core.Schedule{Rule: rule.JSON(), Active: c.Active.Or(true), MaxScheduledRuns: c.MaxScheduledRuns, Parameters: c.Parameters.OrObject(), Slug: c.Slug}
		if inDeployment {
			e.MaxScheduledRuns = nil
		}
		out = append(out, e)
	}
	return out, nil
}

func checkMaxRuns(n *int64) error {
	if n != nil && (*n < 1 || *n > 50) {
		return invalidField("max_scheduled_runs", "max_scheduled_runs must be 1 to 50")
	}
	return nil
}

func slugTaken(slug string) error {
	return core.Errorf(core.EConflict, "a schedule with the slug %q already exists in this deployment; slugs must differ", slug)
}

// replaceSchedules removes all schedules of d and inserts these.
func (s *Service) replaceSchedules(ctx context.Context, tx core.Tx, d *core.Deployment, schedules []*core.Schedule) error {
	old, err := tx.Schedules(ctx, d.ID)
	if err != nil {
		return err
	}
	for _, o := range old {
		if err := tx.DeleteSchedule(ctx, o.ID); err != nil {
			return err
		}
	}
	return s.insertSchedules(ctx, tx, d.ID, schedules)
}

func (s *Service) insertSchedules(ctx context.Context, tx core.Tx, deploymentID core.UUID, schedules []*core.Schedule) error {
	now := s.now()
	for _, e := range schedules {
		e.ID, e.DeploymentID, e.Created, e.Updated = core.NewID(), deploymentID, now, now
		if err := tx.InsertSchedule(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// patchSchedules: where all schedules, stored and given, have slugs, the given
// ones are changed or added by slug and none is deleted; where only the stored
// ones have, it is refused; otherwise the given ones replace the stored.
func (s *Service) patchSchedules(ctx context.Context, tx core.Tx, d *core.Deployment, given []core.ScheduleUpdate) error {
	stored, err := tx.Schedules(ctx, d.ID)
	if err != nil {
		return err
	}
	bySlug := map[string]*core.Schedule{}
	for _, e := range stored {
		if e.Slug != nil {
			bySlug[*e.Slug] = e
		}
	}
	slugged := len(stored) > 0 && len(bySlug) == len(stored)
	var fresh []core.ScheduleCreate
	for _, u := range given {
		slug := u.Slug.Ptr()
		if slugged && slug == nil {
			return invalidField("schedules", "the deployment's schedules have slugs, so each given schedule needs one: the slug says which is meant")
		}
		from := slug
		if r := u.Replaces.Ptr(); r != nil {
			from = r
		}
		if e := bySlug[core.Deref(from)]; slugged && e != nil {
			if err := s.changeSchedule(ctx, tx, e, u); err != nil {
				return err
			}
			continue
		}
		if !u.Rule.Set {
			return invalidField("schedules", "a new schedule needs the key schedule")
		}
		fresh = append(fresh, core.ScheduleCreate{Rule: u.Rule.V, Active: u.Active, Parameters: u.Parameters.Or(nil), Slug: slug})
	}
	schedules, err := newSchedules(fresh, true)
	if err != nil {
		return err
	}
	if slugged {
		return s.insertSchedules(ctx, tx, d.ID, schedules)
	}
	return s.replaceSchedules(ctx, tx, d, schedules)
}

func (s *Service) changeSchedule(ctx context.Context, tx core.Tx, e *core.Schedule, u core.ScheduleUpdate) error {
	if u.Rule.Set && !u.Rule.Null {
		rule, err := schedule.Parse(u.Rule.V)
		if err != nil {
			return err
		}
		e.Rule = rule.JSON()
	}
	if u.MaxScheduledRuns.Set {
		if err := checkMaxRuns(u.MaxScheduledRuns.Ptr()); err != nil {
			return err
		}
		e.MaxScheduledRuns = u.MaxScheduledRuns.Ptr()
	}
	if u.Slug.Set {
		e.Slug = u.Slug.Ptr()
	}
	if u.Parameters.Set {
		e.Parameters = u.Parameters.Or(nil).OrObject()
	}
	e.Active, e.Updated = u.Active.Or(e.Active), s.now()
	return tx.UpdateSchedule(ctx, e)
}

// CreateSchedules adds schedules. ENotFound without the deployment, EConflict
// for a taken slug.
func (s *Service) CreateSchedules(ctx context.Context, deploymentID core.UUID, list []core.ScheduleCreate) ([]*core.Schedule, error) {
	schedules, err := newSchedules(list, false)
	if err != nil {
		return nil, err
	}
	err = s.onSchedules(ctx, deploymentID, func(tx core.Tx, stored []*core.Schedule) error {
		for _, e := range schedules {
			if err := checkSlug(stored, e); err != nil {
				return err
			}
		}
		return s.insertSchedules(ctx, tx, deploymentID, schedules)
	})
	return schedules, err
}

// UpdateSchedule returns ENotFound unless the deployment has that schedule.
func (s *Service) UpdateSchedule(ctx context.Context, deploymentID, id core.UUID, u core.ScheduleUpdate) error {
	return s.onSchedules(ctx, deploymentID, func(tx core.Tx, stored []*core.Schedule) error {
		e, err := pick(stored, id)
		if err != nil {
			return err
		}
		if u.Slug.Set {
			if err := checkSlug(stored, &core.Schedule{ID: id, Slug: u.Slug.Ptr()}); err != nil {
				return err
			}
		}
		if err := s.changeSchedule(ctx, tx, e, u); err != nil {
			return err
		}
		_, err = tx.DeleteScheduledRuns(ctx, deploymentID, true)
		return err
	})
}

// DeleteSchedule returns ENotFound unless the deployment has that schedule.
func (s *Service) DeleteSchedule(ctx context.Context, deploymentID, id core.UUID) error {
	return s.onSchedules(ctx, deploymentID, func(tx core.Tx, stored []*core.Schedule) error {
		if _, err := pick(stored, id); err != nil {
			return err
		}
		if err := tx.DeleteSchedule(ctx, id); err != nil {
			return err
		}
		_, err := tx.DeleteScheduledRuns(ctx, deploymentID, true)
		return err
	})
}

// onSchedules changes a deployment's schedules; the deployment counts as
// updated, so that ScheduleRecent looks at it.
func (s *Service) onSchedules(ctx context.Context, deploymentID core.UUID, fn func(tx core.Tx, stored []*core.Schedule) error) error {
	return s.write(ctx, func(tx core.Tx, out *outbox) error {
		d, err := tx.Deployment(ctx, deploymentID)
		if err != nil {
			return err
		}
		stored, err := tx.Schedules(ctx, deploymentID)
		if err != nil {
			return err
		}
		if err := fn(tx, stored); err != nil {
			return err
		}
		d.Updated = s.now()
		out.pool(d.WorkPoolID)
		return tx.UpdateDeployment(ctx, d)
	})
}

func pick(list []*core.Schedule, id core.UUID) (*core.Schedule, error) {
	for _, e := range list {
		if e.ID == id {
			return e, nil
		}
	}
	return nil, core.NotFound("Schedule")
}

func checkSlug(stored []*core.Schedule, e *core.Schedule) error {
	for _, o := range stored {
		if e.Slug != nil && o.Slug != nil && *o.Slug == *e.Slug && o.ID != e.ID {
			return slugTaken(*e.Slug)
		}
	}
	return nil
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
			now := s.now()
			n, last, err := s.store.ScheduledAhead(ctx, d.ID, now)
			if err == nil && n >= scheduleMinRuns && last >= now.Add(scheduleMinTime) {
				continue
			}
			k := 0
			if err == nil {
				k, err = s.scheduleDeployment(ctx, d, core.ScheduleRange{})
			}
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
	schedules, err := s.store.Schedules(ctx, d.ID)
	if err != nil {
		return 0, err
	}
	var runs []*core.FlowRun
	var failed error
	for _, e := range schedules {
		if !e.Active {
			continue
		}
		rule, err := schedule.Parse(e.Rule)
		if err != nil {
			failed = fmt.Errorf("schedule %s: %w", e.ID, err)
			continue
		}
		for _, at := range slots(rule, s.now(), r) {
			run := s.scheduledRun(d, e, rule, at)
			// Most slots are there already: looking costs no commit.
			if _, err := s.store.FlowRunByKey(ctx, d.FlowID, *run.IdempotencyKey); core.IsNotFound(err) {
				runs = append(runs, run)
			}
		}
	}
	if len(runs) == 0 {
		return 0, failed
	}
	made := 0
	err = s.write(ctx, func(tx core.Tx, out *outbox) error {
		made = 0
		// It may have been changed, paused or deleted since; then the next sweep looks again.
		fresh, err := tx.Deployment(ctx, d.ID)
		if core.IsNotFound(err) {
			return nil
		}
		if err != nil || fresh.Updated != d.Updated || fresh.Paused != d.Paused {
			return err
		}
		for _, run := range runs {
			ok, err := tx.InsertFlowRun(ctx, run)
			if err != nil {
				return err
			}
			if ok {
				made++
			}
		}
		out.pool(fresh.WorkPoolID)
		return nil
	})
	if err == nil {
		err = failed
	}
	return made, err
}

// slots are a rule's times from the start of the range (inclusive) on, until
// there are enough and they reach far enough.
func slots(rule *schedule.Rule, now core.Time, r core.ScheduleRange) []core.Time {
	start, end := r.Start, r.End
	if start == 0 {
		start = now
	}
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

func (s *Service) scheduledRun(d *core.Deployment, e *core.Schedule, rule *schedule.Rule, at core.Time) *core.FlowRun {
	now := s.now()
	shown := rule.Kind()
	if e.Slug != nil {
		shown = *e.Slug
	}
	run := &core.FlowRun{
		ID: core.NewID(), Created: now, Updated: now, Name: newName(), FlowID: d.FlowID, DeploymentID: d.ID,
		WorkQueueID: d.WorkQueueID, WorkQueueName: d.WorkQueueName, WorkPoolID: d.WorkPoolID, WorkPoolName: d.WorkPoolName,
		Parameters:      overlay(d.Parameters, e.Parameters),
		IdempotencyKey:  core.Ptr(fmt.Sprintf("scheduled %s %s %s", d.ID, e.ID, rule.Local(at))),
		Context:         core.JSON("{}"),
		EmpiricalPolicy: core.FlowRunPolicy{PauseKeys: []string{}},
		Tags:            union(core.Tags{"auto-scheduled"}, d.Tags),
		Labels:          mergeLabels(d.Labels, map[string]string{"prefect.flow.id": d.FlowID.String(), "prefect.deployment.id": d.ID.String()}, nil),
		AutoScheduled:   true, JobVariables: core.JSON("{}"),
		CreatedBy: &core.CreatedBy{ID: e.ID, Type: core.Ptr("SCHEDULE"), DisplayValue: &shown},
	}
	run.State = scheduledAt(at, "", "Flow run scheduled", now)
	enterFlowState(run, run.State, run.EmpiricalPolicy)
	return run
}
