package deployment

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// listed is how many rows the lists of flows and deployments have a page.
const listed = 50

func (u *UI) flows(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Flows", "flows")
	if err != nil {
		return err
	}
	ctx, f := r.Context(), core.Filters{}
	v := views.FlowsView{Q: strings.TrimSpace(r.URL.Query().Get("q"))}
	if v.Q != "" {
		f.Flows = &core.FlowFilter{Name: page.Like(v.Q)}
	}
	if v.Total, err = u.Store.CountFlows(ctx, f); err != nil {
		return err
	}
	v.Pager = pagerOf(r, "/flows", v.Total)
	recs, err := u.Store.Flows(ctx, f, core.Page{Sort: "NAME_ASC", Limit: listed, Offset: (v.Pager.Page - 1) * listed})
	if err != nil {
		return err
	}
	v.Pager.N = len(recs)
	v.List = make([]views.FlowView, len(recs))
	of := make([]core.Filters, len(recs))
	for i, x := range recs {
		of[i] = core.Filters{Flows: &core.FlowFilter{ID: page.One(x.ID)}}
	}
	last, err := u.strips(ctx, of)
	if err != nil {
		return err
	}
	for i, x := range recs {
		v.List[i].Flow, v.List[i].Last = x, last[i]
		if v.List[i].Deployments, err = u.Store.Deployments(ctx, of[i], core.Page{Sort: "NAME_ASC", Limit: 8}); err != nil {
			return err
		}
	}
	if page.HX(r) {
		return u.Send(w, r, views.FlowsBody(p, v))
	}
	return u.Send(w, r, views.FlowsPage(p, v))
}

// pagerOf reads the page that the address asks for, at most the last one.
func pagerOf(r *http.Request, path string, total int64) views.Counted {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	q.Del("page")
	n = min(max(n, 1), max(1, int((total+listed-1)/listed)))
	return views.Counted{Path: path, Query: q.Encode(), Page: n, Size: listed, Total: total}
}

func (u *UI) flow(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Flow")
	if err != nil {
		return err
	}
	v := views.FlowView{}
	if v.Flow, err = u.Store.Flow(r.Context(), id); err != nil {
		return err
	}
	p, err := u.Page(w, r, v.Name, "flows")
	if err != nil {
		return err
	}
	mine := core.Filters{Flows: &core.FlowFilter{ID: page.One(id)}}
	if v.Deployments, err = u.Store.Deployments(r.Context(), mine, core.Page{Sort: "NAME_ASC"}); err != nil {
		return err
	}
	if v.Last, err = u.lastRuns(r.Context(), mine); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.FlowBody(p, v))
	}
	return u.Send(w, r, views.FlowPage(p, v))
}

// stripOf is how many runs a strip has room for.
const stripOf = 24

// strips are the latest runs of each of the filters, oldest first, without
// what a mark does not show.
func (u *UI) strips(ctx context.Context, of []core.Filters) ([][]views.Run, error) {
	past := make([]core.Filters, len(of))
	for i, f := range of {
		past[i] = u.past(f)
	}
	marks, err := u.Store.FlowRunMarks(ctx, past, core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: stripOf})
	out := make([][]views.Run, len(marks))
	for i, ms := range marks {
		slices.Reverse(ms)
		for _, m := range ms {
			out[i] = append(out[i], views.Run{FlowRun: m})
		}
	}
	return out, err
}

// past leaves runs to come out.
func (u *UI) past(f core.Filters) core.Filters {
	fr := core.FlowRunFilter{}
	if f.FlowRuns != nil {
		fr = *f.FlowRuns
	}
	fr.ExpectedStartTime = &core.TimeFilter{Before: u.Now().Add(1e9)}
	f.FlowRuns = &fr
	return f
}

// lastRuns are the latest runs that are not in the future, oldest first.
func (u *UI) lastRuns(ctx context.Context, f core.Filters) ([]views.Run, error) {
	rs, err := u.Runs(ctx, u.past(f), core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: stripOf})
	slices.Reverse(rs)
	return rs, err
}
