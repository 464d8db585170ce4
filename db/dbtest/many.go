package dbtest

import (
	"bytes"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// many: what the methods for many records do is what those for one do.
func many(s *suite) {
	f := s.flow("f")
	var runs []*core.FlowRun
	var past [][]*core.State
	for i := range 3 {
		r := &core.FlowRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "run", FlowID: f.ID, Tags: core.Tags{"t"}}
		if i > 0 {
			past = append(past, []*core.State{s.state(core.Pending)})
		} else {
			past = append(past, nil)
		}
		r.State = s.state(core.Running)
		runs = append(runs, r)
	}
	s.write(func(tx core.Tx) error { _, err := tx.InsertFlowRuns(s.ctx, runs, past...); return err })
	for i, r := range runs {
		s.eq(len(must(s.FlowRunStates(s.ctx, r.ID))(s)), 1+len(past[i]))
	}

	ids := []core.UUID{runs[2].ID, core.NewID(), runs[0].ID}
	s.write(func(tx core.Tx) error {
		locked, err := tx.LockFlowRuns(s.ctx, ids)
		if err != nil {
			return err
		}
		var got []core.UUID
		for _, r := range locked {
			got = append(got, r.ID)
			r.State, r.EndTime = s.state(core.Completed), s.now
		}
		s.eq(got, []core.UUID{ids[0], ids[2]})
		return tx.SetFlowRunStates(s.ctx, locked)
	})
	for i, want := range []core.StateType{core.Completed, core.Running, core.Completed} {
		r := must(s.FlowRun(s.ctx, runs[i].ID))(s)
		s.eq(r.StateType, want)
		s.eq(r.State.Type, want)
		s.eq(must(s.FlowRunStates(s.ctx, r.ID))(s)[len(past[i])].Type, core.Running)
	}
	unknown := *runs[1]
	unknown.ID, unknown.State = core.NewID(), nil
	runs[1].State = s.state(core.Failed)
	err := s.Write(s.ctx, func(tx core.Tx) error { return tx.SetFlowRunStates(s.ctx, []*core.FlowRun{runs[1], &unknown}) })
	s.code(err, core.ENotFound)

	holder := core.NewID()
	var leases []*core.Lease
	for _, r := range runs {
		leases = append(leases, &core.Lease{FlowRunID: r.ID, Holder: holder, Token: core.NewID(), Expires: s.now})
	}
	s.write(func(tx core.Tx) error { return tx.PutLeases(s.ctx, leases) })
	s.write(func(tx core.Tx) error { return tx.DeleteLeases(s.ctx, []core.UUID{runs[1].ID, core.NewID()}) })
	s.write(func(tx core.Tx) error {
		held, err := tx.RenewLeases(s.ctx, holder, s.now+1)
		slices.SortFunc(held, func(a, b core.UUID) int { return bytes.Compare(a[:], b[:]) })
		s.eq(held, []core.UUID{runs[0].ID, runs[2].ID})
		return err
	})
	s.write(func(tx core.Tx) error { // none is fine
		if _, err := tx.LockFlowRuns(s.ctx, nil); err != nil {
			return err
		}
		if err := tx.SetFlowRunStates(s.ctx, nil); err != nil {
			return err
		}
		if err := tx.PutLeases(s.ctx, nil); err != nil {
			return err
		}
		return tx.DeleteLeases(s.ctx, nil)
	})
}
