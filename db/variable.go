package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func variableOf(r *row.Variable) *core.Variable {
	return &core.Variable{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, Value: r.Value, Tags: r.Tags,
	}
}

func (r *reader) Variable(ctx context.Context, id core.UUID) (*core.Variable, error) {
	x, err := r.q.GetVariable(ctx, row.GetVariableParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Variable")
	}
	return variableOf(&x), nil
}

func (r *reader) VariableByName(ctx context.Context, name string) (*core.Variable, error) {
	x, err := r.q.GetVariableByName(ctx, row.GetVariableByNameParams{Name: name})
	if err != nil {
		return nil, r.err(err, "Variable")
	}
	return variableOf(&x), nil
}

func (r *reader) Variables(ctx context.Context, f *core.VariableFilter, p core.Page) ([]*core.Variable, error) {
	ids, err := r.ids(ctx, queries.Variables(r.d, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.Variable, error) {
		rows, err := r.q.ListVariablesByIDs(ctx, row.ListVariablesByIDsParams{Ids: ids})
		return rows, r.err(err, "Variable")
	}, variableOf, func(x *row.Variable) core.UUID { return x.ID })
}

func (r *reader) CountVariables(ctx context.Context, f *core.VariableFilter) (int64, error) {
	return r.count(ctx, queries.Variables(r.d, f, nil))
}

func (t *tx) InsertVariable(ctx context.Context, x *core.Variable) error {
	if err := core.MaxVariableName.Check(x.Name); err != nil {
		return err
	}
	return t.err(t.q.InsertVariable(ctx, row.InsertVariableParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, Name: x.Name, Value: orNull(x.Value), Tags: x.Tags,
	}), "Variable")
}

func (t *tx) UpdateVariable(ctx context.Context, x *core.Variable) error {
	if err := core.MaxVariableName.Check(x.Name); err != nil {
		return err
	}
	n, err := t.q.UpdateVariable(ctx, row.UpdateVariableParams{
		Name: x.Name, Value: orNull(x.Value), Tags: x.Tags, Updated: x.Updated, ID: x.ID,
	})
	return t.one(n, err, "Variable")
}

func (t *tx) DeleteVariable(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteVariable(ctx, row.DeleteVariableParams{ID: id})
	return t.one(n, err, "Variable")
}
