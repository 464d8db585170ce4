package block

import (
	"bytes"
	"context"
	"errors"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/template"
)

// Variables reads the variables that parameters refer to.
type Variables interface {
	VariableByName(ctx context.Context, name string) (*core.Variable, error)
}

const KindKey = "__prefect_kind"

// Hydrate replaces {"__prefect_kind": …} wrappers, at any depth, by the values
// they stand for; templates are rendered with data. EBadRequest says which one
// cannot be.
func Hydrate(
	ctx context.Context,
	r Variables,
	t template.Engine,
	params core.JSON,
	data map[string]any,
	filters ...template.Filters,
) (core.JSON, error) {
	if !bytes.Contains(params, []byte(KindKey)) {
		return params, nil
	}
	v, err := params.Tree()
	if err != nil {
		return nil, core.Errorf(core.EBadRequest, "Error hydrating flow run parameters: %v", err)
	}
	h := hydration{r, t, data, filters}
	if v, err = h.value(ctx, v); err != nil {
		return nil, err
	}
	return core.Encode(v), nil
}

var errUnrendered = errors.New("what the transaction needs is not rendered yet")

// Rendering is what a transaction found to be rendered, and what became of it.
type Rendering struct {
	done    map[string]rendered
	missing []core.JSON
}

type rendered struct {
	to  core.JSON
	err error
}

// Missing reports whether err says that parameters are not rendered yet: a
// transaction may go on to find others, and must return it in the end.
func Missing(err error) bool { return errors.Is(err, errUnrendered) }

// Hydrated returns params as hydrate rendered them, or the error errUnrendered
// if it has not rendered these: what the transaction read has changed since.
func (r *Rendering) Hydrated(params core.JSON) (core.JSON, error) {
	if !bytes.Contains(params, []byte(KindKey)) {
		return params, nil
	}
	if known, ok := r.done[string(params)]; ok {
		return known.to, known.err
	}
	r.missing = append(r.missing, params)
	return nil, errUnrendered
}

// WriteHydrated is write for what needs rendered parameters. A template of a
// user takes up to seconds, in which nobody else could write: it is rendered
// between two transactions, and the second one verifies that it is the right one.
func (s *Blocks) WriteHydrated(ctx context.Context, fn func(tx core.Tx, out *commit.Outbox, r *Rendering) error) error {
	r := &Rendering{done: map[string]rendered{}}
	for {
		err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
			r.missing = nil
			return fn(tx, out, r)
		})
		if !Missing(err) {
			return err
		}
		for _, params := range r.missing {
			to, err := Hydrate(ctx, s.store, s.templates, params, nil)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.done[string(params)] = rendered{to, err}
		}
	}
}

type hydration struct {
	variables Variables
	templates template.Engine
	data      map[string]any
	filters   []template.Filters
}

func (h *hydration) value(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			var err error
			if v[i], err = h.value(ctx, v[i]); err != nil {
				return nil, err
			}
		}
	case core.Object:
		if kind, ok := v.Get(KindKey); ok {
			return h.kind(ctx, kind, v)
		}
		for i := range v {
			var err error
			if v[i].Value, err = h.value(ctx, v[i].Value); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func (h *hydration) kind(ctx context.Context, kind any, v core.Object) (any, error) {
	bad := func(format string, args ...any) error {
		return core.Errorf(core.EBadRequest, "Error hydrating flow run parameters: "+format, args...)
	}
	part := func(key string) (any, error) {
		p, ok := v.Get(key)
		if !ok {
			return nil, bad("the %v wrapper needs the key %q", kind, key)
		}
		return h.value(ctx, p)
	}
	switch kind {
	case nil, "none":
		return part("value")
	case "json":
		p, err := part("value")
		if err != nil {
			return nil, err
		}
		text, ok := p.(string)
		if !ok {
			return nil, bad("the value of a json wrapper must be text that holds JSON")
		}
		out, err := core.JSON(text).Tree()
		if err != nil {
			return nil, bad("%q is not valid JSON", core.CutText(text, 80))
		}
		return out, nil
	case "workspace_variable":
		p, err := part("variable_name")
		if err != nil {
			return nil, err
		}
		name, _ := p.(string)
		variable, err := h.variables.VariableByName(ctx, name)
		if core.IsNotFound(err) {
			return nil, bad("the variable %q does not exist; make it first", name)
		}
		if err != nil {
			return nil, err
		}
		return variable.Value, nil
	case "jinja":
		p, err := part("template")
		if err != nil {
			return nil, err
		}
		text, ok := p.(string)
		if !ok {
			return nil, bad("the template of a jinja wrapper must be text")
		}
		out, err := h.templates.Render(text, h.data, h.filters...)
		if err != nil {
			return nil, bad("the template %q: %v", core.CutText(text, 80), err)
		}
		return out, nil
	}
	return nil, bad("the wrapper kind %v is unknown; use none, json, jinja or workspace_variable", kind)
}
