package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/flowlite/flowlite/runtime/template"
)

func (a *API) templates() group {
	return group{"", []op{
		route("POST", "/templates/validate", http.StatusNoContent, a.validateTemplate, optional),
		route("POST", "/automations/templates/validate", http.StatusNoContent, a.validateTemplate, optional),
	}}
}

type badTemplate struct {
	Error *template.Error `json:"error"`
}

// validateTemplate takes the bare text as JSON and says what is wrong with it.
func (a *API) validateTemplate(ctx context.Context, in *withBody[string]) (*badTemplate, error) {
	err := a.Automations.ValidateTemplate(in.Body)
	if bad := (*template.Error)(nil); errors.As(err, &bad) {
		setStatus(ctx, http.StatusUnprocessableEntity)
		return &badTemplate{bad}, nil
	}
	return nil, err
}
