package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func workPoolOf(r *row.WorkPool) *core.WorkPool {
	return &core.WorkPool{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Description: r.Description, Type: r.Type,
		BaseJobTemplate: r.BaseJobTemplate, IsPaused: r.IsPaused, ConcurrencyLimit: r.ConcurrencyLimit, Status: r.Status,
		DefaultQueueID: r.DefaultQueueID, StorageConfiguration: r.StorageConfiguration,
	}
}

func (r *reader) WorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error) {
	x, err := r.q.GetWorkPool(ctx, row.GetWorkPoolParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Work pool")
	}
	return workPoolOf(&x), nil
}

func (r *reader) WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error) {
	x, err := r.q.GetWorkPoolByName(ctx, row.GetWorkPoolByNameParams{Name: name})
	if err != nil {
		return nil, r.err(err, "Work pool")
	}
	return workPoolOf(&x), nil
}

func (r *reader) WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error) {
	ids, err := r.ids(ctx, queries.WorkPools(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.WorkPool, error) {
		rows, err := r.q.ListWorkPoolsByIDs(ctx, row.ListWorkPoolsByIDsParams{Ids: ids})
		return rows, r.err(err, "Work pool")
	}, workPoolOf, func(x *row.WorkPool) core.UUID { return x.ID })
}

func (r *reader) CountWorkPools(ctx context.Context, f *core.WorkPoolFilter) (int64, error) {
	return r.count(ctx, queries.WorkPools(r.d, f, nil))
}

func (t *tx) InsertWorkPool(ctx context.Context, x *core.WorkPool) error {
	if err := core.MaxWorkPoolName.Check(x.Name); err != nil {
		return err
	}
	return t.err(t.q.InsertWorkPool(ctx, row.InsertWorkPoolParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Description: x.Description, Type: x.Type,
		BaseJobTemplate: x.BaseJobTemplate.OrObject(), IsPaused: x.IsPaused, ConcurrencyLimit: x.ConcurrencyLimit,
		Status: x.Status, DefaultQueueID: x.DefaultQueueID, StorageConfiguration: orNull(x.StorageConfiguration),
	}), "Work pool")
}

func (t *tx) UpdateWorkPool(ctx context.Context, x *core.WorkPool) error {
	if err := core.MaxWorkPoolName.Check(x.Name); err != nil {
		return err
	}
	n, err := t.q.UpdateWorkPool(ctx, row.UpdateWorkPoolParams{
		Updated: x.Updated, Description: x.Description, Type: x.Type, BaseJobTemplate: x.BaseJobTemplate.OrObject(),
		IsPaused: x.IsPaused, ConcurrencyLimit: x.ConcurrencyLimit, Status: x.Status, DefaultQueueID: x.DefaultQueueID,
		StorageConfiguration: orNull(x.StorageConfiguration), ID: x.ID,
	})
	return t.one(n, err, "Work pool")
}

func (t *tx) DeleteWorkPool(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteWorkPool(ctx, row.DeleteWorkPoolParams{ID: id})
	return t.one(n, err, "Work pool")
}

func (t *tx) LockWorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error) {
	if _, err := t.q.LockWorkPool(ctx, row.LockWorkPoolParams{ID: id}); err != nil {
		return nil, t.err(err, "Work pool")
	}
	return t.WorkPool(ctx, id)
}

func (r *reader) PoolLoad(ctx context.Context, poolID core.UUID) (map[core.UUID]int64, error) {
	rows, err := r.q.PoolLoad(ctx, row.PoolLoadParams{WorkPoolID: poolID})
	load := make(map[core.UUID]int64, len(rows))
	for _, l := range rows {
		load[l.ID] = l.N
	}
	return load, r.err(err, "Work pool")
}

func (r *reader) NextClaimable(ctx context.Context, poolID core.UUID, can core.Capability) (at core.Time, err error) {
	err = r.dyn.rows(ctx, queries.NextClaimable(r.d, poolID, can), func(scan func(...any) error) error { return scan(&at) })
	return at, r.err(err, "Work pool")
}
