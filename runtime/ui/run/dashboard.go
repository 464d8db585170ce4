package run

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

type dashRange struct {
	label   string
	step    time.Duration
	past    int // buckets before now, the running one with them
	forward int
}

var dashRanges = map[string]dashRange{
	"1h": {"1 h", time.Minute, 60, 6}, "24h": {"24 h", 30 * time.Minute, 48, 4},
	"7d": {"7 d", 4 * time.Hour, 42, 3}, "30d": {"30 d", 24 * time.Hour, 30, 2},
}

func (u *UI) dashboard(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Dashboard", "dashboard")
	if err != nil {
		return err
	}
	rg, ok := dashRanges[r.URL.Query().Get("range")]
	if !ok {
		rg = dashRanges["24h"]
	}
	q := r.URL.Query()
	d := views.Dashboard{
		FlowsDir: u.FlowsFolder(),
		Range:    rg.label,
		Past:     rg.past,
		Counts:   map[string]int64{},
		Flow:     q.Get("flow"),
		Tag:      strings.TrimSpace(q.Get("tag")),
	}
	if d.RangeKey = q.Get("range"); d.RangeKey != "" && !ok {
		d.RangeKey = ""
	}
	if err := u.readDashboard(r.Context(), p, rg, &d); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.DashboardBody(p, d))
	}
	flows, err := u.Store.Flows(r.Context(), core.Filters{}, core.Page{Sort: "NAME_ASC"})
	if err != nil {
		return err
	}
	for _, f := range flows {
		d.Flows = append(d.Flows, f.Name)
	}
	return u.Send(w, r, views.DashboardPage(p, d))
}

// chosen are the dashboard's flow and tag as filters, joined with a filter of runs.
func chosen(d *views.Dashboard, fr *core.FlowRunFilter) core.Filters {
	f := core.Filters{FlowRuns: fr}
	if d.Flow != "" {
		f.Flows = &core.FlowFilter{Name: &core.TextFilter{Any: []string{d.Flow}}}
	}
	if d.Tag != "" {
		if fr == nil {
			fr = &core.FlowRunFilter{}
		}
		fr.Tags, f.FlowRuns = &core.TagFilter{All: []string{d.Tag}}, fr
	}
	return f
}

func (u *UI) readDashboard(ctx context.Context, p views.Page, rg dashRange, d *views.Dashboard) error {
	now := p.Now
	from := core.TimeFrom(now.Time().In(p.Loc).Truncate(rg.step)).Add(-time.Duration(rg.past-1) * rg.step)
	until := from.Add(time.Duration(rg.past+rg.forward) * rg.step)
	key := historyKey{flow: d.Flow, tag: d.Tag, step: rg.step.Seconds()}
	counts := core.HistoryQuery{Filters: chosen(d, nil), Start: from, End: until, Interval: rg.step.Seconds(), Counts: true}
	history, err := u.histories.get(key).read(ctx, counts, now, u.Store.FlowRunHistory)
	if err != nil {
		return err
	}
	d.Buckets = views.Buckets(history)
	for i, b := range d.Buckets {
		for tone, n := range b.N {
			d.Counts[tone] += n
		}
		if i < rg.past {
			d.Total += b.Total - b.N["scheduled"] // what is to come of this hour is no run yet
		}
	}
	d.Finished = d.Counts["completed"] + d.Counts["failed"] + d.Counts["crashed"] + d.Counts["cancelled"]

	if err := u.readAttention(ctx, d, from); err != nil {
		return err
	}
	if d.Next, err = u.Runs(ctx, chosen(d, &core.FlowRunFilter{
		State:             &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Scheduled}}},
		ExpectedStartTime: &core.TimeFilter{After: now},
	}), core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: 5}); err != nil {
		return err
	}
	key.tasks = true
	counts.End = from.Add(time.Duration(rg.past) * rg.step)
	tasks, err := u.histories.get(key).read(ctx, counts, now, u.Store.TaskRunHistory)
	if err != nil {
		return err
	}
	for _, b := range views.Buckets(tasks) {
		d.Tasks += b.N["completed"]
		d.TasksFailed += b.N["failed"] + b.N["crashed"]
		d.TasksActive += b.N["running"]
		d.TaskSpark = append(d.TaskSpark, b.Total)
	}
	if d.Pools, err = u.Pools(ctx, 8); err != nil {
		return err
	}
	d.Ready = d.Total > 0 || len(d.Next) > 0
	return nil
}

func (u *UI) readAttention(ctx context.Context, d *views.Dashboard, from core.Time) (err error) {
	if d.Waiting, err = u.Runs(ctx, chosen(d, page.ByType(core.Paused)), core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: 5}); err != nil {
		return err
	}
	late, err := u.Runs(ctx, chosen(d, &core.FlowRunFilter{
		State: &core.StateFilter{
			Type: &core.StateTypeFilter{Any: []core.StateType{core.Scheduled}},
			Name: &core.TextFilter{Any: []string{core.NameLate}},
		},
	}), core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: 4})
	if err != nil {
		return err
	}
	for _, r := range late {
		why, err := u.Service.Why(ctx, r.ID)
		if err != nil && !core.IsNotFound(err) {
			return err
		}
		d.Late = append(d.Late, views.LateRun{Run: r, Why: why})
	}
	bad := page.ByType(core.Failed, core.Crashed)
	bad.EndTime = &core.TimeFilter{After: from} // by its end: an old run that fails now is news
	d.Bad, err = u.Runs(ctx, chosen(d, bad), core.Page{Sort: "END_TIME_DESC", Limit: 5})
	return err
}
