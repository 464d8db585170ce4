package dbtest

import (
	"errors"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// claimables: a claim finds the runs that a worker can execute, however many
// others are due before them, and NeedsFlow and the query agree on which.
func claimables(s *suite) {
	p, q := s.pool("pool")
	have, lack := s.flow("have"), s.flow("lack's \"other\"")
	kinds := []func(d *core.Deployment, r *core.FlowRun){
		func(*core.Deployment, *core.FlowRun) {},
		func(d *core.Deployment, _ *core.FlowRun) { d.Entrypoint = core.Ptr("") },
		func(d *core.Deployment, _ *core.FlowRun) { d.Entrypoint = core.Ptr("flows/a.go:A") },
		func(d *core.Deployment, _ *core.FlowRun) { d.JobVariables = core.JSON(`{"command": "echo"}`) },
		func(d *core.Deployment, _ *core.FlowRun) { d.JobVariables = core.JSON(`{"command": ["echo"]}`) },
		func(d *core.Deployment, _ *core.FlowRun) { d.JobVariables = core.JSON(`{"command": " "}`) },
		func(d *core.Deployment, _ *core.FlowRun) { d.JobVariables = core.JSON(`{"command": null}`) },
		func(d *core.Deployment, _ *core.FlowRun) { d.JobVariables = core.JSON(`{"env": {"command": "x"}}`) },
		func(_ *core.Deployment, r *core.FlowRun) { r.JobVariables = core.JSON(`{"command": "echo"}`) },
		func(_ *core.Deployment, r *core.FlowRun) { r.JobVariables = core.JSON(`{"command": ""}`) },
	}
	type made struct {
		d *core.Deployment
		r *core.FlowRun
		f *core.Flow
	}
	var all []made
	for _, f := range []*core.Flow{lack, have} { // what cannot be executed is due first
		for i, kind := range kinds {
			d := &core.Deployment{ID: core.NewID(), Created: s.now, Updated: s.now, Name: strconv.Itoa(i), FlowID: f.ID, WorkQueueID: q.ID,
				Status: core.NotReady}
			r := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
				kind(d, r)
				s.write(func(tx core.Tx) error { return tx.InsertDeployment(s.ctx, d) })
				r.DeploymentID, r.WorkQueueID = d.ID, q.ID
			})
			all = append(all, made{d, r, f})
		}
		all = append(all, made{nil, s.newRun(f, core.Scheduled, func(r *core.FlowRun) { r.WorkQueueID = q.ID }), f})
	}
	s.newRun(have, core.Scheduled, func(r *core.FlowRun) {
		r.WorkQueueID, r.EmpiricalPolicy.RetryType, r.State.Name = q.ID, core.Ptr("in_process"), core.NameAwaitingRetry
	})
	except := []core.UUID{all[2].d.ID, all[13].d.ID}
	both := []string{"x", "have", lack.Name}
	for _, can := range []core.Capability{
		{}, {Flows: []string{}}, {Flows: []string{"have"}}, {Flows: both}, {Flows: []string{"have"}, Except: except}, {Except: except},
	} {
		var want []core.UUID
		var next core.Time
		for _, m := range all {
			able := can.Flows == nil || !core.NeedsFlow(p, m.d, m.r)
			for _, name := range can.Flows {
				able = able || name == m.f.Name
			}
			for _, id := range can.Except {
				able = able && (m.d == nil || m.d.ID != id)
			}
			if able {
				if want = append(want, m.r.ID); next == 0 {
					next = m.r.NextScheduledStartTime
				}
			}
		}
		var got []core.UUID
		for _, r := range must(s.ClaimableFlowRuns(s.ctx, q.ID, can, s.now, len(all)))(s) {
			got = append(got, r.ID)
		}
		s.eq(got, want)
		s.eq(must(s.NextClaimable(s.ctx, p.ID, can))(s), next)
		if few := must(s.ClaimableFlowRuns(s.ctx, q.ID, can, s.now, 1))(s); len(few) != 1 || few[0].ID != want[0] {
			s.Fatal("a run that cannot be executed stands before one that can", few)
		}
		s.eq(len(must(s.ClaimableFlowRuns(s.ctx, q.ID, can, 1, 10))(s)), 0)
	}
	other, _ := s.pool("other")
	s.eq(must(s.NextClaimable(s.ctx, other.ID, core.Capability{}))(s), core.Time(0))
}

// priorities: the due runs of a queue come by priority, then by time, and those
// that are not due yet hold up none.
func priorities(s *suite) {
	p, q := s.pool("pool")
	f := s.flow("f")
	due := s.now.Add(1e9)
	var want []core.UUID
	for _, priority := range []int64{9, 1, 0, -1} {
		for _, at := range []core.Time{s.now, s.now + 1} {
			want = append(want, s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
				r.WorkQueueID, r.Priority, r.NextScheduledStartTime = q.ID, priority, at
			}).ID)
		}
		s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
			r.WorkQueueID, r.Priority, r.NextScheduledStartTime = q.ID, priority, due+1
		})
	}
	for limit := 1; limit <= len(want); limit++ {
		var got []core.UUID
		for _, r := range must(s.ClaimableFlowRuns(s.ctx, q.ID, core.Capability{}, due, limit))(s) {
			got = append(got, r.ID)
		}
		s.eq(got, want[:limit])
	}
	s.eq(must(s.NextClaimable(s.ctx, p.ID, core.Capability{}))(s) < due, true)
}

// unleased: runs in execution that nobody renews anything for.
func unleased(s *suite) {
	f := s.flow("f")
	alone := s.newRun(f, core.Running, nil)
	second := s.newRun(f, core.Running, nil)
	leased := s.newRun(f, core.Running, nil)
	s.newRun(f, core.Pending, nil)
	s.newRun(f, core.Completed, nil)
	p := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "t", TaskKey: "t", DynamicKey: "0",
		FlowRunID: leased.ID, State: s.state(core.Running)}
	s.write(func(tx core.Tx) error {
		_, err := tx.InsertTaskRun(s.ctx, p)
		return errors.Join(err, tx.PutLease(s.ctx, &core.Lease{FlowRunID: leased.ID, Holder: core.NewID(), Token: core.NewID(), Expires: s.now}))
	})
	s.newRun(f, core.Running, func(r *core.FlowRun) { r.ParentTaskRunID = p.ID })
	d := &core.Deployment{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "d", FlowID: f.ID, Status: core.NotReady}
	s.write(func(tx core.Tx) error { return tx.InsertDeployment(s.ctx, d) })
	elsewhere := s.newRun(f, core.Running, func(r *core.FlowRun) { r.ParentTaskRunID, r.DeploymentID = p.ID, d.ID })
	want := []core.UUID{alone.ID, second.ID, elsewhere.ID}
	s.eq(must(s.UnleasedFlowRuns(s.ctx, core.UUID{}, 10))(s), want)
	s.eq(must(s.UnleasedFlowRuns(s.ctx, core.UUID{}, 2))(s), want[:2])
	s.eq(must(s.UnleasedFlowRuns(s.ctx, want[1], 10))(s), want[2:])
}
