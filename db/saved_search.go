package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func savedSearchOf(r *row.SavedSearch) *core.SavedSearch {
	s := &core.SavedSearch{ID: r.ID, Created: r.Created, Updated: r.Updated}
	s.Name = r.Name
	decode(r.Filters, &s.Filters)
	return s
}

func (r *reader) SavedSearch(ctx context.Context, id core.UUID) (*core.SavedSearch, error) {
	s, err := r.q.GetSavedSearch(ctx, row.GetSavedSearchParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Saved search")
	}
	return savedSearchOf(&s), nil
}

func (r *reader) SavedSearchByName(ctx context.Context, name string) (*core.SavedSearch, error) {
	s, err := r.q.GetSavedSearchByName(ctx, row.GetSavedSearchByNameParams{Name: name})
	if err != nil {
		return nil, r.err(err, "Saved search")
	}
	return savedSearchOf(&s), nil
}

func (r *reader) SavedSearches(ctx context.Context, p core.Page) ([]*core.SavedSearch, error) {
	rows, err := r.q.ListSavedSearches(ctx, row.ListSavedSearchesParams{Lim: lim(p.Limit), Off: int64(p.Offset)})
	return each(rows, r.err(err, "Saved search"), savedSearchOf)
}

func (t *tx) PutSavedSearch(ctx context.Context, s *core.SavedSearch) error {
	if err := core.MaxSavedSearchName.Check(s.Name); err != nil {
		return err
	}
	return t.err(t.q.PutSavedSearch(ctx, row.PutSavedSearchParams{
		ID: s.ID, Created: s.Created, Updated: s.Updated, Name: s.Name, Filters: core.ToJSON(s.Filters),
	}), "Saved search")
}

func (t *tx) DeleteSavedSearch(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteSavedSearch(ctx, row.DeleteSavedSearchParams{ID: id})
	return t.one(n, err, "Saved search")
}
