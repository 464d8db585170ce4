-- name: InsertEvent :execrows
INSERT INTO event (id, occurred, received, event, event_resource_id, resource, related, payload, follows)
VALUES (sqlc.arg(id), sqlc.arg(occurred), sqlc.arg(received), sqlc.arg(event), sqlc.arg(event_resource_id),
  sqlc.arg(resource), sqlc.arg(related), sqlc.arg(payload), sqlc.narg(follows))
ON CONFLICT (id) DO NOTHING;

-- name: DeleteEvents :execrows
DELETE FROM event WHERE id IN (
  SELECT e.id FROM event e WHERE e.occurred < sqlc.arg(cutoff_time) ORDER BY e.occurred LIMIT CAST(sqlc.arg(lim) AS BIGINT));
