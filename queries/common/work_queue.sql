-- name: InsertWorkQueue :exec
-- invalidates: nothing; no run is in a new queue
INSERT INTO work_queue (id, created, updated, name, description, is_paused, concurrency_limit, priority, work_pool_id, queue_filter,
  last_polled, status)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.narg(description),
  sqlc.arg(is_paused), sqlc.narg(concurrency_limit), sqlc.arg(priority), sqlc.arg(work_pool_id),
  sqlc.narg(queue_filter), sqlc.narg(last_polled), sqlc.narg(status));

-- name: UpdateWorkQueue :execrows
-- invalidates: flow_run
UPDATE work_queue SET updated = sqlc.arg(updated), name = sqlc.arg(name), description = sqlc.narg(description),
  is_paused = sqlc.arg(is_paused), concurrency_limit = sqlc.narg(concurrency_limit),
  priority = sqlc.arg(priority), queue_filter = sqlc.narg(queue_filter), last_polled = sqlc.narg(last_polled),
  status = sqlc.narg(status)
WHERE id = sqlc.arg(id);

-- name: GetWorkQueue :one
SELECT * FROM work_queue_full WHERE id = sqlc.arg(id);

-- name: GetWorkQueueByName :one
SELECT * FROM work_queue_full WHERE work_pool_id = sqlc.arg(work_pool_id) AND name = sqlc.arg(name);

-- name: DeleteWorkQueue :execrows
-- invalidates: flow_run
DELETE FROM work_queue WHERE id = sqlc.arg(id);

-- name: PolledWorkQueue :exec
-- invalidates: nothing; the names stay
UPDATE work_queue SET last_polled = sqlc.arg(last_polled), status = CASE WHEN is_paused THEN 'PAUSED' ELSE 'READY' END
WHERE id = sqlc.arg(id);

-- name: StaleWorkQueues :many
SELECT id FROM work_queue WHERE status = 'READY' AND last_polled < sqlc.arg(cutoff_time) ORDER BY id;

-- name: WorkQueueNotReady :exec
-- invalidates: nothing; the names stay
UPDATE work_queue SET status = 'NOT_READY' WHERE id = sqlc.arg(id);
