package queries

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Inserts of several rows at once: a statement costs more than a row.

// InvalidatesNothing begins a built write that leaves cached flow runs true, as
// the same line does in a .sql file.
const InvalidatesNothing = "-- invalidates: nothing\n"

// InvalidatesByID begins a built write of flow runs that are new, and therefore not
// cached.
const InvalidatesByID = "-- invalidates: flow_run by id\n"

func AddTaskRunStates(d Dialect, rows [][]any) Query {
	return insert(d, "task_run_state (id, task_run_id, type, name, timestamp, message, data, state_details)", rows, " ON CONFLICT DO NOTHING")
}

// AddLogs returns the numbers of the lines, in their order.
func AddLogs(d Dialect, rows [][]any) Query {
	return insert(d, "log (log_id, created, name, level, message, timestamp, flow_run_id, task_run_id)", rows, " RETURNING id")
}

// AddFlowRuns returns the ids of the runs that are new: the idempotency keys of the
// others are taken.
func AddFlowRuns(d Dialect, rows [][]any) Query {
	return insertAs(d, InvalidatesByID, `flow_run (id, created, updated, name, flow_id, state_id,
  deployment_id, deployment_version, work_queue_id,
  flow_version, parameters, idempotency_key, context, empirical_policy, tags, labels, parent_task_run_id,
  state_type, state_name, state_timestamp, run_count, expected_start_time, next_scheduled_start_time,
  start_time, end_time, total_run_time, auto_scheduled, in_process_retry, pause_timeout, recoveries,
  infrastructure_document_id, infrastructure_pid, created_by, job_variables, slot, priority)`, rows,
		" ON CONFLICT (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING id")
}

// AddFlowRunStates writes states of flow runs.
func AddFlowRunStates(d Dialect, rows [][]any) Query {
	return insertAs(d, InvalidatesByID, "flow_run_state (id, flow_run_id, type, name, timestamp, message, data, state_details)", rows, "")
}

// SetFlowRunStates sets what a transition changes on runs; see the query
// SetFlowRunState, whose order the values have. Only Postgres has it.
func SetFlowRunStates(rows [][]any) Query {
	const columns = "state_id, state_type, state_name, state_timestamp, run_count, next_scheduled_start_time, " +
		"start_time, end_time, total_run_time, empirical_policy, in_process_retry, pause_timeout, recoveries, " +
		"infrastructure_pid, updated"
	b := &builder{d: Postgres}
	b.write(InvalidatesByID, "UPDATE flow_run r SET (", columns, ") = ROW (u.", strings.ReplaceAll(columns, ", ", ", u."), ") FROM ")
	b.unnest(rows)
	b.write(" AS u (", columns, ", id) WHERE r.id = u.id")
	return b.query()
}

// PutLeases gives runs to holders. Only Postgres has it.
func PutLeases(rows [][]any) Query {
	return insert(Postgres, "run_lease (flow_run_id, holder, worker, token, expires)", rows, ` ON CONFLICT (flow_run_id) DO UPDATE
SET holder = excluded.holder, worker = excluded.worker, token = excluded.token, expires = excluded.expires`)
}

// DeleteLeases ends leases in the order in which RenewLeases locks them. Only Postgres
// has it.
func DeleteLeases(runs []core.UUID) Query {
	return Query{SQL: `DELETE FROM run_lease WHERE flow_run_id IN (
SELECT flow_run_id FROM run_lease WHERE flow_run_id = ANY($1) ORDER BY flow_run_id FOR UPDATE)`, Args: []any{runs}}
}

// LockFlowRuns locks runs in one order. Only Postgres has it.
func LockFlowRuns(ids []core.UUID) Query {
	return Query{SQL: "SELECT id FROM flow_run WHERE id = ANY($1) ORDER BY id FOR UPDATE", Args: []any{ids}}
}

// AddFlowRunTags writes tags of flow runs.
func AddFlowRunTags(d Dialect, rows [][]any) Query {
	return insert(d, "flow_run_tag (tag, expected_start_time, flow_run_id)", rows, " ON CONFLICT DO NOTHING")
}

// AddEvents writes events that are new.
func AddEvents(d Dialect, rows [][]any) Query {
	return insert(d, "event (id, occurred, received, event, event_resource_id, resource, related, payload, follows)", rows, " ON CONFLICT (id) DO NOTHING")
}

// LockLogs lets one transaction at a time number lines of the runs that the
// keys stand for, until it has committed. Only Postgres needs it.
func LockLogs(keys []int64) Query {
	return Query{SQL: "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k", Args: []any{keys}}
}

func insert(d Dialect, into string, rows [][]any, end string) Query {
	return insertAs(d, InvalidatesNothing, into, rows, end)
}

func insertAs(d Dialect, invalidates, into string, rows [][]any, end string) Query {
	b := &builder{d: d, args: make([]any, 0, len(rows)*8)}
	b.b.Grow(len(into) + 40*len(rows))
	b.write(invalidates, "INSERT INTO ", into)
	if d == Postgres {
		b.write(" SELECT * FROM ")
		b.unnest(rows)
	} else {
		b.values(rows)
	}
	b.write(end)
	return b.query()
}

func (b *builder) values(rows [][]any) {
	b.write(" VALUES ")
	for i, row := range rows {
		if i > 0 {
			b.write(",")
		}
		for j, v := range row {
			if j == 0 {
				b.write("(")
			} else {
				b.write(",")
			}
			b.arg(v)
		}
		b.write(")")
	}
}

// unnest has an array of each column.
func (b *builder) unnest(rows [][]any) {
	b.write("unnest(")
	for j := range rows[0] {
		if j > 0 {
			b.write(",")
		}
		array, kind, err := column(rows, j)
		if err != nil {
			b.err = err
			return
		}
		b.arg(array)
		b.write("::", kind, "[]")
	}
	b.write(")")
}
