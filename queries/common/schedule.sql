-- name: InsertSchedule :exec
INSERT INTO schedule (id, created, updated, deployment_id, rule, active, max_scheduled_runs, parameters, slug)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(deployment_id), sqlc.arg(rule),
  sqlc.arg(active), sqlc.narg(max_scheduled_runs), sqlc.arg(parameters), sqlc.narg(slug));

-- name: UpdateSchedule :execrows
UPDATE schedule SET rule = sqlc.arg(rule), active = sqlc.arg(active), max_scheduled_runs = sqlc.narg(max_scheduled_runs),
  parameters = sqlc.arg(parameters), slug = sqlc.narg(slug), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetSchedule :one
SELECT * FROM schedule WHERE id = sqlc.arg(id);

-- name: DeleteSchedule :execrows
DELETE FROM schedule WHERE id = sqlc.arg(id);

-- name: ListSchedules :many
SELECT * FROM schedule WHERE deployment_id = sqlc.arg(deployment_id) ORDER BY created, id;
