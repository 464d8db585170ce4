package db

import (
	"cmp"
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func statusOf(x row.FlowRunStatus) *core.FlowRunStatus {
	return &core.FlowRunStatus{Key: x.Key, Updated: x.Updated, Value: core.JSON(x.Value)}
}

func (r *reader) FlowRunStatus(ctx context.Context, flowRunID core.UUID, key string) (*core.FlowRunStatus, error) {
	x, err := r.q.GetFlowRunStatus(ctx, row.GetFlowRunStatusParams{FlowRunID: flowRunID, Key: key})
	if err != nil {
		return nil, r.err(err, "Status")
	}
	return statusOf(x), nil
}

func (r *reader) FlowRunStatuses(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRunStatus, error) {
	rows, err := r.q.ListFlowRunStatus(ctx, row.ListFlowRunStatusParams{FlowRunID: flowRunID})
	out := make([]*core.FlowRunStatus, len(rows))
	for i, x := range rows {
		out[i] = statusOf(x)
	}
	return out, r.err(err, "Status")
}

func (r *reader) CountFlowRunStatuses(ctx context.Context, flowRunID core.UUID) (int64, error) {
	n, err := r.q.CountFlowRunStatus(ctx, row.CountFlowRunStatusParams{FlowRunID: flowRunID})
	return n, r.err(err, "Status")
}

func (t *tx) SetFlowRunStatus(ctx context.Context, flowRunID core.UUID, key string, now core.Time, c core.StatusSet) (bool, error) {
	if err := cmp.Or(core.MaxStatusKey.Check(key), core.MaxStatusSource.Check(c.Source)); err != nil {
		return false, err
	}
	n, err := t.q.PutFlowRunStatusCall(ctx, row.PutFlowRunStatusCallParams{FlowRunID: flowRunID, Source: c.Source, Key: key,
		Attempt: c.Attempt, Ordinal: c.Ordinal})
	if err != nil || n == 0 {
		return false, t.err(err, "Status")
	}
	err = t.q.PutFlowRunStatus(ctx, row.PutFlowRunStatusParams{FlowRunID: flowRunID, Key: key, Updated: now, Value: string(c.Value)})
	return err == nil, t.err(err, "Status")
}
