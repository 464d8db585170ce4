-- name: PutSavedSearch :exec
INSERT INTO saved_search (id, created, updated, name, filters)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(filters))
ON CONFLICT (name) DO UPDATE SET filters = excluded.filters, updated = excluded.updated;

-- name: GetSavedSearch :one
SELECT * FROM saved_search WHERE id = sqlc.arg(id);

-- name: GetSavedSearchByName :one
SELECT * FROM saved_search WHERE name = sqlc.arg(name);

-- name: ListSavedSearches :many
SELECT * FROM saved_search ORDER BY name
LIMIT CAST(sqlc.arg(lim) AS BIGINT) OFFSET CAST(sqlc.arg(off) AS BIGINT);

-- name: DeleteSavedSearch :execrows
DELETE FROM saved_search WHERE id = sqlc.arg(id);
