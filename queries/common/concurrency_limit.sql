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
INSERT INTO slot_lease (id, created, expires, slots, holder_info, is_counted, holder_type, holder_id, client_id)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(expires), sqlc.arg(slots), sqlc.narg(holder_info), sqlc.arg(is_counted),
  sqlc.narg(holder_type), sqlc.arg(holder_id), sqlc.arg(client_id))
ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, slots = excluded.slots, holder_info = excluded.holder_info, holder_type = excluded.holder_type,
  holder_id = excluded.holder_id, client_id = excluded.client_id, is_counted = excluded.is_counted;

-- name: InsertSlotLeaseLimit :exec
INSERT INTO slot_lease_limit (lease_id, limit_id, position)
VALUES (sqlc.arg(lease_id), sqlc.arg(limit_id), sqlc.arg(position))
ON CONFLICT DO NOTHING;

-- name: ListSlotLeaseLimits :many
SELECT limit_id FROM slot_lease_limit WHERE lease_id = sqlc.arg(lease_id) ORDER BY position;

-- name: ListSlotLeases :many
SELECT l.* FROM slot_lease_limit m JOIN slot_lease l ON l.id = m.lease_id
WHERE m.limit_id = sqlc.arg(limit_id) AND l.expires > sqlc.arg(now) AND COALESCE(l.holder_type, '') <> 'deployment'
ORDER BY l.created, l.id;

-- name: SlotsLeased :one
SELECT CAST(COALESCE(SUM(l.slots), 0) AS BIGINT) AS n FROM slot_lease_limit m JOIN slot_lease l ON l.id = m.lease_id
WHERE m.limit_id = sqlc.arg(limit_id) AND l.expires > sqlc.arg(now) AND COALESCE(l.holder_type, '') <> 'deployment';

-- name: DeleteExpiredSlotLeases :execrows
DELETE FROM slot_lease WHERE expires <= sqlc.arg(now) AND COALESCE(holder_type, '') <> 'deployment';

-- name: GetSlotLease :one
SELECT * FROM slot_lease WHERE id = sqlc.arg(id);

-- name: DeleteSlotLease :execrows
DELETE FROM slot_lease WHERE id = sqlc.arg(id);

-- name: DeleteSlotLeasesOfHolder :exec
DELETE FROM slot_lease WHERE holder_id = sqlc.arg(holder_id) AND is_counted;

-- name: GetDeploymentLease :one
SELECT * FROM slot_lease WHERE holder_id = sqlc.arg(holder_id) AND holder_type = 'deployment';

-- name: DeleteDeploymentLease :exec
DELETE FROM slot_lease WHERE holder_id = sqlc.arg(holder_id) AND holder_type = 'deployment';

-- name: DeleteIdleDeploymentLeases :execrows
DELETE FROM slot_lease WHERE holder_type = 'deployment' AND NOT EXISTS (SELECT 1 FROM flow_run r
  WHERE r.id = slot_lease.holder_id AND r.state_type IN ('PENDING', 'RUNNING', 'CANCELLING'));

-- name: DeleteSlotLeasesOfTasks :exec
DELETE FROM slot_lease WHERE is_counted AND holder_type = 'task_run'
  AND holder_id IN (SELECT t.id FROM task_run t WHERE t.flow_run_id = sqlc.arg(flow_run_id));

-- name: DeleteEndedSlotLeases :execrows
DELETE FROM slot_lease WHERE is_counted AND (
  holder_type = 'task_run' AND EXISTS (SELECT 1 FROM task_run t LEFT JOIN flow_run r ON r.id = t.flow_run_id
    WHERE t.id = slot_lease.holder_id AND (t.end_time <= sqlc.arg(before_time) OR r.end_time <= sqlc.arg(before_time)))
  OR holder_type = 'flow_run' AND EXISTS (SELECT 1 FROM flow_run r WHERE r.id = slot_lease.holder_id AND r.end_time <= sqlc.arg(before_time))
  OR NOT EXISTS (SELECT 1 FROM slot_lease_limit m WHERE m.lease_id = slot_lease.id));

-- name: LoseSlotLeases :many
UPDATE slot_lease SET expires = sqlc.arg(expires)
WHERE is_counted AND client_id = sqlc.arg(client_id) AND expires > sqlc.arg(expires) RETURNING holder_id;

-- name: ListSlotHolders :many
SELECT DISTINCT holder_id FROM slot_lease WHERE is_counted AND client_id IS NOT NULL AND holder_id IS NOT NULL;

-- name: ListLostSlotHolders :many
SELECT DISTINCT holder_id FROM slot_lease
WHERE is_counted AND client_id IS NOT NULL AND holder_id IS NOT NULL AND expires > sqlc.arg(now) AND expires < sqlc.arg(forever);

-- name: KeepSlotLeases :exec
UPDATE slot_lease SET expires = sqlc.arg(expires), client_id = sqlc.arg(client_id)
WHERE is_counted AND holder_id = sqlc.arg(holder_id);
