package dbtest

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// statuses: the last value of a key stays, and a source sets it only with a later
// attempt, or a higher ordinal of the same one.
func (s *suite) statuses(run *core.FlowRun) {
	s.Helper()
	at := s.now
	set := func(key, source string, attempt, ordinal int64, value string) (set bool) {
		s.Helper()
		at += 1_000_000
		s.write(func(tx core.Tx) (err error) {
			set, err = tx.SetFlowRunStatus(s.ctx, run.ID, key, at,
				core.StatusSet{Source: source, Attempt: attempt, Ordinal: ordinal, Value: core.JSON(value)})
			return err
		})
		return set
	}
	_, err := s.FlowRunStatus(s.ctx, run.ID, "k")
	s.code(err, core.ENotFound)
	for _, x := range []struct {
		source           string
		attempt, ordinal int64
		set              bool
	}{
		{"", 1, 0, true}, {"", 1, 0, false}, {"", 1, 1, true}, {"", 1, 0, false}, {"task", 1, 0, true}, {"", 1, 1, false},
		{"", 2, 0, true}, {"", 1, 7, false}, {"task", 1, 0, false}, {"task", 1, 1, true}, {"", 2, 1, true},
	} {
		value := string(core.ToJSON(map[string]any{"by": x.source, "n": x.ordinal}))
		before, _ := s.FlowRunStatus(s.ctx, run.ID, "k")
		s.eq(set("k", x.source, x.attempt, x.ordinal, value), x.set)
		now := must(s.FlowRunStatus(s.ctx, run.ID, "k"))(s)
		if x.set {
			s.eq(*now, core.FlowRunStatus{Key: "k", Updated: at, Value: core.JSON(value)})
		} else {
			s.eq(*now, *before)
		}
	}
	s.eq(set("j", "", 1, 0, `"text"`), true)
	list := must(s.FlowRunStatuses(s.ctx, run.ID))(s)
	s.eq(len(list), 2)
	s.eq(*list[0], core.FlowRunStatus{Key: "j", Updated: at, Value: core.JSON(`"text"`)})
	s.eq(must(s.CountFlowRunStatuses(s.ctx, run.ID))(s), 2)
	for _, x := range [][2]string{{strings.Repeat("k", 501), ""}, {"k", strings.Repeat("s", 501)}} {
		s.code(s.Write(s.ctx, func(tx core.Tx) error {
			_, err := tx.SetFlowRunStatus(s.ctx, run.ID, x[0], at, core.StatusSet{Source: x[1], Value: core.JSON(`1`)})
			return err
		}), core.EInvalid)
	}
}
