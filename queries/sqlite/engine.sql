-- name: ListFlowsByIDs :many
SELECT * FROM flow WHERE id IN (sqlc.slice(ids));

-- name: ListFlowRunsByIDs :many
SELECT * FROM flow_run_full WHERE id IN (sqlc.slice(ids));

-- name: ListFlowRunMarksByIDs :many
SELECT id, state_type, state_name, start_time, end_time FROM flow_run WHERE id IN (sqlc.slice(ids));

-- name: ListTaskRunsByIDs :many
SELECT * FROM task_run_full WHERE id IN (sqlc.slice(ids));

-- name: ListDeploymentsByIDs :many
SELECT * FROM deployment_full WHERE id IN (sqlc.slice(ids));

-- name: ListWorkPoolsByIDs :many
SELECT * FROM work_pool WHERE id IN (sqlc.slice(ids));

-- name: ListWorkQueuesByIDs :many
SELECT * FROM work_queue_full WHERE id IN (sqlc.slice(ids));

-- name: ListWorkersByIDs :many
SELECT * FROM worker WHERE id IN (sqlc.slice(ids));

-- name: ListLogsByIDs :many
SELECT * FROM log WHERE id IN (sqlc.slice(ids));

-- name: ListEventsByIDs :many
SELECT * FROM event WHERE id IN (sqlc.slice(ids));

-- name: ListArtifactsByIDs :many
SELECT * FROM artifact WHERE id IN (sqlc.slice(ids));

-- name: ListArtifactCollectionsByIDs :many
SELECT * FROM artifact_collection WHERE id IN (sqlc.slice(ids));

-- name: ListAutomationsByIDs :many
SELECT * FROM automation WHERE id IN (sqlc.slice(ids));

-- name: LockAutomation :one
SELECT id FROM automation WHERE id = sqlc.arg(id);

-- name: ListVariablesByIDs :many
SELECT * FROM variable WHERE id IN (sqlc.slice(ids));

-- name: LockBlockDocument :one
SELECT id FROM block_document WHERE id = sqlc.arg(id);

-- name: ListBlockTypesByIDs :many
SELECT * FROM block_type WHERE id IN (sqlc.slice(ids));

-- name: ListBlockSchemasByIDs :many
SELECT * FROM block_schema WHERE id IN (sqlc.slice(ids));

-- name: ListBlockDocumentsByIDs :many
SELECT * FROM block_document WHERE id IN (sqlc.slice(ids));

-- name: ListBlockReferences :many
SELECT * FROM block_document_reference WHERE parent_document_id IN (sqlc.slice(ids)) ORDER BY name;

-- name: ListGlobalLimitsByIDs :many
SELECT * FROM global_limit WHERE id IN (sqlc.slice(ids));

-- name: ListSchedulesOf :many
SELECT * FROM schedule WHERE deployment_id IN (sqlc.slice(ids)) ORDER BY created, id;

-- name: DueFlowRunsOfDeployments :many
SELECT * FROM flow_run_full
WHERE state_type = 'SCHEDULED' AND next_scheduled_start_time <= sqlc.arg(due_time)
  AND CAST(sqlc.arg(lim) AS BIGINT) > 0 AND deployment_id IN (sqlc.slice(ids))
ORDER BY priority DESC, next_scheduled_start_time, id;

-- name: LockFlowRun :one
SELECT id FROM flow_run WHERE id = sqlc.arg(id);

-- name: LockLeases :many
SELECT * FROM run_lease WHERE flow_run_id IN (sqlc.slice(ids)) ORDER BY flow_run_id;

-- name: RenewLeases :many
UPDATE run_lease SET expires = sqlc.arg(expires) WHERE holder = sqlc.arg(holder) RETURNING flow_run_id;

-- name: LockTaskRun :one
SELECT id FROM task_run WHERE id = sqlc.arg(id);

-- name: LockWorkPool :one
SELECT id FROM work_pool WHERE id = sqlc.arg(id);

-- name: LockGlobalLimits :many
SELECT * FROM global_limit WHERE name IN (sqlc.slice(names)) ORDER BY name;

-- name: RunsOccupying :one
-- A run whose client keeps a lease occupies as long as that holds. Until it was
-- renewed for the first time (is_counted) only a pending run loses its slot: not
-- every client that runs what a newer worker submits renews.
SELECT CAST(COUNT(*) AS BIGINT) AS n FROM flow_run r
WHERE r.state_type IN ('PENDING', 'RUNNING', 'CANCELLING')
  AND +r.deployment_id IN (SELECT d.id FROM deployment d WHERE d.concurrency_limit_id = sqlc.arg(limit_id))
  AND NOT EXISTS (SELECT 1 FROM slot_lease l WHERE l.holder_id = r.id AND l.holder_type = 'deployment'
    AND l.expires <= sqlc.arg(now) AND (NOT l.is_counted OR r.state_type = 'PENDING'));

-- name: ListRunsOccupying :many
-- The runs that RunsOccupying counts, oldest first.
SELECT r.id FROM flow_run r
WHERE r.state_type IN ('PENDING', 'RUNNING', 'CANCELLING')
  AND +r.deployment_id IN (SELECT d.id FROM deployment d WHERE d.concurrency_limit_id = sqlc.arg(limit_id))
  AND NOT EXISTS (SELECT 1 FROM slot_lease l WHERE l.holder_id = r.id AND l.holder_type = 'deployment'
    AND l.expires <= sqlc.arg(now) AND (NOT l.is_counted OR r.state_type = 'PENDING'))
ORDER BY r.start_time, r.id LIMIT CAST(sqlc.arg(at_most) AS BIGINT);

-- name: LockDeployment :one
SELECT id FROM deployment WHERE id = sqlc.arg(id);
