package run

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// savedSearches are those that name filters of the list of runs.
func (u *UI) savedSearches(ctx context.Context) ([]views.SavedSearch, error) {
	stored, err := u.Store.SavedSearches(ctx, core.Page{})
	if err != nil {
		return nil, err
	}
	var out []views.SavedSearch
	for _, s := range stored {
		q := url.Values{}
		for _, f := range s.Filters {
			var many []string
			var text string
			if json.Unmarshal(f.Value, &many) != nil && json.Unmarshal(f.Value, &text) == nil {
				many = []string{text}
			}
			if slices.Contains(views.RunFilters, f.Property) {
				q[f.Property] = append(q[f.Property], many...)
			}
		}
		if len(q) > 0 {
			out = append(out, views.SavedSearch{ID: s.ID, Name: s.Name, Query: q.Encode()})
		}
	}
	return out, nil
}

// saveSearch keeps the list's filters under a name; the same name again
// replaces them.
func (u *UI) saveSearch(w http.ResponseWriter, r *http.Request) error {
	name, q := strings.TrimSpace(r.PostForm.Get("name")), listQuery(r.PostForm.Get("query"))
	switch {
	case name == "":
		return core.Errorf(core.EInvalid, "Give the search a name.")
	case len(name) > 200:
		return core.Errorf(core.EInvalid, "The name is longer than 200 characters.")
	case len(q) == 0:
		return core.Errorf(core.EInvalid, "Choose a filter first; the list without one needs no name.")
	}
	c := core.SavedSearchCreate{Name: name}
	for _, k := range views.RunFilters {
		if q.Has(k) {
			c.Filters = append(
				c.Filters,
				core.SavedSearchFilter{Object: "flow_run", Property: k, Type: "string", Operation: "any_", Value: core.ToJSON(q[k])},
			)
		}
	}
	if _, err := u.Searches.PutSavedSearch(r.Context(), c); err != nil {
		return err
	}
	u.Flash(w, "Saved this search as "+name+".")
	return u.Redirect(w, r, "/runs?"+q.Encode())
}

func (u *UI) deleteSearch(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Saved search")
	if err != nil {
		return err
	}
	if err := u.Searches.DeleteSavedSearch(r.Context(), id); err != nil {
		return err
	}
	u.Flash(w, "Saved search deleted.")
	return u.Redirect(w, r, "/runs?"+listQuery(r.PostForm.Get("query")).Encode())
}
