package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// CreateFlow returns the flow of that name, made if there was none.
func (s *Service) CreateFlow(ctx context.Context, c core.FlowCreate) (*core.Flow, error) {
	if err := core.CheckName("flow", c.Name); err != nil {
		return nil, err
	}
	// Most calls find the flow, and need no transaction.
	if f, err := s.store.FlowByName(ctx, c.Name); err == nil {
		return f, nil
	}
	var stored *core.Flow
	err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) (err error) {
		now := s.now()
		stored, _, err = tx.UpsertFlow(ctx, &core.Flow{
			ID: core.NewID(), Created: now, Updated: now, Name: c.Name, Tags: c.Tags, Labels: c.Labels.OrObject(),
		})
		return err
	})
	return stored, err
}

func (s *Service) Flow(ctx context.Context, id core.UUID) (*core.Flow, error) {
	return s.store.Flow(ctx, id)
}

// UpdateFlow returns ENotFound if there is no such flow.
func (s *Service) UpdateFlow(ctx context.Context, id core.UUID, u core.FlowUpdate) error {
	defer s.names.forget(id)
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		f, err := tx.Flow(ctx, id)
		if err != nil {
			return err
		}
		if u.Tags.Set {
			f.Tags = u.Tags.Or(nil)
		}
		f.Updated = s.now()
		return tx.UpdateFlow(ctx, f)
	})
}

// DeleteFlow removes the flow with its runs and deployments. ENotFound.
func (s *Service) DeleteFlow(ctx context.Context, id core.UUID) error {
	defer s.names.forget(id)
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		if _, err := tx.Flow(ctx, id); err != nil {
			return err
		}
		return tx.DeleteFlow(ctx, id)
	})
}
