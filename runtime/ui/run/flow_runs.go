package run

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

const (
	runsAPage = 50
	plotted   = 200    // dots of the scatter, the page's own runs first
	mostRuns  = 10_001 // a count goes no further
)

var runRanges = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// flowRuns lists runs as the address says.
func (u *UI) flowRuns(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Runs", "runs")
	if err != nil {
		return err
	}
	d, l, err := u.runsQuery(r.Context(), p, r.URL.Query())
	if err != nil {
		return err
	}
	if err := u.readRuns(r.Context(), p, &d, l); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.RunsBody(p, d))
	}
	if err := u.readChoices(r.Context(), &d); err != nil {
		return err
	}
	return u.Send(w, r, views.RunsPage(p, d))
}

// runsQuery reads the address.
func (u *UI) runsQuery(ctx context.Context, p views.Page, q url.Values) (views.RunsView, *runList, error) {
	d := views.RunsView{
		States:     map[string]bool{},
		Flow:       q.Get("flow"),
		Q:          strings.TrimSpace(q.Get("q")),
		Pool:       q.Get("pool"),
		Deployment: q.Get("deployment"),
		Tag:        strings.TrimSpace(q.Get("tag")),
		Subflows:   q.Get("subflows"),
		Parent:     q.Get("parent"),
		Sort:       q.Get("sort"),
		PageSize:   runsAPage,
		To:         p.Now,
	}
	l := &runList{now: p.Now, sort: d.Sort, after: cursorOf(q.Get("after")), back: cursorOf(q.Get("before"))}
	d.First = l.after == nil && l.back == nil
	for _, k := range []string{"after", "before"} {
		q.Del(k)
	}
	for k, vs := range q { // a form sends what it has, also where nothing was chosen
		if q[k] = slices.DeleteFunc(vs, func(v string) bool { return v == "" }); len(q[k]) == 0 {
			q.Del(k)
		}
	}
	if !q.Has("from") && !q.Has("to") {
		q.Del(views.ZoneField)
	}
	d.Query = q.Encode()
	fr := &core.FlowRunFilter{}
	l.filters = core.Filters{FlowRuns: fr}
	for _, s := range q["state"] {
		d.States[s] = true
	}
	l.states, fr.State = d.States, page.StateFilter(d.States)
	if err := readSpan(p, &d, q); err != nil {
		return d, l, err
	}
	l.from, l.to = d.From, d.To
	if d.Range == "custom" {
		d.SpanFrom, d.SpanTo = d.From, d.To
	}
	if d.Range != "custom" && (d.States["scheduled"] || d.Q != "") { // what is due later is not a run yet, but asked for
		l.to = 0
	}
	if d.Flow != "" {
		l.filters.Flows = &core.FlowFilter{Name: &core.TextFilter{Any: []string{d.Flow}}}
	}
	if d.Pool != "" {
		l.filters.WorkPools = &core.WorkPoolFilter{Name: &core.TextFilter{Any: []string{d.Pool}}}
	}
	if d.Tag != "" {
		fr.Tags = &core.TagFilter{All: []string{d.Tag}}
	}
	switch d.Subflows {
	case "without":
		fr.ParentTaskRunID = &core.IDFilter{IsNull: core.Ptr(true)}
	case "only":
		fr.ParentTaskRunID = &core.IDFilter{IsNull: core.Ptr(false)}
	}
	if id, err := core.ParseUUID(d.Q); err == nil {
		fr.ID = page.One(id)
	} else if d.Q != "" {
		fr.Name = page.Like(d.Q)
	}
	return d, l, u.readNamed(ctx, &d, fr)
}

// readNamed finds what the address names by an id.
func (u *UI) readNamed(ctx context.Context, d *views.RunsView, fr *core.FlowRunFilter) error {
	if d.Deployment != "" {
		id, err := core.ParseUUID(d.Deployment)
		if err != nil {
			return core.NotFound("Deployment")
		}
		dep, err := u.Store.Deployment(ctx, id)
		if err != nil {
			return err
		}
		d.DeploymentName, fr.DeploymentID = dep.FullName(), page.One(id)
	}
	if d.Parent != "" {
		id, err := core.ParseUUID(d.Parent)
		if err != nil {
			return core.NotFound("Flow run")
		}
		run, err := u.Store.FlowRun(ctx, id)
		if err != nil {
			return err
		}
		d.ParentName, fr.ParentFlowRunID = run.Name, page.One(id)
	}
	return nil
}

// readSpan reads the time span: one of the menu, or one of its own.
func readSpan(p views.Page, d *views.RunsView, q url.Values) error {
	d.Range = cmp.Or(q.Get("range"), "7d")
	if q.Get("from") != "" && q.Get("range") == "" {
		d.Range = "custom"
	}
	if span, ok := runRanges[d.Range]; ok {
		d.From = p.Now.Add(-span)
		return nil
	}
	if d.Range != "custom" {
		d.Range = "all"
		return nil
	}
	var err error
	typedIn := cmp.Or(page.Location(q.Get(views.ZoneField)), p.Loc) // an address may come from another zone
	if s := q.Get("from"); s != "" {
		d.From, err = parseMoment(s, typedIn)
	}
	if s := q.Get("to"); s != "" && err == nil {
		d.To, err = parseMoment(s, typedIn)
	}
	if err != nil {
		return core.Errorf(core.EInvalid, "from and to must be times like 2026-11-23T09:00 or 2026-11-23T09:00:00Z")
	}
	if d.From > d.To {
		return core.Errorf(core.EInvalid, "from must be before to")
	}
	return nil
}

// parseMoment reads a time with its zone, or one of the reader's clock.
func parseMoment(s string, loc *time.Location) (core.Time, error) {
	if at, err := page.ParseLocal(s, loc); err == nil {
		return core.TimeFrom(at), nil
	}
	return core.ParseTime(s)
}

func (u *UI) readRuns(ctx context.Context, p views.Page, d *views.RunsView, l *runList) error {
	pg, err := l.read(ctx, u)
	if err != nil {
		return err
	}
	if l.after == nil && l.back == nil && len(pg.runs) < plotted { // these are all
		d.Total = int64(len(pg.runs))
	} else if d.Total, err = l.count(ctx, u); err != nil {
		return err
	} else {
		d.Total += int64(len(l.older))
	}
	if d.Plot, err = u.Named(ctx, pg.runs); err != nil {
		return err
	}
	d.First = d.First || pg.first
	d.Runs = d.Plot[:min(runsAPage, len(d.Plot))]
	if len(d.Runs) > 0 && !d.First {
		d.Newer = l.cursor(pg.runs[0])
	}
	if pg.more {
		d.Older = l.cursor(pg.runs[len(d.Runs)-1])
	}
	started := false
	for i, r := range d.Plot {
		if i < len(d.Runs) {
			d.MaxDur = max(d.MaxDur, r.Took(p.Now))
		}
		started = started || r.StartTime != 0
	}
	if !started {
		d.Plot = nil
		return nil
	}
	if len(d.Plot) >= plotted || d.Range == "all" || !d.First || d.Sort == "oldest" { // the dots fill the axis
		d.From, d.To = d.Plot[0].When(), d.Plot[0].When()
		for _, r := range d.Plot {
			d.From, d.To = min(d.From, r.When()), max(d.To, r.When())
		}
		d.To = max(d.To, d.From.Add(time.Second))
	}
	return nil
}

// readChoices fills the menus of the filters.
func (u *UI) readChoices(ctx context.Context, d *views.RunsView) error {
	flows, err := u.Store.Flows(ctx, core.Filters{}, core.Page{Sort: "NAME_ASC"})
	if err != nil {
		return err
	}
	for _, f := range flows {
		d.Flows = append(d.Flows, f.Name)
	}
	if d.Flow != "" && !slices.Contains(d.Flows, d.Flow) {
		d.Flows = append(d.Flows, d.Flow)
	}
	f := core.Filters{}
	if d.Flow != "" {
		f.Flows = &core.FlowFilter{Name: &core.TextFilter{Any: []string{d.Flow}}}
	}
	deps, err := u.Store.Deployments(ctx, f, core.Page{Sort: "NAME_ASC"})
	if err != nil {
		return err
	}
	slices.SortFunc(deps, func(a, b *core.Deployment) int { return strings.Compare(a.FullName(), b.FullName()) })
	known := d.Deployment == ""
	for _, x := range deps {
		known = known || x.ID.String() == d.Deployment
		d.Deployments = append(d.Deployments, [2]string{x.ID.String(), x.FullName()})
	}
	if !known {
		d.Deployments = append(d.Deployments, [2]string{d.Deployment, d.DeploymentName})
	}
	pools, err := u.Store.WorkPools(ctx, nil, core.Page{})
	if err != nil {
		return err
	}
	for _, w := range pools {
		d.Pools = append(d.Pools, w.Name)
	}
	d.Searches, err = u.savedSearches(ctx)
	return err
}
