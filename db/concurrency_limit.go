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

func (r *reader) GlobalLimits(ctx context.Context, ofTags bool, p core.Page) ([]*core.GlobalConcurrencyLimit, error) {
	ids, err := r.ids(ctx, queries.GlobalLimits(r.d, ofTags, &p))
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
	if err := core.MaxConcurrencyLimitName.Check(x.Name); err != nil {
		return err
	}
	return t.err(t.q.InsertGlobalLimit(ctx, row.InsertGlobalLimitParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Active: x.Active, SlotLimit: x.Limit,
		ActiveSlots: x.ActiveSlots, DeniedSlots: x.DeniedSlots, SlotDecayPerSecond: x.SlotDecayPerSecond,
		AvgSlotOccupancySeconds: x.AvgSlotOccupancySeconds,
	}), "Concurrency limit")
}

func (t *tx) UpdateGlobalLimit(ctx context.Context, x *core.GlobalConcurrencyLimit) error {
	if err := core.MaxConcurrencyLimitName.Check(x.Name); err != nil {
		return err
	}
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

func slotLeaseOf(l *row.SlotLease) *core.SlotLease {
	return &core.SlotLease{
		ID: l.ID, Created: l.Created, Expires: l.Expires, Slots: l.Slots, Holder: l.HolderInfo,
		Counted: l.IsCounted, HolderType: core.Deref(l.HolderType), HolderID: l.HolderID, ClientID: l.ClientID,
	}
}

func (r *reader) SlotLease(ctx context.Context, id core.UUID) (*core.SlotLease, error) {
	x, err := r.q.GetSlotLease(ctx, row.GetSlotLeaseParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Lease")
	}
	l := slotLeaseOf(&x)
	l.Limits, err = r.q.ListSlotLeaseLimits(ctx, row.ListSlotLeaseLimitsParams{LeaseID: id})
	return l, r.err(err, "Lease")
}

func (r *reader) SlotLeases(ctx context.Context, limitID core.UUID, now core.Time) ([]*core.SlotLease, error) {
	rows, err := r.q.ListSlotLeases(ctx, row.ListSlotLeasesParams{LimitID: limitID, Now: now})
	return each(rows, r.err(err, "Lease"), slotLeaseOf)
}

func (r *reader) SlotsHeld(ctx context.Context, limitID core.UUID, now core.Time) (int64, error) {
	leased, err := r.q.SlotsLeased(ctx, row.SlotsLeasedParams{LimitID: limitID, Now: now})
	if err != nil {
		return 0, r.err(err, "Lease")
	}
	runs, err := r.q.RunsOccupying(ctx, row.RunsOccupyingParams{LimitID: limitID, Now: now})
	return leased + runs, r.err(err, "Flow run")
}

func (r *reader) RunsHolding(ctx context.Context, limitID core.UUID, now core.Time, limit int) ([]core.UUID, error) {
	ids, err := r.q.ListRunsOccupying(ctx, row.ListRunsOccupyingParams{LimitID: limitID, Now: now, AtMost: int64(limit)})
	return ids, r.err(err, "Flow run")
}

func (t *tx) PutSlotLease(ctx context.Context, l *core.SlotLease) error {
	var holder *string
	if l.HolderType != "" {
		holder = &l.HolderType
	}
	err := t.q.PutSlotLease(ctx, row.PutSlotLeaseParams{
		ID: l.ID, Created: l.Created, Expires: l.Expires, Slots: l.Slots, HolderInfo: orNull(l.Holder),
		IsCounted: l.Counted, HolderType: holder, HolderID: l.HolderID, ClientID: l.ClientID,
	})
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

func (t *tx) DeleteSlotLeasesOfHolder(ctx context.Context, id core.UUID) error {
	if err := t.q.DeleteSlotLeasesOfHolder(ctx, row.DeleteSlotLeasesOfHolderParams{HolderID: id}); err != nil {
		return t.err(err, "Lease")
	}
	return t.err(t.q.DeleteSlotLeasesOfTasks(ctx, row.DeleteSlotLeasesOfTasksParams{FlowRunID: id}), "Lease")
}

func (t *tx) DeleteEndedSlotLeases(ctx context.Context, before core.Time) (int64, error) {
	n, err := t.q.DeleteEndedSlotLeases(ctx, row.DeleteEndedSlotLeasesParams{BeforeTime: before})
	if err != nil {
		return 0, t.err(err, "Lease")
	}
	idle, err := t.q.DeleteIdleDeploymentLeases(ctx)
	return n + idle, t.err(err, "Lease")
}

func (r *reader) DeploymentLease(ctx context.Context, flowRunID core.UUID) (*core.SlotLease, error) {
	x, err := r.q.GetDeploymentLease(ctx, row.GetDeploymentLeaseParams{HolderID: flowRunID})
	if err != nil {
		return nil, r.err(err, "Lease")
	}
	l := slotLeaseOf(&x)
	l.Limits, err = r.q.ListSlotLeaseLimits(ctx, row.ListSlotLeaseLimitsParams{LeaseID: l.ID})
	return l, r.err(err, "Lease")
}

func (t *tx) DeleteDeploymentLease(ctx context.Context, flowRunID core.UUID) error {
	return t.err(t.q.DeleteDeploymentLease(ctx, row.DeleteDeploymentLeaseParams{HolderID: flowRunID}), "Lease")
}

func (t *tx) LoseSlotLeases(ctx context.Context, clientID core.UUID, expires core.Time) ([]core.UUID, error) {
	holders, err := t.q.LoseSlotLeases(ctx, row.LoseSlotLeasesParams{ClientID: clientID, Expires: expires})
	return holders, t.err(err, "Lease")
}

func (t *tx) KeepSlotLeases(ctx context.Context, holderID, clientID core.UUID, expires core.Time) error {
	return t.err(t.q.KeepSlotLeases(ctx, row.KeepSlotLeasesParams{HolderID: holderID, ClientID: clientID, Expires: expires}), "Lease")
}

func (r *reader) SlotHolders(ctx context.Context) ([]core.UUID, error) {
	ids, err := r.q.ListSlotHolders(ctx)
	return ids, r.err(err, "Lease")
}

// LostSlotHolders: theirs are the only leases of the kind that end by themselves.
func (r *reader) LostSlotHolders(ctx context.Context, now core.Time) ([]core.UUID, error) {
	ids, err := r.q.ListLostSlotHolders(ctx, row.ListLostSlotHoldersParams{Now: now, Forever: core.Forever})
	return ids, r.err(err, "Lease")
}
