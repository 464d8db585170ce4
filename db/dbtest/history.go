package dbtest

import (
	"reflect"

	"github.com/flowlite/flowlite/runtime/core"
)

// histories: a history of all runs, read bucket by bucket, is that of a filter
// which leaves none out.
func histories(s *suite) {
	f := s.flow("f")
	start := s.now - 600e6
	n := 0
	for at := start - 60e6; at < s.now; at += 7e6 {
		for _, t := range []core.StateType{core.Completed, core.Failed, core.Running, core.Scheduled} {
			n++
			s.newRun(f, t, func(r *core.FlowRun) {
				r.ExpectedStartTime = at + core.Time(n)
				if t != core.Scheduled {
					r.StartTime, r.TotalRunTime = r.ExpectedStartTime+core.Time(n%3)*1e6, float64(n)/4
				}
			})
		}
	}
	for _, interval := range []float64{1, 60, 90.5, 3600} {
		q := core.HistoryQuery{Start: start, End: s.now - 3e6, Interval: interval}
		got := must(s.FlowRunHistory(s.ctx, q))(s)
		q.Filters.FlowRuns = &core.FlowRunFilter{}
		want := must(s.FlowRunHistory(s.ctx, q))(s)
		var all, runs int64
		for i := range want {
			for j := range want[i].States {
				w := &want[i].States[j]
				all += w.Count
				if i >= len(got) || j >= len(got[i].States) {
					continue
				}
				// Two looks are not at the same moment, and sums of fractions have an order.
				g := &got[i].States[j]
				runs += g.Count
				if d := g.RunTime - w.RunTime; d < 30 && d > -30 {
					g.RunTime = w.RunTime
				}
				if d := g.Lateness - w.Lateness; d < 30 && d > -30 {
					g.Lateness = w.Lateness
				}
			}
		}
		if runs != all || all == 0 || !reflect.DeepEqual(got, want) {
			s.Errorf("each %v s: %d runs in %d buckets, want %d in %d", interval, runs, len(got), all, len(want))
		}
	}
	for _, b := range must(s.TaskRunHistory(s.ctx, core.HistoryQuery{Start: start, End: s.now, Interval: 60}))(s) {
		s.eq(len(b.States), 0)
	}
}
