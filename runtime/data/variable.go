package data

import (
	"context"
	"fmt"
	"regexp"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

var variableName = regexp.MustCompile(`^[a-z0-9_-]{1,255}$`)

const maxVariable = 5000

func checkVariable(name string, value core.Opt[core.JSON]) error {
	if !variableName.MatchString(name) {
		return core.InvalidField(
			"name",
			fmt.Sprintf("variable name %q is not valid; use lowercase letters, digits, - and _, at most 255", core.CutText(name, 80)),
		)
	}
	if len(value.V) > maxVariable {
		return core.InvalidField(
			"value",
			fmt.Sprintf("the value of variable %q has %d bytes as JSON; at most %d are allowed", name, len(value.V), maxVariable),
		)
	}
	return nil
}

// CreateVariable returns EConflict for a taken name.
func (s *Variables) CreateVariable(ctx context.Context, c core.VariableCreate) (*core.Variable, error) {
	if !c.Value.Set {
		return nil, core.InvalidField("value", "a variable needs a value; null is one")
	}
	if err := checkVariable(c.Name, c.Value); err != nil {
		return nil, err
	}
	var v *core.Variable
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.VariableByName(ctx, c.Name); err == nil {
			return core.Errorf(core.EConflict, "A variable with the name %q already exists.", c.Name)
		}
		now := s.now()
		v = &core.Variable{ID: core.NewID(), Created: now, Updated: now, Name: c.Name, Value: c.Value.Or(core.JSON("null")), Tags: c.Tags}
		return tx.InsertVariable(ctx, v)
	})
	return v, err
}

// UpdateVariable returns ENotFound, or EConflict for a taken name.
func (s *Variables) UpdateVariable(ctx context.Context, id core.UUID, u core.VariableUpdate) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		v, err := tx.Variable(ctx, id)
		if err != nil {
			return err
		}
		v.Name = u.Name.Or(v.Name)
		if u.Value.Set {
			v.Value = u.Value.Or(core.JSON("null"))
		}
		if u.Tags.Set {
			v.Tags = u.Tags.Or(nil)
		}
		if err := checkVariable(v.Name, u.Value); err != nil {
			return err
		}
		if other, err := tx.VariableByName(ctx, v.Name); err == nil && other.ID != id {
			return core.Errorf(core.EConflict, "A variable with the name %q already exists.", v.Name)
		}
		v.Updated = s.now()
		return tx.UpdateVariable(ctx, v)
	})
}

// DeleteVariable returns ENotFound if there is no such variable.
func (s *Variables) DeleteVariable(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.Variable(ctx, id); err != nil {
			return err
		}
		return tx.DeleteVariable(ctx, id)
	})
}

// VariableByName returns ENotFound if there is none.
func (s *Variables) VariableByName(ctx context.Context, name string) (*core.Variable, error) {
	return s.store.VariableByName(ctx, name)
}
