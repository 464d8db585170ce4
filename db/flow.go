package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func flowOf(f *row.Flow) *core.Flow {
	return &core.Flow{ID: f.ID, Created: f.Created, Updated: f.Updated, Name: f.Name, Tags: f.Tags, Labels: f.Labels}
}

func (r *reader) Flow(ctx context.Context, id core.UUID) (*core.Flow, error) {
	f, err := r.q.GetFlow(ctx, row.GetFlowParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Flow")
	}
	return flowOf(&f), nil
}

func (r *reader) FlowByName(ctx context.Context, name string) (*core.Flow, error) {
	f, err := r.q.GetFlowByName(ctx, row.GetFlowByNameParams{Name: name})
	if err != nil {
		return nil, r.err(err, "Flow")
	}
	return flowOf(&f), nil
}

func (r *reader) Flows(ctx context.Context, f core.Filters, p core.Page) ([]*core.Flow, error) {
	ids, err := r.ids(ctx, queries.Flows(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.Flow, error) {
		rows, err := r.q.ListFlowsByIDs(ctx, row.ListFlowsByIDsParams{Ids: ids})
		return rows, r.err(err, "Flow")
	}, flowOf, func(f *row.Flow) core.UUID { return f.ID })
}

func (r *reader) CountFlows(ctx context.Context, f core.Filters) (int64, error) {
	return r.count(ctx, queries.Flows(r.d, f, nil))
}

func (t *tx) UpsertFlow(ctx context.Context, f *core.Flow) (*core.Flow, bool, error) {
	if err := core.MaxFlowName.Check(f.Name); err != nil {
		return nil, false, err
	}
	n, err := t.q.InsertFlow(
		ctx,
		row.InsertFlowParams{ID: f.ID, Created: f.Created, Updated: f.Updated, Name: f.Name, Tags: f.Tags, Labels: f.Labels.OrObject()},
	)
	if err != nil {
		return nil, false, t.err(err, "Flow")
	}
	stored, err := t.FlowByName(ctx, f.Name)
	return stored, n > 0, err
}

func (t *tx) UpdateFlow(ctx context.Context, f *core.Flow) error {
	n, err := t.q.UpdateFlow(ctx, row.UpdateFlowParams{Tags: f.Tags, Labels: f.Labels.OrObject(), Updated: f.Updated, ID: f.ID})
	return t.one(n, err, "Flow")
}

func (t *tx) DeleteFlow(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteFlow(ctx, row.DeleteFlowParams{ID: id})
	return t.one(n, err, "Flow")
}
