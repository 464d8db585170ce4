-- name: InsertArtifact :exec
INSERT INTO artifact (id, created, updated, key, type, description, data, metadata, flow_run_id, task_run_id, call, attempt, updates)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.narg(key), sqlc.narg(type), sqlc.narg(description),
  sqlc.narg(data), sqlc.narg(metadata), sqlc.narg(flow_run_id), sqlc.narg(task_run_id), sqlc.narg(call), sqlc.arg(attempt),
  sqlc.arg(updates));

-- name: UpdateArtifact :execrows
UPDATE artifact SET data = sqlc.narg(data), description = sqlc.narg(description), metadata = sqlc.narg(metadata),
  updated = sqlc.arg(updated), attempt = sqlc.arg(attempt), updates = sqlc.arg(updates)
WHERE id = sqlc.arg(id);

-- name: PutArtifactCollection :exec
INSERT INTO artifact_collection (id, created, updated, key, latest_id, type, description, data, metadata, flow_run_id, task_run_id)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(key), sqlc.arg(latest_id), sqlc.narg(type),
  sqlc.narg(description), sqlc.narg(data), sqlc.narg(metadata), sqlc.narg(flow_run_id), sqlc.narg(task_run_id))
ON CONFLICT (key) DO UPDATE SET updated = excluded.updated, latest_id = excluded.latest_id, type = excluded.type,
  description = excluded.description, data = excluded.data, metadata = excluded.metadata,
  flow_run_id = excluded.flow_run_id, task_run_id = excluded.task_run_id;

-- name: UpdateArtifactCollection :execrows
UPDATE artifact_collection SET data = sqlc.narg(data), description = sqlc.narg(description), metadata = sqlc.narg(metadata),
  updated = sqlc.arg(updated)
WHERE latest_id = sqlc.arg(latest_id);

-- name: LatestArtifact :one
SELECT * FROM artifact WHERE key = sqlc.arg(key) ORDER BY created DESC, id DESC LIMIT 1;

-- name: GetArtifactCollectionOf :one
SELECT * FROM artifact_collection WHERE latest_id = sqlc.arg(latest_id);

-- name: GetArtifact :one
SELECT * FROM artifact WHERE id = sqlc.arg(id);

-- name: GetArtifactCollection :one
SELECT * FROM artifact_collection WHERE key = sqlc.arg(key);

-- name: DeleteArtifact :execrows
DELETE FROM artifact WHERE id = sqlc.arg(id);

-- name: DeleteArtifactCollection :execrows
DELETE FROM artifact_collection WHERE id = sqlc.arg(id);

-- name: GetArtifactOfCall :one
SELECT * FROM artifact WHERE flow_run_id = sqlc.arg(flow_run_id) AND call = sqlc.arg(call);
