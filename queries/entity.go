package queries

import "github.com/flowlite/flowlite/runtime/core"

// The conditions of each entity's filter, on a row of its table named by an
// alias: f flow, r flow_run, t task_run, d deployment, q work_queue, p work_pool.

func (b *builder) flow(x *core.FlowFilter) {
	f := b.fields()
	f.id("f.id", x.ID)
	f.textFilter("f.name", x.Name)
	f.tags("f.tags", x.Tags, nil)
	if x.Deployment != nil && x.Deployment.IsNull != nil {
		f.add(func() {
			if *x.Deployment.IsNull {
				f.write("NOT ")
			}
			f.write("EXISTS (SELECT 1 FROM deployment fd WHERE fd.flow_id = f.id)")
		})
	}
	b.all(x.Operator, f.terms)
}

// flowRun puts what costs little first: SQLite asks in this order.
func (b *builder) flowRun(x *core.FlowRunFilter) {
	f := b.fields()
	f.id("r.id", x.ID)
	f.state("r", x.State)
	f.time("COALESCE(r.start_time, r.expected_start_time)", x.StartTime)
	f.time("r.end_time", x.EndTime)
	f.time("r.expected_start_time", x.ExpectedStartTime)
	f.time("r.next_scheduled_start_time", x.NextScheduledStartTime)
	f.id("r.deployment_id", x.DeploymentID)
	f.textLike("r.name", x.Name, func(v part) {
		if b.scan || x.ExpectedStartTime != nil || x.EndTime != nil {
			f.like("r.name", v) // the indexes by time have the name too
			return
		}
		// By the covering index on name: twenty times faster where few match. In a
		// list Postgres would take the order for the way, and look at every run.
		if b.listing && b.d == Postgres {
			f.write("r.id = ANY(ARRAY(SELECT n.id FROM flow_run n WHERE ")
			f.like("n.name", v)
			f.write("))")
			return
		}
		f.write("r.id IN (SELECT n.id FROM flow_run n WHERE ")
		f.like("n.name", v)
		f.write(")")
	})
	b.varies = b.varies || x.Tags != nil
	f.tags("r.tags", x.Tags, b.hasFlowRunTag)
	f.textFilter("(SELECT wq.name FROM work_queue wq WHERE wq.id = r.work_queue_id)", x.WorkQueueName)
	f.textFilter("r.flow_version", x.FlowVersion)
	if x.ParentFlowRunID != nil && len(x.ParentFlowRunID.Any) > 0 && x.ParentFlowRunID.NotAny == nil && x.ParentFlowRunID.IsNull == nil {
		f.add(func() { // by the indexes of both tables
			f.write("r.parent_task_run_id IN (SELECT pt.id FROM task_run pt WHERE ")
			in(f.builder, false, "pt.flow_run_id", x.ParentFlowRunID.Any)
			f.write(")")
		})
	} else {
		f.id("(SELECT pt.flow_run_id FROM task_run pt WHERE pt.id = r.parent_task_run_id)", x.ParentFlowRunID)
	}
	f.id("r.parent_task_run_id", x.ParentTaskRunID)
	f.textFilter("r.idempotency_key", x.IdempotencyKey)
	f.creator("r.created_by", x.CreatedBy)
	b.all(x.Operator, f.terms)
}

func (b *builder) taskRun(x *core.TaskRunFilter) {
	f := b.fields()
	f.id("t.id", x.ID)
	f.textFilter("t.name", x.Name)
	f.tags("t.tags", x.Tags, nil)
	f.state("t", x.State)
	f.time("t.start_time", x.StartTime)
	f.time("t.end_time", x.EndTime)
	f.time("t.expected_start_time", x.ExpectedStartTime)
	if x.SubflowRuns != nil && x.SubflowRuns.Exists != nil {
		f.add(func() {
			if !*x.SubflowRuns.Exists {
				f.write("NOT ")
			}
			f.write("EXISTS (SELECT 1 FROM flow_run sr WHERE sr.parent_task_run_id = t.id)")
		})
	}
	f.id("t.flow_run_id", x.FlowRunID)
	b.all(x.Operator, f.terms)
}

func (b *builder) deployment(x *core.DeploymentFilter) {
	f := b.fields()
	f.id("d.id", x.ID)
	f.textFilter("d.name", x.Name)
	if n := x.FlowOrDeploymentName; n != nil {
		f.add(func() {
			g := b.fields()
			g.textFilter("d.name", n)
			g.textFilter("(SELECT df.name FROM flow df WHERE df.id = d.flow_id)", n)
			b.all(core.Or, g.terms)
		})
	}
	f.bool("d.paused", x.Paused)
	f.tags("d.tags", x.Tags, nil)
	f.textFilter("(SELECT wq.name FROM work_queue wq WHERE wq.id = d.work_queue_id)", x.WorkQueueName)
	f.int("(SELECT l.slot_limit FROM global_limit l WHERE l.id = d.concurrency_limit_id)", x.ConcurrencyLimit)
	b.all(x.Operator, f.terms)
}

func (b *builder) workPool(x *core.WorkPoolFilter) {
	f := b.fields()
	f.id("p.id", x.ID)
	f.textFilter("p.name", x.Name)
	f.textFilter("p.type", x.Type)
	b.all(x.Operator, f.terms)
}

func (b *builder) workQueue(x *core.WorkQueueFilter) {
	f := b.fields()
	f.id("q.id", x.ID)
	f.textFilter("q.name", x.Name)
	b.all(x.Operator, f.terms)
}

// queue and pool conditions on the queue that a column points at.
func (b *builder) queueOf(col string, fs core.Filters) (ts []term) {
	if fs.WorkQueues != nil {
		ts = append(ts, func() {
			b.write(col, " IN (SELECT q.id FROM work_queue q WHERE ")
			b.workQueue(fs.WorkQueues)
			b.write(")")
		})
	}
	if fs.WorkPools != nil {
		ts = append(ts, func() {
			b.write(col, " IN (SELECT pq.id FROM work_queue pq JOIN work_pool p ON p.id = pq.work_pool_id WHERE ")
			b.workPool(fs.WorkPools)
			b.write(")")
		})
	}
	return ts
}
