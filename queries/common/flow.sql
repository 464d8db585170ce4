-- name: InsertFlow :execrows
INSERT INTO flow (id, created, updated, name, tags, labels)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(tags), sqlc.arg(labels))
ON CONFLICT (name) DO NOTHING;

-- name: UpdateFlow :execrows
UPDATE flow SET tags = sqlc.arg(tags), labels = sqlc.arg(labels), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetFlow :one
SELECT * FROM flow WHERE id = sqlc.arg(id);

-- name: GetFlowByName :one
SELECT * FROM flow WHERE name = sqlc.arg(name);

-- name: DeleteFlow :execrows
-- invalidates: flow_run
DELETE FROM flow WHERE id = sqlc.arg(id);
