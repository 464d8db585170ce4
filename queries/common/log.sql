-- name: InsertLog :one
INSERT INTO log (log_id, created, name, level, message, timestamp, flow_run_id, task_run_id)
VALUES (sqlc.arg(log_id), sqlc.arg(created), sqlc.arg(name), sqlc.arg(level), sqlc.arg(message), sqlc.arg(timestamp),
  sqlc.narg(flow_run_id), sqlc.narg(task_run_id))
RETURNING id;
