package data

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// PutSavedSearch replaces the filters of a search of the same name, if any are given.
func (s *SavedSearches) PutSavedSearch(ctx context.Context, c core.SavedSearchCreate) (stored *core.SavedSearch, err error) {
	if c.Name == "" {
		return nil, core.Errorf(core.EInvalid, "a saved search must have a name")
	}
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		c, now := c, s.now()
		if c.Filters == nil {
			c.Filters = []core.SavedSearchFilter{}
			if old, err := tx.SavedSearchByName(ctx, c.Name); err == nil {
				c.Filters = old.Filters
			} else if !core.IsNotFound(err) {
				return err
			}
		}
		if err := tx.PutSavedSearch(ctx, &core.SavedSearch{ID: core.NewID(), Created: now, Updated: now, SavedSearchCreate: c}); err != nil {
			return err
		}
		stored, err = tx.SavedSearchByName(ctx, c.Name)
		return err
	})
	return stored, err
}

// DeleteSavedSearch returns ENotFound if there is none with the id.
func (s *SavedSearches) DeleteSavedSearch(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error { return tx.DeleteSavedSearch(ctx, id) })
}
