-- name: InsertFlowRun :execrows
-- invalidates: flow_run by id
INSERT INTO flow_run (id, created, updated, name, flow_id, state_id, deployment_id, deployment_version, work_queue_id,
  flow_version, parameters, idempotency_key, context, empirical_policy, tags, labels, parent_task_run_id,
  state_type, state_name, state_timestamp, run_count, expected_start_time, next_scheduled_start_time,
  start_time, end_time, total_run_time, auto_scheduled, in_process_retry, pause_timeout, recoveries,
  infrastructure_document_id, infrastructure_pid, created_by, job_variables, slot, priority)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(flow_id), sqlc.narg(state_id),
  sqlc.narg(deployment_id), sqlc.narg(deployment_version), sqlc.narg(work_queue_id), sqlc.narg(flow_version),
  sqlc.arg(parameters), sqlc.narg(idempotency_key), sqlc.narg(context), sqlc.arg(empirical_policy),
  sqlc.arg(tags), sqlc.arg(labels), sqlc.narg(parent_task_run_id), sqlc.arg(state_type), sqlc.arg(state_name),
  sqlc.narg(state_timestamp), sqlc.arg(run_count), sqlc.narg(expected_start_time),
  sqlc.narg(next_scheduled_start_time), sqlc.narg(start_time), sqlc.narg(end_time), sqlc.arg(total_run_time),
  sqlc.arg(auto_scheduled), sqlc.arg(in_process_retry), sqlc.narg(pause_timeout), sqlc.arg(recoveries),
  sqlc.narg(infrastructure_document_id), sqlc.narg(infrastructure_pid), sqlc.narg(created_by),
  sqlc.narg(job_variables), sqlc.narg(slot), sqlc.arg(priority))
ON CONFLICT (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING;

-- name: InsertFlowRunTag :exec
INSERT INTO flow_run_tag (tag, expected_start_time, flow_run_id)
VALUES (sqlc.arg(tag), sqlc.arg(expected_start_time), sqlc.arg(flow_run_id))
ON CONFLICT DO NOTHING;

-- name: DeleteFlowRunTags :exec
DELETE FROM flow_run_tag WHERE flow_run_id = sqlc.arg(flow_run_id);

-- name: InsertFlowRunState :exec
-- invalidates: nothing; a new state is not yet that of its run
INSERT INTO flow_run_state (id, flow_run_id, type, name, timestamp, message, data, state_details)
VALUES (sqlc.arg(id), sqlc.arg(flow_run_id), sqlc.arg(type), sqlc.arg(name), sqlc.arg(timestamp), sqlc.narg(message),
  sqlc.narg(data), sqlc.arg(state_details));

-- name: UpdateFlowRun :execrows
-- invalidates: flow_run by id
UPDATE flow_run SET name = sqlc.arg(name), flow_version = sqlc.narg(flow_version), parameters = sqlc.arg(parameters),
  empirical_policy = sqlc.arg(empirical_policy), in_process_retry = sqlc.arg(in_process_retry),
  tags = sqlc.arg(tags), labels = sqlc.arg(labels), infrastructure_pid = sqlc.narg(infrastructure_pid),
  job_variables = sqlc.narg(job_variables), context = sqlc.narg(context), priority = sqlc.arg(priority), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: SetFlowRunState :execrows
-- invalidates: flow_run by id
UPDATE flow_run SET state_id = sqlc.narg(state_id), state_type = sqlc.arg(state_type), state_name = sqlc.arg(state_name),
  state_timestamp = sqlc.narg(state_timestamp), run_count = sqlc.arg(run_count),
  next_scheduled_start_time = sqlc.narg(next_scheduled_start_time), start_time = sqlc.narg(start_time),
  end_time = sqlc.narg(end_time), total_run_time = sqlc.arg(total_run_time),
  empirical_policy = sqlc.arg(empirical_policy), in_process_retry = sqlc.arg(in_process_retry),
  pause_timeout = sqlc.narg(pause_timeout), recoveries = sqlc.arg(recoveries),
  infrastructure_pid = sqlc.narg(infrastructure_pid), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetFlowRun :one
SELECT * FROM flow_run_full WHERE id = sqlc.arg(id);

-- name: GetFlowRunByKey :one
SELECT * FROM flow_run_full WHERE flow_id = sqlc.arg(flow_id) AND idempotency_key = sqlc.arg(idempotency_key);

-- name: GetFlowRunState :one
SELECT * FROM flow_run_state WHERE id = sqlc.arg(id);

-- name: DeleteFlowRun :execrows
-- invalidates: flow_run by id
DELETE FROM flow_run WHERE id = sqlc.arg(id);

-- name: DeleteFlowRunLogs :execrows
DELETE FROM log WHERE flow_run_id = sqlc.arg(flow_run_id);

-- name: ListFlowRunStates :many
SELECT * FROM flow_run_state WHERE flow_run_id = sqlc.arg(flow_run_id) ORDER BY timestamp, id;

-- name: FlowRunChildren :many
SELECT * FROM flow_run_full
WHERE parent_task_run_id IN (SELECT t.id FROM task_run t WHERE t.flow_run_id = sqlc.arg(flow_run_id))
ORDER BY id;

-- name: DeleteScheduledRuns :execrows
-- invalidates: flow_run
DELETE FROM flow_run
WHERE deployment_id = sqlc.arg(deployment_id) AND state_type = 'SCHEDULED' AND run_count = 0;

-- name: PlannedRuns :many
-- Any change of a run, or of its state, sets updated.
SELECT * FROM flow_run_full
WHERE deployment_id = sqlc.arg(deployment_id) AND state_type = 'SCHEDULED' AND next_scheduled_start_time > sqlc.arg(now)
  AND auto_scheduled AND state_name = 'Scheduled' AND run_count = 0 AND updated = created
ORDER BY next_scheduled_start_time, id;

-- name: DeletePlannedRun :execrows
-- invalidates: flow_run
-- It may have been claimed since it was read.
DELETE FROM flow_run WHERE id = sqlc.arg(id) AND state_type = 'SCHEDULED' AND run_count = 0 AND updated = created;

-- name: MoveScheduledRuns :execrows
-- invalidates: flow_run
UPDATE flow_run SET work_queue_id = sqlc.narg(to_queue)
WHERE deployment_id = sqlc.arg(deployment_id) AND state_type = 'SCHEDULED' AND NOT in_process_retry
  AND COALESCE(work_queue_id = sqlc.narg(from_queue), work_queue_id IS NULL AND sqlc.narg(from_queue) IS NULL);

-- name: SetSlot :exec
-- invalidates: flow_run by id
UPDATE flow_run SET slot = sqlc.arg(slot) WHERE id = sqlc.arg(id);

-- name: SlotRuns :many
SELECT id, expected_start_time, created_by, slot FROM flow_run
WHERE deployment_id = sqlc.arg(deployment_id) AND auto_scheduled
  AND expected_start_time >= sqlc.arg(first_time) AND expected_start_time <= sqlc.arg(last_time)
ORDER BY expected_start_time, id;

-- name: DueFlowRuns :many
-- Without the inner select Postgres joins all that are due before it takes the first.
SELECT * FROM flow_run_full WHERE id IN (
  SELECT r.id FROM flow_run r
  WHERE r.work_queue_id = sqlc.arg(work_queue_id) AND r.state_type = 'SCHEDULED'
    AND r.next_scheduled_start_time <= sqlc.arg(due_time) AND NOT r.in_process_retry
  ORDER BY r.next_scheduled_start_time, r.id LIMIT CAST(sqlc.arg(lim) AS BIGINT))
ORDER BY next_scheduled_start_time, id;

-- name: PoolLoad :many
SELECT q.id, COUNT(*) AS n FROM work_queue q
JOIN flow_run r ON r.work_queue_id = q.id AND r.state_type IN ('PENDING', 'RUNNING')
WHERE q.work_pool_id = sqlc.arg(work_pool_id)
GROUP BY q.id;

-- name: LateFlowRuns :many
SELECT id FROM flow_run
WHERE state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND next_scheduled_start_time <= sqlc.arg(due_time)
ORDER BY next_scheduled_start_time, id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: PausedPast :many
SELECT id FROM flow_run
WHERE state_type = 'PAUSED' AND pause_timeout <= sqlc.arg(now)
ORDER BY pause_timeout, id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: UnleasedFlowRuns :many
SELECT r.id FROM flow_run r
WHERE r.state_type = 'RUNNING' AND r.id > sqlc.arg(after_id) AND (r.parent_task_run_id IS NULL OR r.deployment_id IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM run_lease l WHERE l.flow_run_id = r.id)
ORDER BY r.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: CancelledSince :many
SELECT r.id FROM flow_run r
WHERE r.state_type = 'CANCELLED' AND r.end_time >= sqlc.arg(since_time) AND (
  EXISTS (SELECT 1 FROM task_run t WHERE t.flow_run_id = r.id AND t.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'))
  OR EXISTS (SELECT 1 FROM task_run t JOIN flow_run c ON c.parent_task_run_id = t.id
    WHERE t.flow_run_id = r.id AND c.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')))
ORDER BY r.end_time, r.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: CountLiveRuns :many
SELECT f.name AS flow, COALESCE(p.name, '') AS pool, r.state_type, r.state_name, COUNT(*) AS runs,
  MIN(COALESCE(r.next_scheduled_start_time, r.expected_start_time)) AS due
FROM flow_run r
JOIN flow f ON f.id = r.flow_id
LEFT JOIN work_queue q ON q.id = r.work_queue_id
LEFT JOIN work_pool p ON p.id = q.work_pool_id
WHERE r.state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
GROUP BY f.name, p.name, r.state_type, r.state_name;
