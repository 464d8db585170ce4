-- name: InsertFlowRunInput :exec
INSERT INTO flow_run_input (id, created, updated, flow_run_id, key, value, sender)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(flow_run_id), sqlc.arg(key), sqlc.arg(value),
  sqlc.narg(sender));

-- name: GetFlowRunInput :one
SELECT * FROM flow_run_input WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key);

-- name: DeleteFlowRunInput :execrows
DELETE FROM flow_run_input WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key);

-- name: ListFlowRunInputs :many
SELECT * FROM flow_run_input WHERE flow_run_id = sqlc.arg(flow_run_id) ORDER BY created, id;
