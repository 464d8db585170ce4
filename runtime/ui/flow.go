package ui

import (
	"net/http"
	"slices"

	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

func (u *UI) flows(w http.ResponseWriter, r *http.Request) error {
	p, err := u.page(w, r, "Flows", "flows")
	if err != nil {
		return err
	}
	recs, err := u.Store.Flows(r.Context(), core.Filters{}, core.Page{Sort: "NAME_ASC"})
	if err != nil {
		return err
	}
	deps, err := u.Store.Deployments(r.Context(), core.Filters{}, core.Page{Sort: "NAME_ASC"})
	if err != nil {
		return err
	}
	out := make([]views.FlowView, len(recs))
	for i, f := range recs {
		out[i].Flow = f
		for _, d := range deps {
			if d.FlowID == f.ID {
				out[i].Deployments = append(out[i].Deployments, d)
			}
		}
		if out[i].Last, err = u.lastRuns(r.Context(), core.Filters{Flows: &core.FlowFilter{ID: one(f.ID)}}); err != nil {
			return err
		}
	}
	return u.send(w, r, views.FlowsPage(p, out))
}

func (u *UI) flow(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Flow")
	if err != nil {
		return err
	}
	v := views.FlowView{}
	if v.Flow, err = u.Store.Flow(r.Context(), id); err != nil {
		return err
	}
	p, err := u.page(w, r, v.Name, "flows")
	if err != nil {
		return err
	}
	mine := core.Filters{Flows: &core.FlowFilter{ID: one(id)}}
	if v.Deployments, err = u.Store.Deployments(r.Context(), mine, core.Page{Sort: "NAME_ASC"}); err != nil {
		return err
	}
	if v.Last, err = u.lastRuns(r.Context(), mine); err != nil {
		return err
	}
	return u.send(w, r, views.FlowPage(p, v))
}

// stripOf is how many runs a strip has room for.
const stripOf = 24

// lastRuns are the latest runs that are not in the future, oldest first.
func (u *UI) lastRuns(ctx context.Context, f core.Filters) ([]views.Run, error) {
	fr := core.FlowRunFilter{}
	if f.FlowRuns != nil {
		fr = *f.FlowRuns
	}
	fr.StartTime = &core.TimeFilter{Before: u.Now().Add(1e9)}
	f.FlowRuns = &fr
	rs, err := u.runs(ctx, f, core.Page{Sort: "START_TIME_DESC", Limit: stripOf})
	slices.Reverse(rs)
	return rs, err
}
