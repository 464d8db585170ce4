-- name: PutSetting :exec
INSERT INTO setting (key, value)
VALUES (sqlc.arg(key), sqlc.arg(value))
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: GetSetting :one
SELECT * FROM setting WHERE key = sqlc.arg(key);
