package ui

import (
	"context"
	"net/http"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
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
	p, err := u.page(w, r, "Dashboard", "dashboard")
	if err != nil {
		return err
	}
	rg, ok := dashRanges[r.URL.Query().Get("range")]
	if !ok {
		rg = dashRanges["24h"]
	}
	d, err := u.readDashboard(r.Context(), p, rg)
	if err != nil {
		return err
	}
	if hx(r) {
		return u.send(w, r, views.DashboardBody(p, d))
	}
	return u.send(w, r, views.DashboardPage(p, d))
}

func (u *UI) readDashboard(ctx context.Context, p views.Page, rg dashRange) (views.Dashboard, error) {
	d := views.Dashboard{Range: rg.label, Past: rg.past, Counts: map[string]int64{}}
	now := p.Now
	from := core.At(now.Time().In(p.Loc).Truncate(rg.step)).Add(-time.Duration(rg.past-1) * rg.step)
	until := from.Add(time.Duration(rg.past+rg.forward) * rg.step)
	history, err := u.Store.FlowRunHistory(ctx, core.HistoryQuery{Start: from, End: until, Interval: rg.step.Seconds()})
	if err != nil {
		return d, err
	}
	d.Buckets = views.Buckets(history)
	for i, b := range d.Buckets {
		for tone, n := range b.N {
			d.Counts[tone] += n
		}
		if i < rg.past {
			d.Total += b.Total
		}
	}
	d.Finished = d.Counts["completed"] + d.Counts["failed"] + d.Counts["crashed"] + d.Counts["cancelled"]

	if err := u.readAttention(ctx, &d, from); err != nil {
		return d, err
	}
	if d.Next, err = u.runs(ctx, core.Filters{FlowRuns: &core.FlowRunFilter{
		State:             &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Scheduled}}},
		ExpectedStartTime: &core.TimeFilter{After: now},
	}}, core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: 5}); err != nil {
		return d, err
	}
	tasks, err := u.Store.TaskRunHistory(ctx, core.HistoryQuery{Start: from, End: from.Add(time.Duration(rg.past) * rg.step), Interval: rg.step.Seconds()})
	if err != nil {
		return d, err
	}
	for _, b := range views.Buckets(tasks) {
		d.Tasks += b.N["completed"]
		d.TasksFailed += b.N["failed"] + b.N["crashed"]
		d.TasksActive += b.N["running"]
		d.TaskSpark = append(d.TaskSpark, b.Total)
	}
	if d.Pools, err = u.readPools(ctx, 8, false); err != nil {
		return d, err
	}
	d.Ready = d.Total > 0 || len(d.Next) > 0
	return d, nil
}

func (u *UI) readAttention(ctx context.Context, d *views.Dashboard, from core.Time) (err error) {
	if d.Waiting, err = u.runs(ctx, core.Filters{FlowRuns: byType(core.Paused)}, core.Page{Sort: "START_TIME_ASC", Limit: 5}); err != nil {
		return err
	}
	late, err := u.runs(ctx, core.Filters{FlowRuns: &core.FlowRunFilter{
		State: &core.StateFilter{Name: &core.TextFilter{Any: []string{core.NameLate}}},
	}}, core.Page{Sort: "EXPECTED_START_TIME_ASC", Limit: 4})
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
	bad := byType(core.Failed, core.Crashed)
	bad.EndTime = &core.TimeFilter{After: from} // by its end: an old run that fails now is news
	d.Bad, err = u.runs(ctx, core.Filters{FlowRuns: bad}, core.Page{Sort: "END_TIME_DESC", Limit: 5})
	return err
}
