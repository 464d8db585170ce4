-- name: UpsertWorker :one
INSERT INTO worker (id, created, updated, name, work_pool_id, last_heartbeat_time, heartbeat_interval_seconds, status, flows)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(work_pool_id),
  sqlc.narg(last_heartbeat_time), sqlc.narg(heartbeat_interval_seconds), sqlc.arg(status), sqlc.narg(flows))
ON CONFLICT (work_pool_id, name) DO UPDATE SET last_heartbeat_time = excluded.last_heartbeat_time,
  heartbeat_interval_seconds = COALESCE(excluded.heartbeat_interval_seconds, worker.heartbeat_interval_seconds),
  status = excluded.status, updated = excluded.updated, flows = excluded.flows
RETURNING *;

-- name: GetWorker :one
SELECT * FROM worker WHERE work_pool_id = sqlc.arg(work_pool_id) AND name = sqlc.arg(name);

-- name: DeleteWorker :execrows
DELETE FROM worker WHERE work_pool_id = sqlc.arg(work_pool_id) AND name = sqlc.arg(name);

-- name: OnlineWorkers :many
SELECT * FROM worker WHERE status = 'ONLINE' ORDER BY id;

-- name: CountWorkers :many
SELECT p.name AS pool, w.status, COUNT(*) AS workers FROM worker w JOIN work_pool p ON p.id = w.work_pool_id GROUP BY p.name, w.status;
