-- name: InsertWorkPool :exec
-- invalidates: nothing; no run is in a new pool
INSERT INTO work_pool (id, created, updated, name, description, type, base_job_template, is_paused, concurrency_limit, status,
  default_queue_id, storage_configuration)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.narg(description), sqlc.arg(type),
  sqlc.arg(base_job_template), sqlc.arg(is_paused), sqlc.narg(concurrency_limit), sqlc.narg(status),
  sqlc.narg(default_queue_id), sqlc.narg(storage_configuration));

-- name: UpdateWorkPool :execrows
-- invalidates: nothing; the name of a pool stays
UPDATE work_pool SET updated = sqlc.arg(updated), description = sqlc.narg(description), type = sqlc.arg(type),
  base_job_template = sqlc.arg(base_job_template), is_paused = sqlc.arg(is_paused),
  concurrency_limit = sqlc.narg(concurrency_limit), status = sqlc.narg(status),
  default_queue_id = sqlc.narg(default_queue_id), storage_configuration = sqlc.narg(storage_configuration)
WHERE id = sqlc.arg(id);

-- name: GetWorkPool :one
SELECT * FROM work_pool WHERE id = sqlc.arg(id);

-- name: GetWorkPoolByName :one
SELECT * FROM work_pool WHERE name = sqlc.arg(name);

-- name: DeleteWorkPool :execrows
-- invalidates: flow_run
DELETE FROM work_pool WHERE id = sqlc.arg(id);
