-- name: InsertGlobalLimit :exec
INSERT INTO global_limit (id, created, updated, name, active, slot_limit, active_slots, denied_slots, slot_decay_per_second,
  avg_slot_occupancy_seconds)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(active), sqlc.arg(slot_limit),
  sqlc.arg(active_slots), sqlc.arg(denied_slots), sqlc.arg(slot_decay_per_second),
  sqlc.arg(avg_slot_occupancy_seconds));

-- name: UpdateGlobalLimit :execrows
UPDATE global_limit SET updated = sqlc.arg(updated), name = sqlc.arg(name), active = sqlc.arg(active),
  slot_limit = sqlc.arg(slot_limit), active_slots = sqlc.arg(active_slots),
  denied_slots = sqlc.arg(denied_slots), slot_decay_per_second = sqlc.arg(slot_decay_per_second),
  avg_slot_occupancy_seconds = sqlc.arg(avg_slot_occupancy_seconds)
WHERE id = sqlc.arg(id);

-- name: GetGlobalLimit :one
SELECT * FROM global_limit WHERE id = sqlc.arg(id);

-- name: GetGlobalLimitByName :one
SELECT * FROM global_limit WHERE name = sqlc.arg(name);

-- name: DeleteGlobalLimit :execrows
DELETE FROM global_limit WHERE id = sqlc.arg(id);

-- name: PutSlotLease :exec
INSERT INTO slot_lease (id, created, expires, slots, holder_info)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(expires), sqlc.arg(slots), sqlc.narg(holder_info))
ON CONFLICT (id) DO UPDATE SET expires = excluded.expires;

-- name: InsertSlotLeaseLimit :exec
INSERT INTO slot_lease_limit (lease_id, limit_id, position)
VALUES (sqlc.arg(lease_id), sqlc.arg(limit_id), sqlc.arg(position))
ON CONFLICT DO NOTHING;

-- name: ListSlotLeaseLimits :many
SELECT limit_id FROM slot_lease_limit WHERE lease_id = sqlc.arg(lease_id) ORDER BY position;

-- name: SlotsHeld :one
SELECT CAST(COALESCE(SUM(l.slots), 0) AS BIGINT) AS n FROM slot_lease_limit m JOIN slot_lease l ON l.id = m.lease_id
WHERE m.limit_id = sqlc.arg(limit_id) AND l.expires > sqlc.arg(now);

-- name: DeleteExpiredSlotLeases :execrows
DELETE FROM slot_lease WHERE expires <= sqlc.arg(now);

-- name: GetSlotLease :one
SELECT * FROM slot_lease WHERE id = sqlc.arg(id);

-- name: DeleteSlotLease :execrows
DELETE FROM slot_lease WHERE id = sqlc.arg(id);
