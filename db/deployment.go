package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// complete adds the schedules and limits of deployments, in two queries.
func (r *reader) complete(ctx context.Context, ds []*core.Deployment) ([]*core.Deployment, error) {
	for part := ds; len(part) > 0; {
		n := min(len(part), 512)
		if err := r.completePart(ctx, part[:n]); err != nil {
			return nil, err
		}
		part = part[n:]
	}
	return ds, nil
}

func (r *reader) completePart(ctx context.Context, ds []*core.Deployment) error {
	at := make(map[core.UUID]*core.Deployment, len(ds))
	ids := make([]core.UUID, 0, len(ds))
	var limits []core.UUID
	for _, d := range ds {
		at[d.ID] = d
		ids = append(ids, d.ID)
		if !d.ConcurrencyLimitID.IsZero() {
			limits = append(limits, d.ConcurrencyLimitID)
		}
	}
	schedules, err := r.q.ListSchedulesOf(ctx, row.ListSchedulesOfParams{Ids: pad(ids)})
	if err != nil {
		return r.err(err, "Schedule")
	}
	for i := range schedules {
		d := at[schedules[i].DeploymentID]
		d.Schedules = append(d.Schedules, scheduleOf(&schedules[i]))
	}
	if len(limits) == 0 {
		return nil
	}
	rows, err := r.q.ListGlobalLimitsByIDs(ctx, row.ListGlobalLimitsByIDsParams{Ids: pad(limits)})
	if err != nil {
		return r.err(err, "Concurrency limit")
	}
	byID := make(map[core.UUID]*row.GlobalLimit, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	for _, d := range ds {
		if l := byID[d.ConcurrencyLimitID]; l != nil {
			d.GlobalConcurrencyLimit = limitOf(l)
		}
	}
	return nil
}

func (r *reader) completeOne(ctx context.Context, x row.DeploymentFull, err error) (*core.Deployment, error) {
	if err != nil {
		return nil, r.err(err, "Deployment")
	}
	ds, err := r.complete(ctx, []*core.Deployment{deploymentOf(&x)})
	if err != nil {
		return nil, err
	}
	return ds[0], nil
}

func (r *reader) Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error) {
	x, err := r.q.GetDeployment(ctx, row.GetDeploymentParams{ID: id})
	return r.completeOne(ctx, x, err)
}

func (r *reader) DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error) {
	x, err := r.q.GetDeploymentByName(ctx, row.GetDeploymentByNameParams{FlowName: flowName, Name: name})
	return r.completeOne(ctx, x, err)
}

func (r *reader) Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error) {
	ids, err := r.ids(ctx, queries.Deployments(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	ds, err := byIDs(ids, func(ids []core.UUID) ([]row.DeploymentFull, error) {
		rows, err := r.q.ListDeploymentsByIDs(ctx, row.ListDeploymentsByIDsParams{Ids: ids})
		return rows, r.err(err, "Deployment")
	}, deploymentOf, func(d *row.DeploymentFull) core.UUID { return d.ID })
	if err != nil {
		return nil, err
	}
	return r.complete(ctx, ds)
}

func (r *reader) CountDeployments(ctx context.Context, f core.Filters) (int64, error) {
	return r.count(ctx, queries.Deployments(r.d, f, nil))
}

func (r *reader) DeploymentsToSchedule(ctx context.Context, after core.UUID, since core.Time, limit int) ([]*core.Deployment, error) {
	var rows []row.DeploymentFull
	var err error
	if after.IsZero() {
		rows, err = r.q.DeploymentsToSchedule(ctx, row.DeploymentsToScheduleParams{Since: since, Lim: lim(limit)})
	} else {
		rows, err = r.q.DeploymentsToScheduleAfter(ctx, row.DeploymentsToScheduleAfterParams{AfterID: after, Since: since, Lim: lim(limit)})
	}
	ds, err := each(rows, r.err(err, "Deployment"), deploymentOf)
	if err != nil {
		return nil, err
	}
	return r.complete(ctx, ds)
}
