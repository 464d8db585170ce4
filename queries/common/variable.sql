-- name: InsertVariable :exec
INSERT INTO variable (id, created, updated, name, value, tags)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.narg(value), sqlc.arg(tags));

-- name: UpdateVariable :execrows
UPDATE variable SET name = sqlc.arg(name), value = sqlc.narg(value), tags = sqlc.arg(tags), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetVariable :one
SELECT * FROM variable WHERE id = sqlc.arg(id);

-- name: GetVariableByName :one
SELECT * FROM variable WHERE name = sqlc.arg(name);

-- name: DeleteVariable :execrows
DELETE FROM variable WHERE id = sqlc.arg(id);
