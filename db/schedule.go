package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func scheduleOf(r *row.Schedule) *core.Schedule {
	return &core.Schedule{
		ID: r.ID, Created: r.Created, Updated: r.Updated, DeploymentID: r.DeploymentID, Rule: r.Rule, Active: r.Active,
		MaxScheduledRuns: r.MaxScheduledRuns, Parameters: r.Parameters, Slug: core.Given(r.Slug),
	}
}

func (r *reader) Schedule(ctx context.Context, id core.UUID) (*core.Schedule, error) {
	x, err := r.q.GetSchedule(ctx, row.GetScheduleParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Schedule")
	}
	return scheduleOf(&x), nil
}

func (r *reader) Schedules(ctx context.Context, deploymentID core.UUID) ([]*core.Schedule, error) {
	rows, err := r.q.ListSchedules(ctx, row.ListSchedulesParams{DeploymentID: deploymentID})
	return each(rows, r.err(err, "Schedule"), scheduleOf)
}

func (t *tx) InsertSchedule(ctx context.Context, x *core.Schedule) error {
	if err := core.MaxScheduleSlug.CheckPtr(x.Slug); err != nil {
		return err
	}
	return t.err(t.q.InsertSchedule(ctx, row.InsertScheduleParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, DeploymentID: x.DeploymentID, Rule: x.Rule, Active: x.Active,
		MaxScheduledRuns: x.MaxScheduledRuns, Parameters: x.Parameters.OrObject(), Slug: x.Slug,
	}), "Schedule")
}

func (t *tx) UpdateSchedule(ctx context.Context, x *core.Schedule) error {
	if err := core.MaxScheduleSlug.CheckPtr(x.Slug); err != nil {
		return err
	}
	n, err := t.q.UpdateSchedule(ctx, row.UpdateScheduleParams{
		Rule: x.Rule, Active: x.Active, MaxScheduledRuns: x.MaxScheduledRuns, Parameters: x.Parameters.OrObject(),
		Slug: x.Slug, Updated: x.Updated, ID: x.ID,
	})
	return t.one(n, err, "Schedule")
}

func (t *tx) DeleteSchedule(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteSchedule(ctx, row.DeleteScheduleParams{ID: id})
	return t.one(n, err, "Schedule")
}
