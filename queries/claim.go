package queries

import "github.com/flowlite/flowlite/runtime/core"

// claimable: the run r is SCHEDULED, no process waits to retry it, and a worker
// that can execute what can says is able to execute it. core.NeedsFlow states
// the same rule in Go.
func (b *builder) claimable(can core.Capability) {
	b.write("r.state_type = 'SCHEDULED' AND NOT r.in_process_retry")
	if len(can.Except) > 0 {
		b.write(" AND (r.deployment_id IS NULL OR ")
		in(b, true, "r.deployment_id", can.Except)
		b.write(")")
	}
	if can.Flows == nil {
		return
	}
	b.write(" AND (EXISTS (SELECT 1 FROM deployment d WHERE d.id = r.deployment_id AND (COALESCE(d.entrypoint, '') <> '' OR ")
	b.command("d.job_variables")
	b.write(")) OR ")
	b.command("r.job_variables")
	if len(can.Flows) > 0 {
		b.write(" OR EXISTS (SELECT 1 FROM flow f WHERE f.id = r.flow_id AND ")
		in(b, false, "f.name", can.Flows)
		b.write(")")
	}
	b.write(")")
}

// command: the job variables name a command.
func (b *builder) command(col string) {
	b.write("TRIM(COALESCE(CAST(", b.key(col, "command"), " AS TEXT), '')) <> ''")
}

// ClaimableFlowRuns selects ids and deployments of a queue's claimable runs that are
// due, by priority, then soonest first. Those of priority 0 and the others are read in the
// order of an index each, flow_run_due and flow_run_priority, and up to limit.
func ClaimableFlowRuns(d Dialect, queue core.UUID, can core.Capability, due core.Time, limit int64) Query {
	b := &builder{d: d}
	b.write("SELECT c.id, c.deployment_id FROM (")
	for i, priority := range []string{"r.priority <> 0", "r.priority = 0"} {
		if i > 0 {
			b.write(" UNION ALL ")
		}
		b.write("SELECT * FROM (SELECT r.id, r.deployment_id, r.priority, r.next_scheduled_start_time FROM flow_run r")
		if i == 0 && d == SQLite { // it would rather sort what flow_run_due gives
			b.write(" INDEXED BY flow_run_priority")
		}
		b.write(" WHERE r.work_queue_id = ")
		b.arg(queue)
		b.write(" AND ", priority, " AND r.next_scheduled_start_time <= ")
		b.arg(due)
		b.write(" AND ")
		b.claimable(can)
		b.write(" ORDER BY r.priority DESC, r.next_scheduled_start_time, r.id LIMIT ")
		b.arg(limit)
		b.write(") p")
	}
	b.write(") c ORDER BY c.priority DESC, c.next_scheduled_start_time, c.id LIMIT ")
	b.arg(limit)
	return b.query()
}

// NextClaimable selects when a pool's first claimable run is due. Each queue's
// first is read by its index.
func NextClaimable(d Dialect, pool core.UUID, can core.Capability) Query {
	b := &builder{d: d}
	b.write("SELECT MIN(n.due) FROM (SELECT (SELECT r.next_scheduled_start_time FROM flow_run r WHERE r.work_queue_id = q.id AND ")
	b.claimable(can)
	b.write(" ORDER BY r.next_scheduled_start_time LIMIT 1) AS due FROM work_queue q WHERE q.work_pool_id = ")
	b.arg(pool)
	b.write(") n")
	return b.query()
}
