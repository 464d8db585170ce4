-- name: InsertDeployment :exec
INSERT INTO deployment (id, created, updated, name, version, description, flow_id, paused, concurrency_limit_id, concurrency_options,
  job_variables, parameters, tags, labels, work_queue_id, last_polled, parameter_openapi_schema, path,
  pull_steps, entrypoint, storage_document_id, infrastructure_document_id, created_by, updated_by, status,
  enforce_parameter_schema)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.narg(version),
  sqlc.narg(description), sqlc.arg(flow_id), sqlc.arg(paused), sqlc.narg(concurrency_limit_id),
  sqlc.narg(concurrency_options), sqlc.arg(job_variables), sqlc.arg(parameters), sqlc.arg(tags),
  sqlc.arg(labels), sqlc.narg(work_queue_id), sqlc.narg(last_polled), sqlc.narg(parameter_openapi_schema),
  sqlc.narg(path), sqlc.narg(pull_steps), sqlc.narg(entrypoint), sqlc.narg(storage_document_id),
  sqlc.narg(infrastructure_document_id), sqlc.narg(created_by), sqlc.narg(updated_by), sqlc.arg(status),
  sqlc.arg(enforce_parameter_schema));

-- name: UpdateDeployment :execrows
UPDATE deployment SET updated = sqlc.arg(updated), name = sqlc.arg(name), version = sqlc.narg(version),
  description = sqlc.narg(description), flow_id = sqlc.arg(flow_id), paused = sqlc.arg(paused),
  concurrency_limit_id = sqlc.narg(concurrency_limit_id), concurrency_options = sqlc.narg(concurrency_options),
  job_variables = sqlc.arg(job_variables), parameters = sqlc.arg(parameters), tags = sqlc.arg(tags),
  labels = sqlc.arg(labels), work_queue_id = sqlc.narg(work_queue_id), last_polled = sqlc.narg(last_polled),
  parameter_openapi_schema = sqlc.narg(parameter_openapi_schema), path = sqlc.narg(path),
  pull_steps = sqlc.narg(pull_steps), entrypoint = sqlc.narg(entrypoint),
  storage_document_id = sqlc.narg(storage_document_id),
  infrastructure_document_id = sqlc.narg(infrastructure_document_id), created_by = sqlc.narg(created_by),
  updated_by = sqlc.narg(updated_by), status = sqlc.arg(status),
  enforce_parameter_schema = sqlc.arg(enforce_parameter_schema)
WHERE id = sqlc.arg(id);

-- name: GetDeployment :one
SELECT * FROM deployment_full WHERE id = sqlc.arg(id);

-- name: GetDeploymentByName :one
SELECT * FROM deployment_full WHERE flow_name = sqlc.arg(flow_name) AND name = sqlc.arg(name);

-- name: DeleteDeployment :execrows
DELETE FROM deployment WHERE id = sqlc.arg(id);

-- name: DeploymentsToSchedule :many
SELECT d.* FROM deployment_full d
WHERE NOT d.paused
  AND EXISTS (SELECT 1 FROM schedule s WHERE s.deployment_id = d.id AND s.active)
  AND (CAST(sqlc.narg(since) AS TIMESTAMPTZ) IS NULL OR d.updated >= CAST(sqlc.narg(since) AS TIMESTAMPTZ))
ORDER BY d.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: DeploymentsToScheduleAfter :many
SELECT d.* FROM deployment_full d
WHERE d.id > sqlc.arg(after_id) AND NOT d.paused
  AND EXISTS (SELECT 1 FROM schedule s WHERE s.deployment_id = d.id AND s.active)
  AND (CAST(sqlc.narg(since) AS TIMESTAMPTZ) IS NULL OR d.updated >= CAST(sqlc.narg(since) AS TIMESTAMPTZ))
ORDER BY d.id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: PolledDeployment :exec
UPDATE deployment SET last_polled = sqlc.arg(last_polled), status = 'READY' WHERE id = sqlc.arg(id);

-- name: StaleDeployments :many
SELECT id FROM deployment WHERE status = 'READY' AND last_polled < sqlc.arg(cutoff_time) ORDER BY id;

-- name: DeploymentNotReady :exec
UPDATE deployment SET status = 'NOT_READY' WHERE id = sqlc.arg(id);
