package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func leaseOf(l *row.RunLease) *core.Lease {
	return &core.Lease{FlowRunID: l.FlowRunID, Holder: l.Holder, Worker: l.Worker, Token: l.Token, Expires: l.Expires}
}

func (r *reader) Lease(ctx context.Context, flowRunID core.UUID) (*core.Lease, error) {
	l, err := r.q.GetLease(ctx, row.GetLeaseParams{FlowRunID: flowRunID})
	if err != nil {
		return nil, r.err(err, "Lease")
	}
	return leaseOf(&l), nil
}

func (r *reader) ExpiredLeases(ctx context.Context, now core.Time, limit int) ([]*core.Lease, error) {
	rows, err := r.q.ExpiredLeases(ctx, row.ExpiredLeasesParams{Now: now, Lim: lim(limit)})
	return each(rows, r.err(err, "Lease"), leaseOf)
}

func (r *reader) CancellingOf(ctx context.Context, holder core.UUID) ([]core.UUID, error) {
	ids, err := r.q.CancellingOf(ctx, row.CancellingOfParams{Holder: holder})
	return ids, r.err(err, "Lease")
}

// LockLeases locks the runs' rows, too: who takes a run from its holder has that
// row. A lease that went while this waited is not found.
func (t *tx) LockLeases(ctx context.Context, flowRunIDs []core.UUID) ([]*core.Lease, error) {
	if len(flowRunIDs) == 0 {
		return nil, nil
	}
	if t.d == queries.SQLite && len(flowRunIDs) == 1 { // prepared once
		l, err := t.Lease(ctx, flowRunIDs[0])
		if core.IsNotFound(err) {
			return nil, nil
		}
		return []*core.Lease{l}, err
	}
	rows, err := t.q.LockLeases(ctx, row.LockLeasesParams{Ids: pad(flowRunIDs)})
	return each(rows, t.err(err, "Lease"), leaseOf)
}

func (t *tx) PutLease(ctx context.Context, l *core.Lease) error {
	return t.err(
		t.later(
			"Lease",
			1,
		).PutLease(
			ctx,
			row.PutLeaseParams{FlowRunID: l.FlowRunID, Holder: l.Holder, Worker: l.Worker, Token: l.Token, Expires: l.Expires},
		),
		"Lease",
	)
}

func (t *tx) PutLeases(ctx context.Context, leases []*core.Lease) error {
	if t.d == queries.SQLite || len(leases) <= 1 {
		for _, l := range leases {
			if err := t.PutLease(ctx, l); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]any, len(leases))
	for i, l := range leases {
		rows[i] = []any{l.FlowRunID, l.Holder, l.Worker, l.Token, l.Expires}
	}
	return t.changeMany(ctx, "Lease", rows, queries.PutLeases)
}

func (t *tx) RenewLeases(ctx context.Context, holder core.UUID, expires core.Time) ([]core.UUID, error) {
	ids, err := t.q.RenewLeases(ctx, row.RenewLeasesParams{Expires: expires, Holder: holder})
	return ids, t.err(err, "Lease")
}

// DeleteLease is fine with a run that has none.
func (t *tx) DeleteLease(ctx context.Context, flowRunID core.UUID) error {
	_, err := t.later("Lease", anyRows).DeleteLease(ctx, row.DeleteLeaseParams{FlowRunID: flowRunID})
	return t.err(err, "Lease")
}

func (t *tx) DeleteLeases(ctx context.Context, flowRunIDs []core.UUID) error {
	if t.d == queries.SQLite || len(flowRunIDs) <= 1 {
		for _, id := range flowRunIDs {
			if err := t.DeleteLease(ctx, id); err != nil {
				return err
			}
		}
		return nil
	}
	return t.err(t.later("Lease", anyRows).exec(ctx, queries.DeleteLeases(flowRunIDs)), "Lease")
}

func (r *reader) Setting(ctx context.Context, key string) (core.JSON, error) {
	s, err := r.q.GetSetting(ctx, row.GetSettingParams{Key: key})
	return s.Value, r.err(err, "Setting")
}

func (t *tx) PutSetting(ctx context.Context, key string, value core.JSON) error {
	return t.err(t.q.PutSetting(ctx, row.PutSettingParams{Key: key, Value: value}), "Setting")
}
