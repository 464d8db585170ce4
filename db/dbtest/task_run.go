package dbtest

import (
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Those that ended last come first, and those that have not ended last, on
// whatever page.
func taskRunsByEnd(s *suite) {
	r := s.newRun(s.flow("f"), core.Running, nil)
	for i, end := range []core.Time{s.now + 2, 0, s.now + 3, s.now + 1, 0} {
		t := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: strconv.Itoa(i), FlowRunID: r.ID, TaskKey: "t", DynamicKey: strconv.Itoa(i), ExpectedStartTime: s.now, EndTime: end}
		states := []*core.State{s.state(core.Running)}
		if end != 0 {
			states = append(states, s.state(core.Completed))
		}
		s.write(func(tx core.Tx) error {
			return tx.RecordTaskRun(s.ctx, &core.TaskRunReport{TaskRun: t, States: states})
		})
	}
	for _, c := range []struct {
		limit, offset int
		want          string
	}{{2, 0, "2 0"}, {3, 0, "2 0 3"}, {1, 2, "3"}, {4, 0, "2 0 3 4"}, {2, 2, "3 4"}, {0, 0, "2 0 3 4 1"}, {9, 4, "1"}} {
		var names []string
		for _, t := range must(s.TaskRuns(s.ctx, core.Filters{}, core.Page{Sort: "END_TIME_DESC", Limit: c.limit, Offset: c.offset}))(s) {
			names = append(names, t.Name)
		}
		s.eq(strings.Join(names, " "), c.want)
	}
}
