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

// LockLease locks the run's row, too: who takes a run from its holder has that
// row. A lease that went while this waited is not found.
func (t *tx) LockLease(ctx context.Context, flowRunID core.UUID) (*core.Lease, error) {
	if t.d == queries.SQLite { // has one writer at a time
		return t.Lease(ctx, flowRunID)
	}
	l, err := t.q.LockLease(ctx, row.LockLeaseParams{ID: flowRunID})
	if err != nil {
		return nil, t.err(err, "Lease")
	}
	return leaseOf(&l), nil
}

func (t *tx) PutLease(ctx context.Context, l *core.Lease) error {
	return t.err(t.later("Lease", 1).PutLease(ctx, row.PutLeaseParams{FlowRunID: l.FlowRunID, Holder: l.Holder, Worker: l.Worker, Token: l.Token, Expires: l.Expires}), "Lease")
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

func (r *reader) Setting(ctx context.Context, key string) (core.JSON, error) {
	s, err := r.q.GetSetting(ctx, row.GetSettingParams{Key: key})
	return s.Value, r.err(err, "Setting")
}

func (t *tx) PutSetting(ctx context.Context, key string, value core.JSON) error {
	return t.err(t.q.PutSetting(ctx, row.PutSettingParams{Key: key, Value: value}), "Setting")
}
