package dbtest

import (
	"context"
	"errors"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// locks: what LockFlowRun reads is what FlowRun reads, after each kind of
// write that could change it, within its transaction and after it, committed
// or undone.
func locks(s *suite) {
	f := s.flow("f")
	p, q := s.pool("pool")
	undone := errors.New("undone")
	var id, gone core.UUID
	set := func(tx core.Tx, change func(r *core.FlowRun)) error {
		r, err := tx.LockFlowRun(s.ctx, id)
		if err != nil {
			return err
		}
		change(r)
		return tx.SetFlowRunState(s.ctx, r)
	}
	steps := map[string]func(tx core.Tx) error{
		"nothing": func(core.Tx) error { return nil },
		"state": func(tx core.Tx) error {
			return set(tx, func(r *core.FlowRun) {
				r.State, r.RunCount, r.StartTime, r.Recoveries = s.state(core.Running), 3, s.now, 1
				r.State.Message, r.State.Details.PauseKey = core.Ptr("m"), core.Ptr("k")
				r.EmpiricalPolicy.PauseKeys = append(r.EmpiricalPolicy.PauseKeys, "k")
				r.Name = "not written" // by SetFlowRunState
			})
		},
		"update": func(tx core.Tx) error {
			r, err := tx.LockFlowRun(s.ctx, id)
			if err != nil {
				return err
			}
			r.Name, r.Tags, r.Parameters, r.JobVariables = "renamed", core.Tags{"z"}, core.JSON(`{"n": 2}`), core.JSON(`{"a": {}}`)
			return tx.UpdateFlowRun(s.ctx, r)
		},
		"pool": func(tx core.Tx) error {
			x := *p
			x.Description = core.Ptr("new")
			return tx.UpdateWorkPool(s.ctx, &x)
		},
		"queue renamed": func(tx core.Tx) error {
			x := *q
			x.Name = "other"
			return tx.UpdateWorkQueue(s.ctx, &x)
		},
		"final":        func(tx core.Tx) error { return set(tx, func(r *core.FlowRun) { r.State = s.state(core.Completed) }) },
		"pool deleted": func(tx core.Tx) error { return tx.DeleteWorkPool(s.ctx, p.ID) },
		"deleted":      func(tx core.Tx) error { return tx.DeleteFlowRun(s.ctx, gone) },
	}
	r := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
		r.WorkQueueID, r.WorkQueueName, r.WorkPoolID, r.WorkPoolName = q.ID, &q.Name, p.ID, &p.Name
		r.Tags = core.Tags{"x", "y"}
	})
	id, gone = r.ID, s.newRun(f, core.Pending, nil).ID
	for _, name := range []string{"nothing", "state", "nothing", "update", "state", "pool", "queue renamed", "state", "deleted", "state", "pool deleted", "final", "nothing"} {
		for _, end := range []error{undone, nil} {
			err := s.Write(s.ctx, func(tx core.Tx) error {
				if err := steps[name](tx); err != nil {
					return err
				}
				s.same(name+" within", tx, id)
				return end
			})
			if !errors.Is(err, end) {
				s.Fatal(name, err)
			}
			s.write(func(tx core.Tx) error {
				s.same(name+" after", tx, id)
				_, err := tx.LockFlowRun(s.ctx, gone)
				_, want := tx.FlowRun(s.ctx, gone)
				s.eq(core.CodeOf(err), core.CodeOf(want))
				return nil
			})
		}
	}
	s.write(func(tx core.Tx) error { return tx.DeleteFlow(s.ctx, f.ID) })
	s.code(s.Write(s.ctx, func(tx core.Tx) error { _, err := tx.LockFlowRun(s.ctx, id); return err }), core.ENotFound)
}

func (s *suite) same(when string, tx core.Tx, id core.UUID) {
	s.Helper()
	got, err := tx.LockFlowRun(s.ctx, id)
	s.ok(err)
	want, err := tx.FlowRun(s.ctx, id)
	s.ok(err)
	for _, r := range []*core.FlowRun{got, want} { // told by the clock
		r.EstimatedRunTime, r.EstimatedStartTimeDelta = 0, 0
	}
	if g, w := string(core.ToJSON(got)), string(core.ToJSON(want)); g != w {
		s.Errorf("%s: locked\n%s\nstored\n%s", when, g, w)
	}
}

// lockLease: while a transaction counts on a lease, nobody takes the run from
// its holder. SQLite's transactions come one after the other anyway.
func lockLease(s *suite) {
	r := s.newRun(s.flow("f"), core.Running, func(*core.FlowRun) {})
	lease := &core.Lease{FlowRunID: r.ID, Holder: core.NewID(), Token: core.NewID(), Expires: s.now}
	take := func(ctx context.Context) error {
		return s.Write(ctx, func(tx core.Tx) error {
			if _, err := tx.LockFlowRun(ctx, r.ID); err != nil {
				return err
			}
			return tx.DeleteLease(ctx, r.ID)
		})
	}
	read := func(tx core.Tx) error {
		ls, err := tx.LockLeases(s.ctx, []core.UUID{core.NewID(), r.ID})
		if err != nil {
			return err
		}
		if len(ls) == 0 {
			return core.NotFound("Lease")
		}
		if len(ls) > 1 || ls[0].Token != lease.Token {
			s.Errorf("%d leases, the first with token %s, want %s", len(ls), ls[0].Token, lease.Token)
		}
		return nil
	}
	s.write(func(tx core.Tx) error { return tx.PutLease(s.ctx, lease) })
	s.write(func(tx core.Tx) error {
		if err := read(tx); err != nil || !s.Shared() {
			return err
		}
		ctx, cancel := context.WithTimeout(s.ctx, 100*time.Millisecond)
		defer cancel()
		if err := take(ctx); err == nil {
			s.Error("the run was taken from under a transaction that had locked its lease")
		}
		return nil
	})
	s.ok(take(s.ctx))
	if err := s.Write(s.ctx, read); !core.IsNotFound(err) {
		s.Errorf("a lease that is gone: %v", err)
	}
}
