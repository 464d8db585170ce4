-- name: GetFlowRunMessage :one
SELECT * FROM flow_run_input WHERE id = sqlc.arg(id);

-- name: GetFlowRunMessageBy :one
SELECT * FROM flow_run_input WHERE flow_run_id = sqlc.arg(flow_run_id) AND received_by = sqlc.narg(received_by);

-- name: ListFlowRunMessageKeys :many
SELECT id, created, key FROM flow_run_input
WHERE flow_run_id = sqlc.arg(flow_run_id) AND received_by IS NULL
  AND (created > sqlc.arg(created) OR (created = sqlc.arg(created) AND id > sqlc.arg(after_id)))
ORDER BY created, id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: LastFlowRunMessageTime :one
SELECT created FROM flow_run_input WHERE flow_run_id = sqlc.arg(flow_run_id) AND received_by IS NULL
ORDER BY created DESC LIMIT 1;

-- name: CountFlowRunMessages :one
SELECT COUNT(*) FROM flow_run_input WHERE flow_run_id = sqlc.arg(flow_run_id) AND received_by IS NULL;

-- name: ReceiveFlowRunMessage :execrows
UPDATE flow_run_input SET received_by = sqlc.narg(received_by), updated = sqlc.arg(updated)
WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key) AND received_by IS NULL;
