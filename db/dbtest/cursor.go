package dbtest

import (
	"fmt"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// cursors: pages that begin behind a row are together the whole list, in each
// order that a cursor can continue, also where rows stand in the same place.
func cursors(s *suite) {
	f := s.flow("paged")
	for i := range 9 {
		s.newRun(f, core.Completed, func(r *core.FlowRun) {
			r.Name = fmt.Sprintf("run %d", i/2)
			r.ExpectedStartTime = s.now + core.Time(i/3)*1e6
			r.EndTime = s.now + core.Time(i%4)*1e6
		})
	}
	mine := core.Filters{Flows: &core.FlowFilter{Name: &core.TextFilter{Any: []string{"paged"}}}}
	for _, sort := range []string{"EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "END_TIME_ASC", "END_TIME_DESC", "NAME_ASC", "NAME_DESC"} {
		whole := must(s.FlowRuns(s.ctx, mine, core.Page{Sort: sort}))(s)
		s.eq(len(whole), 9)
		var got []core.UUID
		var after *core.Cursor
		for range 5 {
			page := must(s.FlowRuns(s.ctx, mine, core.Page{Sort: sort, Limit: 2, After: after}))(s)
			for _, r := range page {
				got = append(got, r.ID)
				after = &core.Cursor{ID: r.ID, Name: r.Name, Time: r.ExpectedStartTime}
				if sort == "END_TIME_ASC" || sort == "END_TIME_DESC" {
					after.Time = r.EndTime
				}
			}
		}
		if !slices.EqualFunc(got, whole, func(id core.UUID, r *core.FlowRun) bool { return id == r.ID }) {
			s.Errorf("%s: the pages are not the list", sort)
		}
		s.eq(len(must(s.FlowRuns(s.ctx, mine, core.Page{Sort: sort, After: after}))(s)), 0)
	}
	s.eq(must(s.CountFlowRunsUpTo(s.ctx, mine, 5))(s), int64(5))
	s.eq(must(s.CountFlowRunsUpTo(s.ctx, mine, 50))(s), int64(9))
}
