-- name: PutFlowRunStatusCall :execrows
INSERT INTO flow_run_status_call (flow_run_id, source, key, attempt, ordinal)
VALUES (sqlc.arg(flow_run_id), sqlc.arg(source), sqlc.arg(key), sqlc.arg(attempt), sqlc.arg(ordinal))
ON CONFLICT (flow_run_id, source, key) DO UPDATE SET attempt = excluded.attempt, ordinal = excluded.ordinal
WHERE flow_run_status_call.attempt < excluded.attempt
  OR (flow_run_status_call.attempt = excluded.attempt AND flow_run_status_call.ordinal < excluded.ordinal);

-- name: PutFlowRunStatus :exec
INSERT INTO flow_run_status (flow_run_id, key, updated, value)
VALUES (sqlc.arg(flow_run_id), sqlc.arg(key), sqlc.arg(updated), sqlc.arg(value))
ON CONFLICT (flow_run_id, key) DO UPDATE SET updated = excluded.updated, value = excluded.value;

-- name: GetFlowRunStatus :one
SELECT * FROM flow_run_status WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key);

-- name: ListFlowRunStatus :many
SELECT * FROM flow_run_status WHERE flow_run_id = sqlc.arg(flow_run_id) ORDER BY key;

-- name: CountFlowRunStatus :one
SELECT COUNT(*) FROM flow_run_status WHERE flow_run_id = sqlc.arg(flow_run_id);

-- name: DeleteSomeFlowRunStatusCalls :execrows
DELETE FROM flow_run_status_call WHERE flow_run_status_call.flow_run_id = sqlc.arg(flow_run_id) AND source IN (
  SELECT c.source FROM flow_run_status_call c WHERE c.flow_run_id = sqlc.arg(flow_run_id)
  ORDER BY c.source LIMIT CAST(sqlc.arg(lim) AS BIGINT));
