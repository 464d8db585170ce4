-- name: ListFlowsByIDs :many
SELECT * FROM flow WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListFlowRunsByIDs :many
SELECT * FROM flow_run_full WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListFlowRunMarksByIDs :many
SELECT id, state_type, state_name, start_time, end_time FROM flow_run WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListTaskRunsByIDs :many
SELECT * FROM task_run_full WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListDeploymentsByIDs :many
SELECT * FROM deployment_full WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListWorkPoolsByIDs :many
SELECT * FROM work_pool WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListWorkQueuesByIDs :many
SELECT * FROM work_queue_full WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListWorkersByIDs :many
SELECT * FROM worker WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListLogsByIDs :many
SELECT * FROM log WHERE id = ANY(sqlc.arg(ids)::bigint[]);

-- name: ListEventsByIDs :many
SELECT * FROM event WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListArtifactsByIDs :many
SELECT * FROM artifact WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListArtifactCollectionsByIDs :many
SELECT * FROM artifact_collection WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListAutomationsByIDs :many
SELECT * FROM automation WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: LockAutomation :one
SELECT id FROM automation WHERE id = sqlc.arg(id) FOR UPDATE;

-- name: ListVariablesByIDs :many
SELECT * FROM variable WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: LockBlockDocument :one
SELECT id FROM block_document WHERE id = sqlc.arg(id) FOR UPDATE;

-- name: ListBlockTypesByIDs :many
SELECT * FROM block_type WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListBlockSchemasByIDs :many
SELECT * FROM block_schema WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListBlockDocumentsByIDs :many
SELECT * FROM block_document WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListBlockReferences :many
SELECT * FROM block_document_reference WHERE parent_document_id = ANY(sqlc.arg(ids)::uuid[]) ORDER BY name;

-- name: ListGlobalLimitsByIDs :many
SELECT * FROM global_limit WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: ListSchedulesOf :many
SELECT * FROM schedule WHERE deployment_id = ANY(sqlc.arg(ids)::uuid[]) ORDER BY created, id;

-- name: DueFlowRunsOfDeployments :many
SELECT * FROM flow_run_full
WHERE state_type = 'SCHEDULED' AND next_scheduled_start_time <= sqlc.arg(due_time)
  AND CAST(sqlc.arg(lim) AS BIGINT) > 0 AND deployment_id = ANY(sqlc.arg(ids)::uuid[])
ORDER BY priority DESC, next_scheduled_start_time, id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: LockFlowRun :one
SELECT id FROM flow_run WHERE id = sqlc.arg(id) FOR UPDATE;

-- name: LockLeases :many
SELECT l.* FROM flow_run r JOIN run_lease l ON l.flow_run_id = r.id
WHERE r.id = ANY(sqlc.arg(ids)::uuid[]) ORDER BY r.id FOR KEY SHARE;

-- name: RenewLeases :many
UPDATE run_lease SET expires = sqlc.arg(expires) WHERE flow_run_id IN (
  SELECT l.flow_run_id FROM run_lease l WHERE l.holder = sqlc.arg(holder) ORDER BY l.flow_run_id FOR UPDATE)
RETURNING flow_run_id;

-- name: LockTaskRun :one
SELECT id FROM task_run WHERE id = sqlc.arg(id) FOR UPDATE;

-- name: LockWorkPool :one
SELECT id FROM work_pool WHERE id = sqlc.arg(id) FOR UPDATE;

-- name: LockGlobalLimits :many
SELECT * FROM global_limit WHERE name = ANY(sqlc.arg(names)::text[]) ORDER BY name FOR UPDATE;

-- name: RunsOccupying :one
-- A run whose client keeps a lease occupies as long as that holds. Until it was
-- renewed for the first time (is_counted) only a pending run loses its slot: not
-- every client that runs what a newer worker submits renews.
SELECT CAST(COUNT(*) AS BIGINT) AS n FROM flow_run r
WHERE r.state_type IN ('PENDING', 'RUNNING', 'CANCELLING')
  AND r.deployment_id IN (SELECT d.id FROM deployment d WHERE d.concurrency_limit_id = sqlc.arg(limit_id))
  AND NOT EXISTS (SELECT 1 FROM slot_lease l WHERE l.holder_id = r.id AND l.holder_type = 'deployment'
    AND l.expires <= sqlc.arg(now) AND (NOT l.is_counted OR r.state_type = 'PENDING'));

-- name: ListRunsOccupying :many
-- The runs that RunsOccupying counts, oldest first.
SELECT r.id FROM flow_run r
WHERE r.state_type IN ('PENDING', 'RUNNING', 'CANCELLING')
  AND r.deployment_id IN (SELECT d.id FROM deployment d WHERE d.concurrency_limit_id = sqlc.arg(limit_id))
  AND NOT EXISTS (SELECT 1 FROM slot_lease l WHERE l.holder_id = r.id AND l.holder_type = 'deployment'
    AND l.expires <= sqlc.arg(now) AND (NOT l.is_counted OR r.state_type = 'PENDING'))
ORDER BY r.start_time, r.id LIMIT CAST(sqlc.arg(at_most) AS BIGINT);

-- name: LockDeployment :one
SELECT id FROM deployment WHERE id = sqlc.arg(id) FOR NO KEY UPDATE;
