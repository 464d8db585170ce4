package ui

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

const (
	runsAPage = 50
	plotted   = 200 // dots of the scatter
)

var runRanges = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// flowRuns lists runs as the address says.
func (u *UI) flowRuns(w http.ResponseWriter, r *http.Request) error {
	p, err := u.page(w, r, "Runs", "runs")
	if err != nil {
		return err
	}
	d, f, err := u.runsQuery(r.Context(), p, r.URL.Query())
	if err != nil {
		return err
	}
	if err := u.readRuns(r.Context(), p, &d, f); err != nil {
		return err
	}
	if hx(r) {
		return u.send(w, r, views.RunsBody(p, d))
	}
	return u.send(w, r, views.RunsPage(p, d))
}

// runsQuery reads the address.
func (u *UI) runsQuery(ctx context.Context, p views.Page, q url.Values) (views.RunsView, core.Filters, error) {
	d := views.RunsView{
		States: map[string]bool{}, Flow: q.Get("flow"), Q: q.Get("q"), Pool: q.Get("pool"), Deployment: q.Get("deployment"), Tag: q.Get("tag"),
		PageSize: runsAPage, To: p.Now, Range: cmp.Or(q.Get("range"), "7d"),
	}
	d.Page, _ = strconv.Atoi(q.Get("page"))
	d.Page = max(d.Page, 1)
	q.Del("page")
	d.Query = q.Encode()
	fr := &core.FlowRunFilter{}
	f := core.Filters{FlowRuns: fr}
	for _, s := range q["state"] {
		d.States[s] = true
	}
	fr.State = stateFilter(d.States)
	switch {
	case q.Get("from") != "":
		from, err := core.ParseTime(q.Get("from"))
		to, err2 := core.ParseTime(cmp.Or(q.Get("to"), p.Now.String()))
		if err != nil || err2 != nil {
			return d, f, core.Errorf(core.EInvalid, "from and to must be times like 2026-11-23T09:00:00Z")
		}
		d.From, d.To, d.Range = from, to, ""
		fr.ExpectedStartTime = &core.TimeFilter{After: from, Before: to}
	default:
		window := &core.TimeFilter{}
		if span, ok := runRanges[d.Range]; ok {
			d.From = p.Now.Add(-span)
			window.After = d.From
		} else {
			d.Range = "all"
		}
		if !d.States["scheduled"] { // what is due later is not a run yet
			window.Before = p.Now.Add(time.Second)
		}
		fr.StartTime = window
	}
	if d.Flow != "" {
		f.Flows = &core.FlowFilter{Name: &core.TextFilter{Any: []string{d.Flow}}}
	}
	if d.Pool != "" {
		f.WorkPools = &core.WorkPoolFilter{Name: &core.TextFilter{Any: []string{d.Pool}}}
	}
	if d.Tag != "" {
		fr.Tags = &core.TagFilter{All: []string{d.Tag}}
	}
	if d.Deployment != "" {
		id, err := core.ParseUUID(d.Deployment)
		if err != nil {
			return d, f, core.NotFound("Deployment")
		}
		dep, err := u.Store.Deployment(ctx, id)
		if err != nil {
			return d, f, err
		}
		d.DeploymentName = dep.FullName()
		fr.DeploymentID = one(id)
	}
	if id, err := core.ParseUUID(d.Q); err == nil {
		fr.ID = one(id)
	} else if d.Q != "" {
		fr.Name = &core.TextFilter{Like: &d.Q}
	}
	return d, f, nil
}

// stateFilter turns tones into types and names; Late is a name of SCHEDULED.
func stateFilter(tones map[string]bool) *core.StateFilter {
	var types []core.StateType
	var names []string
	for tone := range tones {
		switch tone {
		case "late":
			names = append(names, core.NameLate)
		case "scheduled":
			names = append(names, core.Scheduled.Name(), core.NameAwaitingRetry, core.NameResuming, core.NameAwaitingConcurrencySlot)
		case "cancelled":
			types = append(types, core.Cancelled, core.Cancelling)
		default:
			for _, t := range core.StateTypes {
				if views.Tone(t, "") == tone {
					types = append(types, t)
				}
			}
		}
	}
	switch {
	case len(types) > 0 && len(names) > 0:
		return &core.StateFilter{Operator: core.Or, Type: &core.StateTypeFilter{Any: types}, Name: &core.TextFilter{Any: names}}
	case len(types) > 0:
		return &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}
	case len(names) > 0:
		return &core.StateFilter{Name: &core.TextFilter{Any: names}}
	}
	return nil
}

func (u *UI) readRuns(ctx context.Context, p views.Page, d *views.RunsView, f core.Filters) (err error) {
	sort := "START_TIME_DESC"
	if len(d.States) == 1 && d.States["scheduled"] {
		sort = "EXPECTED_START_TIME_ASC"
	}
	if d.Plot, err = u.runs(ctx, f, core.Page{Sort: sort, Limit: plotted}); err != nil {
		return err
	}
	if lo := (d.Page - 1) * runsAPage; lo+runsAPage <= plotted {
		d.Runs = d.Plot[min(lo, len(d.Plot)):min(lo+runsAPage, len(d.Plot))]
	} else if d.Runs, err = u.runs(ctx, f, core.Page{Sort: sort, Limit: runsAPage, Offset: lo}); err != nil {
		return err
	}
	d.Total = int64(len(d.Plot))
	if len(d.Plot) == plotted {
		if d.Total, err = u.Store.CountFlowRuns(ctx, f); err != nil {
			return err
		}
	}
	for _, r := range d.Runs {
		d.MaxDur = max(d.MaxDur, r.Took(p.Now))
	}
	started := false
	for _, r := range d.Plot {
		if d.From == 0 || r.When() < d.From && d.Range == "all" {
			d.From = r.When()
		}
		started = started || r.StartTime != 0
	}
	if !started {
		d.Plot = nil
	} else if len(d.Plot) == plotted || d.Range == "all" { // the dots fill the axis
		for i, r := range d.Plot {
			if i == 0 || r.When() < d.From {
				d.From = r.When()
			}
		}
	}
	return u.readChoices(ctx, p, d)
}

// readChoices fills the menus of the filters.
func (u *UI) readChoices(ctx context.Context, p views.Page, d *views.RunsView) error {
	since := d.From
	if since == 0 || since < p.Now.Add(-31*24*time.Hour) { // never a count without a bound
		since = p.Now.Add(-31 * 24 * time.Hour)
	}
	until := p.Now.Add(24 * time.Hour)
	history, err := u.Store.FlowRunHistory(ctx, core.HistoryQuery{Start: since, End: until, Interval: until.Sub(since).Seconds()})
	if err != nil {
		return err
	}
	d.StateCounts = map[string]int64{}
	for _, b := range views.Buckets(history) {
		for tone, n := range b.N {
			d.StateCounts[tone] += n
		}
	}
	flows, err := u.Store.Flows(ctx, core.Filters{}, core.Page{Sort: "NAME_ASC"})
	if err != nil {
		return err
	}
	for _, f := range flows {
		d.Flows = append(d.Flows, f.Name)
	}
	pools, err := u.Store.WorkPools(ctx, nil, core.Page{})
	for _, w := range pools {
		d.Pools = append(d.Pools, w.Name)
	}
	return err
}

// bulk does one thing to the ticked runs and says how many it was done to.
func (u *UI) bulk(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	do := r.PostForm.Get("do")
	word, ok := map[string]string{"retry": "Retrying", "cancel": "Cancelling", "delete": "Deleted"}[do]
	if !ok {
		return core.Errorf(core.EBadRequest, "Choose retry, cancel or delete.")
	}
	done, firstErr := 0, error(nil)
	for _, s := range r.PostForm["id"] {
		id, err := core.ParseUUID(s)
		if err != nil {
			return core.NotFound("Flow run")
		}
		if err = u.one(r.Context(), do, id); err == nil {
			done++
		} else if firstErr == nil {
			firstErr = err
		}
	}
	t := views.Toast{State: "completed", Text: fmt.Sprintf("%s %d of %d runs.", word, done, len(r.PostForm["id"]))}
	if firstErr != nil {
		t.State, t.Text = "late", t.Text+" "+firstErr.Error()
	}
	return u.reply(w, r, "/runs", t)
}

func (u *UI) one(ctx context.Context, do string, id core.UUID) error {
	var res *core.OrchestrationResult
	var err error
	switch do {
	case "retry":
		res, err = u.Service.RetryFlowRun(ctx, id, false)
	case "cancel":
		res, err = u.Service.CancelFlowRun(ctx, id)
	case "delete":
		err = u.Service.DeleteFlowRun(ctx, id)
	}
	if err != nil {
		return err
	}
	return refusal(res)
}
