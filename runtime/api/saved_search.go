package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) savedSearches() group {
	return group{"/saved_searches", []op{
		route("PUT", "/", 200, func(ctx context.Context, in *withBody[core.SavedSearchCreate]) (*core.SavedSearch, error) {
			s, err := a.SavedSearches.PutSavedSearch(ctx, in.Body)
			if err == nil {
				created(ctx, s.Created)
			}
			return s, err
		}, need("name")),
		post("/filter", func(ctx context.Context, in *withBody[pageQuery]) ([]*core.SavedSearch, error) {
			page, none, err := in.Body.page(nil)
			if err != nil || none {
				return []*core.SavedSearch{}, err
			}
			return rows(a.store.SavedSearches(ctx, page))
		}, strict),
		read("Saved search", a.store.SavedSearch),
		remove("Saved search", a.SavedSearches.DeleteSavedSearch),
	}}
}
