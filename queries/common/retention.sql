-- name: EndedFlowRuns :many
-- Runs that are part of no run that is there. Those that ended before they began
-- have no end_time.
SELECT r.id, r.expected_start_time FROM flow_run r
WHERE r.state_type = sqlc.arg(state_type) AND r.expected_start_time < sqlc.arg(cutoff_time)
  AND r.expected_start_time >= sqlc.arg(from_time) AND (r.expected_start_time > sqlc.arg(from_time) OR r.id > sqlc.arg(after_id))
  AND COALESCE(r.end_time, r.state_timestamp, r.created) < sqlc.arg(cutoff_time)
  AND NOT EXISTS (SELECT 1 FROM task_run t WHERE t.id = r.parent_task_run_id)
ORDER BY r.expected_start_time, r.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: EndedTaskRuns :many
SELECT t.id FROM task_run t
WHERE t.flow_run_id IS NULL AND t.id > sqlc.arg(after_id) AND t.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')
  AND COALESCE(t.end_time, t.state_timestamp, t.created) < sqlc.arg(cutoff_time)
ORDER BY t.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: DeleteSomeFlowRunLogs :execrows
DELETE FROM log WHERE id IN (
  SELECT l.id FROM log l WHERE l.flow_run_id = sqlc.arg(flow_run_id) ORDER BY l.id LIMIT CAST(sqlc.arg(lim) AS BIGINT));

-- name: DeleteSomeTaskRunLogs :execrows
DELETE FROM log WHERE id IN (
  SELECT l.id FROM log l WHERE l.task_run_id = sqlc.arg(task_run_id) ORDER BY l.timestamp LIMIT CAST(sqlc.arg(lim) AS BIGINT));

-- name: DeleteSomeTaskRuns :execrows
DELETE FROM task_run WHERE id IN (
  SELECT t.id FROM task_run t WHERE t.flow_run_id = sqlc.arg(flow_run_id) ORDER BY t.id LIMIT CAST(sqlc.arg(lim) AS BIGINT));

-- name: ArtifactsOfFlowRun :many
SELECT a.id FROM artifact a WHERE a.flow_run_id = sqlc.arg(flow_run_id) LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: ArtifactsOfTaskRun :many
SELECT a.id FROM artifact a WHERE a.task_run_id = sqlc.arg(task_run_id) AND a.flow_run_id IS NULL LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: LogsFrom :many
SELECT l.id, l.created FROM log l WHERE l.id > sqlc.arg(after) ORDER BY l.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: DeleteLogs :execrows
DELETE FROM log WHERE id > sqlc.arg(after) AND id <= sqlc.arg(upto) AND created < sqlc.arg(cutoff_time);
