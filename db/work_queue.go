package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func workQueueOf(r *row.WorkQueueFull) *core.WorkQueue {
	return &core.WorkQueue{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Description: r.Description, IsPaused: r.IsPaused,
		ConcurrencyLimit: r.ConcurrencyLimit, Priority: r.Priority, WorkPoolID: r.WorkPoolID, Filter: r.QueueFilter,
		LastPolled: r.LastPolled, Status: r.Status, WorkPoolName: &r.WorkPoolName,
	}
}

func (r *reader) WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error) {
	x, err := r.q.GetWorkQueue(ctx, row.GetWorkQueueParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Work queue")
	}
	return workQueueOf(&x), nil
}

func (r *reader) WorkQueueByName(ctx context.Context, poolID core.UUID, name string) (*core.WorkQueue, error) {
	x, err := r.q.GetWorkQueueByName(ctx, row.GetWorkQueueByNameParams{WorkPoolID: poolID, Name: name})
	if err != nil {
		return nil, r.err(err, "Work queue")
	}
	return workQueueOf(&x), nil
}

func (r *reader) WorkQueues(ctx context.Context, poolID core.UUID, f *core.WorkQueueFilter, p core.Page) ([]*core.WorkQueue, error) {
	ids, err := r.ids(ctx, queries.WorkQueues(r.d, poolID, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.WorkQueueFull, error) {
		rows, err := r.q.ListWorkQueuesByIDs(ctx, row.ListWorkQueuesByIDsParams{Ids: ids})
		return rows, r.err(err, "Work queue")
	}, workQueueOf, func(x *row.WorkQueueFull) core.UUID { return x.ID })
}

func (t *tx) InsertWorkQueue(ctx context.Context, x *core.WorkQueue) error {
	if err := core.MaxWorkQueueName.Check(x.Name); err != nil {
		return err
	}
	return t.err(t.q.InsertWorkQueue(ctx, row.InsertWorkQueueParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Description: x.Description, IsPaused: x.IsPaused,
		ConcurrencyLimit: x.ConcurrencyLimit, Priority: x.Priority, WorkPoolID: x.WorkPoolID, QueueFilter: orNull(x.Filter),
		LastPolled: x.LastPolled, Status: x.Status,
	}), "Work queue")
}

func (t *tx) UpdateWorkQueue(ctx context.Context, x *core.WorkQueue) error {
	if err := core.MaxWorkQueueName.Check(x.Name); err != nil {
		return err
	}
	n, err := t.q.UpdateWorkQueue(ctx, row.UpdateWorkQueueParams{
		Updated: x.Updated, Name: x.Name, Description: x.Description, IsPaused: x.IsPaused,
		ConcurrencyLimit: x.ConcurrencyLimit, Priority: x.Priority, QueueFilter: orNull(x.Filter), LastPolled: x.LastPolled,
		Status: x.Status, ID: x.ID,
	})
	return t.one(n, err, "Work queue")
}

func (t *tx) DeleteWorkQueue(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteWorkQueue(ctx, row.DeleteWorkQueueParams{ID: id})
	return t.one(n, err, "Work queue")
}

func (t *tx) PolledWorkQueues(ctx context.Context, ids []core.UUID, now core.Time) error {
	for _, id := range ids {
		if err := t.q.PolledWorkQueue(ctx, row.PolledWorkQueueParams{LastPolled: now, ID: id}); err != nil {
			return t.err(err, "Work queue")
		}
	}
	return nil
}

func (t *tx) UnpolledNotReady(ctx context.Context, cutoff core.Time) (qs, ds []core.UUID, err error) {
	if qs, err = t.q.StaleWorkQueues(ctx, row.StaleWorkQueuesParams{CutoffTime: cutoff}); err != nil {
		return nil, nil, t.err(err, "Work queue")
	}
	for _, id := range qs {
		if err := t.q.WorkQueueNotReady(ctx, row.WorkQueueNotReadyParams{ID: id}); err != nil {
			return nil, nil, t.err(err, "Work queue")
		}
	}
	if ds, err = t.q.StaleDeployments(ctx, row.StaleDeploymentsParams{CutoffTime: cutoff}); err != nil {
		return nil, nil, t.err(err, "Deployment")
	}
	for _, id := range ds {
		if err := t.q.DeploymentNotReady(ctx, row.DeploymentNotReadyParams{ID: id}); err != nil {
			return nil, nil, t.err(err, "Deployment")
		}
	}
	return qs, ds, nil
}
