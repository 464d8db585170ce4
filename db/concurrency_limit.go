package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func limitOf(r *row.GlobalLimit) *core.GlobalConcurrencyLimit {
	return &core.GlobalConcurrencyLimit{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Active: r.Active, Limit: r.SlotLimit,
		ActiveSlots: r.ActiveSlots, DeniedSlots: r.DeniedSlots, SlotDecayPerSecond: r.SlotDecayPerSecond,
		AvgSlotOccupancySeconds: r.AvgSlotOccupancySeconds,
	}
}

func (r *reader) GlobalLimit(ctx context.Context, id core.UUID) (*core.GlobalConcurrencyLimit, error) {
	x, err := r.q.GetGlobalLimit(ctx, row.GetGlobalLimitParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Concurrency limit")
	}
	return limitOf(&x), nil
}

func (r *reader) GlobalLimitByName(ctx context.Context, name string) (*core.GlobalConcurrencyLimit, error) {
	x, err := r.q.GetGlobalLimitByName(ctx, row.GetGlobalLimitByNameParams{Name: name})
	if err != nil {
		return nil, r.err(err, "Concurrency limit")
	}
	return limitOf(&x), nil
}

func (r *reader) GlobalLimits(ctx context.Context, p core.Page) ([]*core.GlobalConcurrencyLimit, error) {
	ids, err := r.ids(ctx, queries.GlobalLimits(r.d, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.GlobalLimit, error) {
		rows, err := r.q.ListGlobalLimitsByIDs(ctx, row.ListGlobalLimitsByIDsParams{Ids: ids})
		return rows, r.err(err, "Concurrency limit")
	}, limitOf, func(x *row.GlobalLimit) core.UUID { return x.ID })
}

func (t *tx) LockGlobalLimits(ctx context.Context, names []string) ([]*core.GlobalConcurrencyLimit, error) {
	if len(names) == 0 {
		return nil, nil
	}
	rows, err := t.q.LockGlobalLimits(ctx, row.LockGlobalLimitsParams{Names: pad(names)})
	return each(rows, t.err(err, "Concurrency limit"), limitOf)
}

func (t *tx) InsertGlobalLimit(ctx context.Context, x *core.GlobalConcurrencyLimit) error {
	return t.err(t.q.InsertGlobalLimit(ctx, row.InsertGlobalLimitParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Active: x.Active, SlotLimit: x.Limit,
		ActiveSlots: x.ActiveSlots, DeniedSlots: x.DeniedSlots, SlotDecayPerSecond: x.SlotDecayPerSecond,
		AvgSlotOccupancySeconds: x.AvgSlotOccupancySeconds,
	}), "Concurrency limit")
}

func (t *tx) UpdateGlobalLimit(ctx context.Context, x *core.GlobalConcurrencyLimit) error {
	n, err := t.q.UpdateGlobalLimit(ctx, row.UpdateGlobalLimitParams{
		Updated: x.Updated, Name: x.Name, Active: x.Active, SlotLimit: x.Limit, ActiveSlots: x.ActiveSlots,
		DeniedSlots: x.DeniedSlots, SlotDecayPerSecond: x.SlotDecayPerSecond,
		AvgSlotOccupancySeconds: x.AvgSlotOccupancySeconds, ID: x.ID,
	})
	return t.one(n, err, "Concurrency limit")
}

func (t *tx) DeleteGlobalLimit(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteGlobalLimit(ctx, row.DeleteGlobalLimitParams{ID: id})
	return t.one(n, err, "Concurrency limit")
}

func (r *reader) SlotLease(ctx context.Context, id core.UUID) (*core.SlotLease, error) {
	l, err := r.q.GetSlotLease(ctx, row.GetSlotLeaseParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Lease")
	}
	limits, err := r.q.ListSlotLeaseLimits(ctx, row.ListSlotLeaseLimitsParams{LeaseID: id})
	return &core.SlotLease{ID: l.ID, Created: l.Created, Expires: l.Expires, Limits: limits, Slots: l.Slots, Holder: l.HolderInfo}, r.err(err, "Lease")
}

func (r *reader) SlotsHeld(ctx context.Context, limitID core.UUID, now core.Time) (int64, error) {
	n, err := r.q.SlotsHeld(ctx, row.SlotsHeldParams{LimitID: limitID, Now: now})
	return n, r.err(err, "Lease")
}

func (t *tx) PutSlotLease(ctx context.Context, l *core.SlotLease) error {
	err := t.q.PutSlotLease(ctx, row.PutSlotLeaseParams{ID: l.ID, Created: l.Created, Expires: l.Expires, Slots: l.Slots, HolderInfo: orNull(l.Holder)})
	if err != nil {
		return t.err(err, "Lease")
	}
	for i, id := range l.Limits {
		if err := t.q.InsertSlotLeaseLimit(ctx, row.InsertSlotLeaseLimitParams{LeaseID: l.ID, LimitID: id, Position: int64(i)}); err != nil {
			return t.err(err, "Lease")
		}
	}
	return nil
}

func (t *tx) DeleteExpiredSlotLeases(ctx context.Context, now core.Time) (int64, error) {
	n, err := t.q.DeleteExpiredSlotLeases(ctx, row.DeleteExpiredSlotLeasesParams{Now: now})
	return n, t.err(err, "Lease")
}

func (t *tx) DeleteSlotLease(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteSlotLease(ctx, row.DeleteSlotLeaseParams{ID: id})
	return t.one(n, err, "Lease")
}
