package dbtest

import (
	"errors"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func (s *suite) pool(name string) (*core.WorkPool, *core.WorkQueue) {
	p := &core.WorkPool{ID: core.NewID(), Created: s.now, Updated: s.now, Name: name, Type: "process"}
	q := &core.WorkQueue{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "default", Priority: 1, WorkPoolID: p.ID}
	s.write(func(tx core.Tx) error {
		p.DefaultQueueID = q.ID
		return errors.Join(tx.InsertWorkPool(s.ctx, p), tx.InsertWorkQueue(s.ctx, q))
	})
	return p, q
}

func workPools(s *suite) {
	p, q := s.pool("pool")
	s.code(s.Write(s.ctx, func(tx core.Tx) error {
		x := *p
		x.ID = core.NewID()
		return tx.InsertWorkPool(s.ctx, &x)
	}), core.EConflict)
	p.IsPaused = true
	s.write(func(tx core.Tx) error {
		_, err := tx.LockWorkPool(s.ctx, p.ID)
		return errors.Join(err, tx.UpdateWorkPool(s.ctx, p), tx.UpdateWorkQueue(s.ctx, q), tx.PolledWorkQueues(s.ctx, []core.UUID{q.ID}, s.now))
	})
	s.eq(must(s.WorkPoolByName(s.ctx, "pool"))(s).IsPaused, true)
	got := must(s.WorkQueueByName(s.ctx, p.ID, "default"))(s)
	s.eq(*got.Status, core.Ready)
	s.eq(*got.WorkPoolName, "pool")
	s.eq(len(must(s.WorkPools(s.ctx, &core.WorkPoolFilter{Name: &core.TextFilter{Like: core.Ptr("OO")}}, core.Page{}))(s)), 1)
	s.eq(must(s.CountWorkPools(s.ctx, nil))(s), 1)
	s.eq(len(must(s.WorkQueues(s.ctx, p.ID, nil, core.Page{}))(s)), 1)
	f := s.flow("f")
	r := s.newRun(f, core.Scheduled, func(r *core.FlowRun) { r.WorkQueueID = q.ID })
	s.eq(*must(s.FlowRun(s.ctx, r.ID))(s).WorkPoolName, "pool")
	s.eq(len(must(s.DueFlowRuns(s.ctx, q.ID, s.now, 5))(s)), 1)
	s.eq(must(s.NextClaimable(s.ctx, p.ID, core.Capability{}))(s), r.NextScheduledStartTime)
	s.newRun(f, core.Running, func(r *core.FlowRun) { r.WorkQueueID = q.ID })
	s.eq(must(s.PoolLoad(s.ctx, p.ID))(s)[q.ID], 1)
	s.write(func(tx core.Tx) error {
		qs, _, err := tx.UnpolledNotReady(s.ctx, s.now+1)
		s.eq(qs, []core.UUID{q.ID})
		return err
	})
	w := &core.Worker{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "w", WorkPoolID: p.ID, LastHeartbeatTime: s.now, HeartbeatIntervalSeconds: core.Ptr(int64(10)), Status: core.Online}
	for range 2 {
		s.write(func(tx core.Tx) error { return tx.UpsertWorker(s.ctx, w) })
	}
	s.eq(must(s.Worker(s.ctx, p.ID, "w"))(s).ID, w.ID)
	s.eq(must(s.Worker(s.ctx, p.ID, "w"))(s).Flows == nil, true)
	for _, flows := range [][]string{{}, {"a", "b"}} {
		w.Flows = flows
		s.write(func(tx core.Tx) error { return tx.UpsertWorker(s.ctx, w) })
		got := must(s.Worker(s.ctx, p.ID, "w"))(s).Flows
		s.eq(got != nil, true)
		s.eq(got, flows)
	}
	s.eq(len(must(s.Workers(s.ctx, p.ID, nil, core.Page{}))(s)), 1)
	s.eq(len(must(s.StaleWorkers(s.ctx, s.now+40e6))(s)), 1)
	s.write(func(tx core.Tx) error {
		return errors.Join(tx.DeleteWorker(s.ctx, p.ID, "w"), tx.DeleteWorkPool(s.ctx, p.ID))
	})
	s.eq(must(s.FlowRun(s.ctx, r.ID))(s).WorkQueueID, core.UUID{})
}

func deployments(s *suite) {
	f := s.flow("f")
	p, q := s.pool("pool")
	l := &core.GlobalConcurrencyLimit{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "l", Limit: 2, Active: true}
	d := &core.Deployment{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "d", FlowID: f.ID, WorkQueueID: q.ID, Tags: core.Tags{"x"}, ConcurrencyLimitID: l.ID, Status: core.NotReady}
	sc := &core.Schedule{ID: core.NewID(), Created: s.now, Updated: s.now, DeploymentID: d.ID, Rule: core.JSON(`{"interval": 60}`), Active: true}
	s.write(func(tx core.Tx) error {
		return errors.Join(tx.InsertGlobalLimit(s.ctx, l), tx.InsertDeployment(s.ctx, d), tx.InsertSchedule(s.ctx, sc), tx.PolledDeployments(s.ctx, []core.UUID{d.ID}, s.now))
	})
	got := must(s.DeploymentByName(s.ctx, "f", "d"))(s)
	s.eq(got.FlowName, "f")
	s.eq(*got.WorkPoolName, p.Name)
	s.eq(got.GlobalConcurrencyLimit.Limit, 2)
	s.eq(len(got.Schedules), 1)
	s.eq(got.Status, core.Ready)
	for _, sort := range core.DeploymentSorts {
		s.eq(len(must(s.Deployments(s.ctx, core.Filters{}, core.Page{Sort: sort}))(s)), 1)
	}
	s.eq(len(must(s.DeploymentsToSchedule(s.ctx, core.UUID{}, 0, 10))(s)), 1)
	s.eq(len(must(s.DeploymentsToSchedule(s.ctx, d.ID, s.now-1, 10))(s)), 0)
	r := s.newRun(f, core.Scheduled, func(r *core.FlowRun) { r.DeploymentID, r.AutoScheduled = d.ID, true })
	s.plans(d, r)
	s.eq(len(must(s.DueFlowRunsOfDeployments(s.ctx, []core.UUID{d.ID}, s.now, 5))(s)), 1)
	// A runner's poll has what its own process retries; a worker's has not.
	retry := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
		r.DeploymentID, r.WorkQueueID, r.EmpiricalPolicy.RetryType, r.State.Name = d.ID, q.ID, core.Ptr("in_process"), core.NameAwaitingRetry
	})
	s.eq(len(must(s.DueFlowRunsOfDeployments(s.ctx, []core.UUID{d.ID}, s.now, 5))(s)), 2)
	s.eq(len(must(s.DueFlowRuns(s.ctx, q.ID, s.now, 5))(s)), 0)
	for _, preferred := range []*core.FlowRun{r, retry} { // a higher priority goes first, and is not left out by the limit
		preferred.Priority = 7
		s.write(func(tx core.Tx) error { return tx.UpdateFlowRun(s.ctx, preferred) })
		first := must(s.DueFlowRunsOfDeployments(s.ctx, []core.UUID{d.ID}, s.now, 1))(s)
		s.eq(first[0].ID, preferred.ID)
		preferred.Priority = 0
		s.write(func(tx core.Tx) error { return tx.UpdateFlowRun(s.ctx, preferred) })
	}
	// Resumed after it was suspended, it is for a worker again.
	resumed := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
		r.DeploymentID, r.WorkQueueID, r.EmpiricalPolicy.RetryType, r.State.Name = d.ID, q.ID, core.Ptr("in_process"), core.NameResuming
	})
	s.eq(len(must(s.DueFlowRuns(s.ctx, q.ID, s.now, 5))(s)), 1)
	s.write(func(tx core.Tx) error { return tx.DeleteFlowRun(s.ctx, resumed.ID) })
	s.write(func(tx core.Tx) error { return tx.DeleteFlowRun(s.ctx, retry.ID) })
	s.write(func(tx core.Tx) error {
		n, err := tx.DeleteScheduledRuns(s.ctx, d.ID)
		s.eq(n, 1)
		sc.Active = false
		return errors.Join(err, tx.UpdateDeployment(s.ctx, got), tx.UpdateSchedule(s.ctx, sc))
	})
	s.eq(must(s.Schedule(s.ctx, sc.ID))(s).Active, false)
	s.write(func(tx core.Tx) error { return tx.DeleteDeployment(s.ctx, d.ID) })
	s.eq(len(must(s.Schedules(s.ctx, d.ID))(s)), 0)
}

// plans holds what a deployment's plan is read and changed with against r, its only run.
func (s *suite) plans(d *core.Deployment, r *core.FlowRun) {
	at := r.NextScheduledStartTime
	s.eq(len(must(s.PlannedRuns(s.ctx, d.ID, at-1))(s)), 1)
	s.eq(len(must(s.PlannedRuns(s.ctx, d.ID, at))(s)), 0)
	f := s.flow("f")
	by := core.NewID()
	planned := s.newRun(f, core.Scheduled, func(r *core.FlowRun) {
		r.DeploymentID, r.AutoScheduled, r.Slot = d.ID, true, core.Ptr("rule x")
		r.CreatedBy = &core.CreatedBy{ID: by, DisplayValue: core.Ptr("CronSchedule")}
	})
	s.eq(must(s.SlotRuns(s.ctx, d.ID, planned.ExpectedStartTime, planned.ExpectedStartTime))(s)[0],
		core.SlotRun{ID: planned.ID, At: planned.ExpectedStartTime, ScheduleID: by, Shown: "CronSchedule", Slot: "rule x"})
	s.eq(len(must(s.SlotRuns(s.ctx, d.ID, planned.ExpectedStartTime+1, planned.ExpectedStartTime+1))(s)), 0)
	s.write(func(tx core.Tx) error {
		_, err := tx.LockDeployment(s.ctx, d.ID)
		none, err2 := tx.MoveScheduledRuns(s.ctx, d.ID, d.WorkQueueID, core.UUID{})
		s.eq(none, 0)
		moved, err3 := tx.MoveScheduledRuns(s.ctx, d.ID, core.UUID{}, d.WorkQueueID)
		s.eq(moved, 2)
		back, err4 := tx.MoveScheduledRuns(s.ctx, d.ID, d.WorkQueueID, core.UUID{})
		s.eq(back, 2)
		s.ok(tx.SetSlot(s.ctx, planned.ID, "slug y"))
		planned.Updated++
		planned.Name = "touched"
		return errors.Join(err, err2, err3, err4, tx.UpdateFlowRun(s.ctx, planned))
	})
	s.eq(len(must(s.PlannedRuns(s.ctx, d.ID, at-1))(s)), 1)
	s.eq(must(s.SlotRuns(s.ctx, d.ID, planned.ExpectedStartTime, core.Forever))(s)[0].Slot, "slug y")
	s.write(func(tx core.Tx) error {
		gone, err := tx.DeletePlannedRun(s.ctx, planned.ID)
		s.eq(gone, false)
		_, none := tx.LockDeployment(s.ctx, core.NewID())
		s.code(none, core.ENotFound)
		return errors.Join(err, tx.DeleteFlowRun(s.ctx, planned.ID))
	})
}

func logsAndEvents(s *suite) {
	run := core.NewID()
	var logs []*core.Log
	for i := range 3 {
		logs = append(logs, &core.Log{Name: "n", Level: int64(10 * (i + 1)), Message: "hello", Timestamp: s.now, FlowRunID: run})
	}
	s.write(func(tx core.Tx) error { return tx.InsertLogs(s.ctx, logs) })
	for _, sort := range core.LogSorts {
		s.eq(len(must(s.Logs(s.ctx, &core.LogFilter{Level: &core.IntFilter{Ge: core.Ptr(int64(20))}}, core.Page{Sort: sort}))(s)), 2)
	}
	s.eq(must(s.CountLogs(s.ctx, &core.LogFilter{AfterSeq: logs[0].Seq, FlowRunID: &core.IDFilter{Any: []core.UUID{run}}}))(s), 2)
	for query, n := range map[string]int{"hell": 3, "nobody -hello": 0, "+hello -x": 3, "+hello +gone": 0, `"ell" n`: 3, "": 3} {
		s.eq(must(s.CountLogs(s.ctx, &core.LogFilter{Text: &core.Search{Query: query}}))(s), n)
	}
	e := &core.Event{ID: core.NewID(), Occurred: s.now, Event: "prefect.x", Resource: map[string]string{"prefect.resource.id": "a.1", "k": "v1"}, Related: []map[string]string{{"prefect.resource.id": "b.1", "prefect.resource.role": "flow"}}}
	for i := range 2 {
		s.write(func(tx core.Tx) error {
			fresh, err := tx.InsertEvents(s.ctx, []*core.Event{e})
			s.eq(len(fresh), 1-i)
			return err
		})
	}
	for i, f := range []*core.EventFilter{
		nil, {Event: &core.EventName{Prefix: []string{"prefect."}}}, {Resource: &core.EventResource{ID: []string{"a.1"}, Labels: map[string]any{"k": []any{"v*", "!x"}}}},
		{Related: &core.EventResources{{Role: []string{"flow"}, IDPrefix: []string{"b."}}}}, {AnyResource: &core.EventResources{{ID: []string{"a.1"}}}}, {Text: &core.Search{Query: "A.1"}},
	} {
		if n := must(s.CountEvents(s.ctx, f))(s); n != 1 {
			s.Fatalf("filter %d: %d events", i, n)
		}
	}
	s.eq(must(s.CountEvents(s.ctx, &core.EventFilter{Related: &core.EventResources{{ID: []string{"a.1"}}}}))(s), 0)
	last := must(s.Events(s.ctx, nil, core.Page{}))(s)[0]
	s.eq(last.Related[0]["prefect.resource.id"], "b.1")
	s.eq(must(s.CountEvents(s.ctx, &core.EventFilter{Before: &core.EventKey{Occurred: last.Occurred, ID: last.ID}}))(s), 0)
	s.eq(must(s.CountEvents(s.ctx, &core.EventFilter{Before: &core.EventKey{Occurred: last.Occurred + 1}}))(s), 1)
	s.write(func(tx core.Tx) error { _, err := tx.DeleteEvents(s.ctx, s.now+1, 10); return err })
	s.eq(must(s.CountEvents(s.ctx, nil))(s), 0)
}

func artifacts(s *suite) {
	a := &core.Artifact{ID: core.NewID(), Created: s.now, Updated: s.now, Key: core.Ptr("k"), Type: core.Ptr("markdown"), Data: core.JSON(`"x"`)}
	b := *a
	b.ID, b.Created = core.NewID(), s.now+1
	s.write(func(tx core.Tx) error { return errors.Join(tx.InsertArtifact(s.ctx, a), tx.InsertArtifact(s.ctx, &b)) })
	s.eq(must(s.ArtifactCollection(s.ctx, "k"))(s).LatestID, b.ID)
	for _, sort := range core.ArtifactSorts {
		s.eq(len(must(s.Artifacts(s.ctx, nil, core.Page{Sort: sort}))(s)), 2)
		s.eq(len(must(s.ArtifactCollections(s.ctx, nil, core.Page{Sort: sort}))(s)), 1)
	}
	// A page that is too large is refused, in each order; one artifact alone is not.
	large := core.Page{MaxBytes: 5}
	_, err := s.Artifacts(s.ctx, nil, large)
	s.code(err, core.EInvalid)
	for _, sort := range core.ArtifactSorts {
		s.eq(len(must(s.Artifacts(s.ctx, nil, core.Page{Sort: sort, MaxBytes: 6}))(s)), 2)
		s.eq(must(s.Artifacts(s.ctx, nil, core.Page{Sort: sort, MaxBytes: 6}))(s)[0].ID, must(s.Artifacts(s.ctx, nil, core.Page{Sort: sort}))(s)[0].ID)
	}
	s.eq(len(must(s.Artifacts(s.ctx, nil, core.Page{Limit: 1, MaxBytes: 1}))(s)), 1)
	s.eq(len(must(s.ArtifactCollections(s.ctx, nil, large))(s)), 1)
	b.Data = core.JSON(`"y"`)
	s.write(func(tx core.Tx) error { return tx.UpdateArtifact(s.ctx, &b) })
	s.eq(string(must(s.ArtifactCollection(s.ctx, "k"))(s).Data), `"y"`)
	s.write(func(tx core.Tx) error { return tx.DeleteArtifact(s.ctx, b.ID) })
	s.eq(must(s.ArtifactCollection(s.ctx, "k"))(s).LatestID, a.ID)
	s.write(func(tx core.Tx) error { return tx.DeleteArtifact(s.ctx, a.ID) })
	s.eq(must(s.CountArtifactCollections(s.ctx, nil))(s), 0)
	// A call of a run has one artifact.
	run := s.newRun(s.flow("of a call"), core.Running, nil)
	c := &core.Artifact{ID: core.NewID(), Created: s.now, Updated: s.now, FlowRunID: run.ID, Call: core.Ptr("c"), Attempt: 2}
	s.write(func(tx core.Tx) error { return tx.InsertArtifact(s.ctx, c) })
	s.eq(must(s.ArtifactOfCall(s.ctx, run.ID, "c"))(s).ID, c.ID)
	_, err = s.ArtifactOfCall(s.ctx, run.ID, "d")
	s.code(err, core.ENotFound)
	d := *c
	d.ID = core.NewID()
	s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.InsertArtifact(s.ctx, &d) }), core.EConflict)
}

// artifactsOf asks for artifacts by the runs that they belong to.
func artifactsOf(s *suite) {
	f, other := s.flow("of"), s.flow("of another")
	run, free := s.newRun(f, core.Running, nil), s.newRun(other, core.Running, nil)
	task := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "t", FlowRunID: run.ID, TaskKey: "t", DynamicKey: "0",
		StateType: core.Running, StateName: "Running", State: s.state(core.Running)}
	s.write(func(tx core.Tx) error {
		_, err := tx.InsertTaskRun(s.ctx, task)
		return err
	})
	insert := func(key string, run, task core.UUID) {
		s.write(func(tx core.Tx) error {
			return tx.InsertArtifact(s.ctx, &core.Artifact{ID: core.NewID(), Created: s.now, Updated: s.now, Key: &key, Type: core.Ptr("markdown"),
				Data: core.JSON(`"x"`), FlowRunID: run, TaskRunID: task})
		})
	}
	insert("a", run.ID, task.ID)
	insert("b", run.ID, core.UUID{})
	insert("c", free.ID, core.UUID{})
	insert("d", core.UUID{}, core.UUID{})
	for _, c := range []struct {
		of   core.Filters
		want int
	}{
		{core.Filters{}, 4},
		{core.Filters{Flows: &core.FlowFilter{Name: &core.TextFilter{Any: []string{"of"}}}}, 2},
		{core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{free.ID}}}}, 1},
		{core.Filters{FlowRuns: &core.FlowRunFilter{}}, 3},
		{core.Filters{TaskRuns: &core.TaskRunFilter{Name: &core.TextFilter{Any: []string{"t"}}}}, 1},
		{core.Filters{TaskRuns: &core.TaskRunFilter{Name: &core.TextFilter{Any: []string{"u"}}}}, 0},
		{core.Filters{Deployments: &core.DeploymentFilter{}}, 0},
		{core.Filters{Flows: &core.FlowFilter{Name: &core.TextFilter{Any: []string{"of"}}},
			FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{free.ID}}}}, 0},
	} {
		x := &core.ArtifactFilter{Key: &core.TextFilter{Any: []string{"a", "b", "c", "d"}}, Of: c.of}
		s.eq(len(must(s.Artifacts(s.ctx, x, core.Page{}))(s)), c.want)
		s.eq(len(must(s.ArtifactCollections(s.ctx, x, core.Page{}))(s)), c.want)
		s.eq(must(s.CountArtifacts(s.ctx, x))(s), int64(c.want))
		s.eq(must(s.CountArtifactCollections(s.ctx, x))(s), int64(c.want))
	}
}

// distinctEvents: of each resource, the newest event that passes, or the oldest.
func distinctEvents(s *suite) {
	var all []*core.Event
	for i, resource := range []string{"r1", "r1", "r2", "r2", "r1"} {
		e := &core.Event{ID: core.NewID(), Occurred: s.now.Add(time.Duration(i) * time.Second), Received: s.now, Event: "distinct",
			Resource: map[string]string{"prefect.resource.id": resource}, Related: []map[string]string{}, Payload: core.JSON(`{}`)}
		all = append(all, e)
	}
	s.write(func(tx core.Tx) error { return tx.AddEvents(s.ctx, all) })
	for order, want := range map[string][]int{"DESC": {4, 3}, "ASC": {0, 2}} {
		x := &core.EventFilter{Event: &core.EventName{Name: []string{"distinct"}}, Resource: &core.EventResource{Distinct: true}, Order: order}
		got := must(s.Events(s.ctx, x, core.Page{}))(s)
		s.eq(len(got), 2)
		for i, e := range got {
			s.eq(e.ID, all[want[i]].ID)
		}
		s.eq(must(s.CountEvents(s.ctx, x))(s), int64(2))
		x.Occurred = &core.EventOccurred{Since: s.now.Add(time.Second), Until: s.now.Add(2500 * time.Millisecond)}
		s.eq(len(must(s.Events(s.ctx, x, core.Page{}))(s)), 2)
	}
}

func variables(s *suite) {
	v := &core.Variable{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "v", Value: core.JSON(`[1]`), Tags: core.Tags{"a"}}
	s.write(func(tx core.Tx) error { return tx.InsertVariable(s.ctx, v) })
	v.Value = core.JSON(`2`)
	s.write(func(tx core.Tx) error { return tx.UpdateVariable(s.ctx, v) })
	s.eq(string(must(s.VariableByName(s.ctx, "v"))(s).Value), "2")
	for _, sort := range core.VariableSorts {
		s.eq(len(must(s.Variables(s.ctx, &core.VariableFilter{Tags: &core.TagFilter{Any: []string{"a", "b"}}}, core.Page{Sort: sort}))(s)), 1)
	}
	s.write(func(tx core.Tx) error { return tx.DeleteVariable(s.ctx, v.ID) })
	s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.DeleteVariable(s.ctx, v.ID) }), core.ENotFound)
}

func limits(s *suite) {
	l := &core.GlobalConcurrencyLimit{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "l", Limit: 2, Active: true}
	s.write(func(tx core.Tx) error { return tx.InsertGlobalLimit(s.ctx, l) })
	g := &core.SlotLease{ID: core.NewID(), Created: s.now, Expires: s.now + 10, Limits: []core.UUID{l.ID}, Slots: 2}
	s.write(func(tx core.Tx) error {
		ls, err := tx.LockGlobalLimits(s.ctx, []string{"l", "unknown"})
		s.eq(len(ls), 1)
		l.Limit = 3
		return errors.Join(err, tx.PutSlotLease(s.ctx, g), tx.UpdateGlobalLimit(s.ctx, l))
	})
	s.eq(must(s.SlotsHeld(s.ctx, l.ID, s.now))(s), 2)
	s.eq(len(must(s.RunsHolding(s.ctx, l.ID, s.now, 10))(s)), 0)
	s.eq(must(s.SlotLease(s.ctx, g.ID))(s).Limits, g.Limits)
	s.eq(must(s.GlobalLimitByName(s.ctx, "l"))(s).Limit, 3)
	s.eq(len(must(s.GlobalLimits(s.ctx, false, core.Page{}))(s)), 1)
	s.write(func(tx core.Tx) error {
		n, err := tx.DeleteExpiredSlotLeases(s.ctx, s.now+10)
		s.eq(n, 1)
		return err
	})
	heldSlots(s, l)
	s.write(func(tx core.Tx) error { return tx.DeleteGlobalLimit(s.ctx, l.ID) })
}

// heldSlots: what was taken without a lease ends with what holds it.
func heldSlots(s *suite, l *core.GlobalConcurrencyLimit) {
	f := s.flow("holder")
	run := s.newRun(f, core.Running, nil)
	client, other := core.NewID(), core.NewID()
	put := func(x core.SlotLease) *core.SlotLease {
		x.ID, x.Created, x.Expires, x.Slots, x.Limits = core.NewID(), s.now, core.Forever, 1, []core.UUID{l.ID}
		s.write(func(tx core.Tx) error { return tx.PutSlotLease(s.ctx, &x) })
		return &x
	}
	held := func(want int) {
		s.Helper()
		s.eq(len(must(s.SlotLeases(s.ctx, l.ID, s.now))(s)), want)
		s.eq(must(s.SlotsHeld(s.ctx, l.ID, s.now))(s), want)
	}
	put(core.SlotLease{Counted: true, HolderType: "flow_run", HolderID: run.ID, ClientID: client})
	put(core.SlotLease{Counted: true, ClientID: client})
	put(core.SlotLease{ClientID: client}) // a lease: its client renews it
	got := put(core.SlotLease{Counted: true, ClientID: other, Holder: core.JSON(`{"a":1}`)})
	held(4)
	s.eq(must(s.SlotLease(s.ctx, got.ID))(s).Expires == core.Forever, true)
	lose := func(want int) {
		s.Helper()
		s.write(func(tx core.Tx) error {
			holders, err := tx.LoseSlotLeases(s.ctx, client, s.now-1)
			s.eq(len(holders), want)
			return err
		})
	}
	lose(2)
	held(2)
	s.write(func(tx core.Tx) error { return tx.KeepSlotLeases(s.ctx, run.ID, other, core.Forever) })
	held(3)
	lose(0)
	s.write(func(tx core.Tx) error {
		n, err := tx.DeleteEndedSlotLeases(s.ctx, s.now)
		s.eq(n, 0) // the run goes on
		return errors.Join(err, tx.DeleteSlotLeasesOfHolder(s.ctx, run.ID))
	})
	held(2)
}

func filters(s *suite) {
	f := s.flow("Flow One", "t1", "t2")
	_, q := s.pool("pool")
	creator := core.NewID()
	r := s.newRun(f, core.Failed, func(r *core.FlowRun) {
		r.Name, r.Tags, r.WorkQueueID = "Abc", core.Tags{"t1", "t2"}, q.ID
		r.CreatedBy = &core.CreatedBy{ID: creator, Type: core.Ptr("SCHEDULE")}
	})
	s.newRun(s.flow("two"), core.Completed, func(r *core.FlowRun) { r.Name = "xyz" })
	yes, no := true, false
	txt := func(v string) *core.TextFilter { return &core.TextFilter{Like: &v} }
	for i, c := range []core.Filters{
		{FlowRuns: &core.FlowRunFilter{Name: txt("aB")}}, {FlowRuns: &core.FlowRunFilter{Name: txt("A_c")}},
		{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{All: []string{"t1", "t2"}}}}, {FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{IsNull: &no}}},
		{FlowRuns: &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Failed}}}}},
		{FlowRuns: &core.FlowRunFilter{Operator: core.Or, Name: txt("abc"), IdempotencyKey: &core.TextFilter{Any: []string{}}}},
		{FlowRuns: &core.FlowRunFilter{WorkQueueName: &core.TextFilter{StartsWith: []string{"def"}}}},
		{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{r.ID}}, DeploymentID: &core.IDFilter{IsNull: &yes}, StartTime: &core.TimeFilter{Before: s.now + 1e9}}},
		{Flows: &core.FlowFilter{Name: txt("one"), Tags: &core.TagFilter{All: []string{"t1"}}, Deployment: &core.FlowDeploymentFilter{IsNull: &yes}}},
		{WorkPools: &core.WorkPoolFilter{Name: txt("pool")}}, {WorkQueues: &core.WorkQueueFilter{Name: txt("default")}},
		{FlowRuns: &core.FlowRunFilter{CreatedBy: &core.CreatorFilter{ID: []core.UUID{creator}}}}, {FlowRuns: &core.FlowRunFilter{CreatedBy: &core.CreatorFilter{IsNull: &yes}}},
		{FlowRuns: &core.FlowRunFilter{CreatedBy: &core.CreatorFilter{Type: []string{"SCHEDULE", "AUTOMATION"}}}},
	} {
		if n := must(s.CountFlowRuns(s.ctx, c))(s); n != 1 {
			s.Errorf("filter %d: %d runs", i, n)
		}
		must(s.CountFlows(s.ctx, c))(s)
		must(s.CountTaskRuns(s.ctx, c))(s)
		must(s.CountDeployments(s.ctx, c))(s)
	}
	c := core.Filters{TaskRuns: &core.TaskRunFilter{Tags: &core.TagFilter{IsNull: &yes}, EndTime: &core.TimeFilter{IsNull: &yes}, SubflowRuns: &core.ExistsFilter{Exists: &no}}, Deployments: &core.DeploymentFilter{Paused: &core.BoolFilter{Eq: &no}, FlowOrDeploymentName: txt("x"), ConcurrencyLimit: &core.IntFilter{IsNull: &yes}, WorkQueueName: txt("q"), Tags: &core.TagFilter{Any: []string{"a"}}}}
	s.eq(must(s.CountFlowRuns(s.ctx, c))(s)+must(s.CountFlows(s.ctx, c))(s)+must(s.CountTaskRuns(s.ctx, c))(s)+must(s.CountDeployments(s.ctx, c))(s), 0)
	s.eq(must(s.CountFlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{ID: &core.IDFilter{Any: []core.UUID{}}}}))(s), 0)
	s.eq(must(s.CountFlowRuns(s.ctx, core.Filters{FlowRuns: &core.FlowRunFilter{Tags: &core.TagFilter{All: []string{}}}}))(s), 2)
}

func taskQueue(s *suite) {
	var ids []core.UUID
	for i := range 3 {
		r := &core.TaskRun{ID: core.NewID(), Created: s.now, Updated: s.now, Name: "n", TaskKey: "k", DynamicKey: core.NewID().String(), State: &core.State{
			ID: core.NewID(), Type: core.Scheduled, Name: "Scheduled", Timestamp: s.now}}
		ids = append(ids, r.ID)
		s.write(func(tx core.Tx) error {
			_, err := tx.InsertTaskRun(s.ctx, r)
			return errors.Join(err, tx.QueueTaskRun(s.ctx, core.QueuedTaskRun{TaskRunID: r.ID, TaskKey: "k", Due: s.now - core.Time(i)}))
		})
	}
	got := must(s.QueuedTaskRuns(s.ctx, "k", s.now, 2))(s)
	s.eq(len(got), 2)
	s.eq(got[0], core.QueuedTaskRun{TaskRunID: ids[2], TaskKey: "k", Due: s.now - 2}) // the first due
	s.eq(len(must(s.QueuedTaskRuns(s.ctx, "other", s.now, 2))(s)), 0)
	s.write(func(tx core.Tx) error {
		return errors.Join(tx.UnqueueTaskRun(s.ctx, ids[2]), tx.UnqueueTaskRun(s.ctx, ids[2]), tx.DeleteTaskRun(s.ctx, ids[1]),
			tx.QueueTaskRun(s.ctx, core.QueuedTaskRun{TaskRunID: ids[0], TaskKey: "k", Due: s.now + 7}))
	})
	got = must(s.QueuedTaskRuns(s.ctx, "k", s.now, 5))(s)
	s.eq(len(got), 1) // unqueued, deleted with its task run, and the one that is due later now
	s.eq(got[0].Due, s.now+7)
	take := func(now, until core.Time) (ok bool) {
		s.write(func(tx core.Tx) (err error) { ok, err = tx.TakeQueuedTaskRun(s.ctx, ids[0], now, until); return err })
		return ok
	}
	s.eq(take(s.now, s.now+10), true)
	s.eq(take(s.now+9, s.now+20), false)
	s.eq(len(must(s.QueuedTaskRuns(s.ctx, "k", s.now+9, 5))(s)), 0)
	s.eq(len(must(s.QueuedTaskRuns(s.ctx, "k", s.now+10, 5))(s)), 1)
	s.eq(take(s.now+10, s.now+20), true)
	s.write(func(tx core.Tx) error { return tx.GiveBackTaskRun(s.ctx, ids[0]) })
	s.eq(take(s.now+11, s.now+20), true)
}

func savedSearches(s *suite) {
	x := &core.SavedSearch{ID: core.NewID(), Created: s.now, Updated: s.now, SavedSearchCreate: core.SavedSearchCreate{
		Name: "late", Filters: []core.SavedSearchFilter{{Object: "flow_run", Property: "state", Type: "string", Operation: "equals", Value: core.JSON(`"Late"`)}}}}
	again := *x
	again.ID, again.Updated, again.Filters = core.NewID(), s.now+1, []core.SavedSearchFilter{}
	s.write(func(tx core.Tx) error { return tx.PutSavedSearch(s.ctx, x) })
	s.eq(string(must(s.SavedSearch(s.ctx, x.ID))(s).Filters[0].Value), `"Late"`)
	s.write(func(tx core.Tx) error { return tx.PutSavedSearch(s.ctx, &again) })
	got := must(s.SavedSearchByName(s.ctx, "late"))(s)
	s.eq(got.ID, x.ID)
	s.eq(got.Updated, s.now+1)
	s.eq(len(got.Filters), 0)
	s.eq(len(must(s.SavedSearches(s.ctx, core.Page{}))(s)), 1)
	s.eq(len(must(s.SavedSearches(s.ctx, core.Page{Offset: 1}))(s)), 0)
	s.write(func(tx core.Tx) error { return tx.DeleteSavedSearch(s.ctx, x.ID) })
	_, err := s.SavedSearch(s.ctx, x.ID)
	s.code(err, core.ENotFound)
}
