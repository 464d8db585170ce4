package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) variables() group {
	return group{"/variables", []op{
		create(a.Variables.CreateVariable, need("name", "value")).runs(),
		update("Variable", a.Variables.UpdateVariable).runs(),
		read("Variable", a.store.Variable).runs(),
		remove("Variable", a.Variables.DeleteVariable),
		get("/name/{name}", a.variableByName).runs(),
		done("PATCH", "/name/{name}", func(ctx context.Context, in *poolChange[core.VariableUpdate]) error {
			v, err := a.variableByName(ctx, &byName{in.Name})
			if err != nil {
				return err
			}
			return named("Variable", a.Variables.UpdateVariable(ctx, v.ID, in.Body))
		}).runs(),
		done("DELETE", "/name/{name}", func(ctx context.Context, in *byName) error {
			v, err := a.variableByName(ctx, in)
			if err != nil {
				return err
			}
			return named("Variable", a.Variables.DeleteVariable(ctx, v.ID))
		}).runs(),
		filter[variableQuery]("/filter", core.VariableSorts, a.store.Variables).runs(),
		count[variableQuery]("/count", a.store.CountVariables).runs(),
	}}
}

type variableQuery struct {
	Variables *core.VariableFilter `json:"variables"`
	pageQuery
}

func (q variableQuery) filter() *core.VariableFilter { return q.Variables }

func (a *API) variableByName(ctx context.Context, in *byName) (*core.Variable, error) {
	v, err := a.store.VariableByName(ctx, in.Name)
	return v, named("Variable", err)
}
