-- name: InsertAutomation :exec
INSERT INTO automation (id, created, updated, name, description, is_enabled, tags, trigger_spec, actions, actions_on_trigger, actions_on_resolve, owner_resource)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(description), sqlc.arg(is_enabled), sqlc.arg(tags),
  sqlc.arg(trigger_spec), sqlc.arg(actions), sqlc.arg(actions_on_trigger), sqlc.arg(actions_on_resolve), sqlc.arg(owner_resource));

-- name: UpdateAutomation :execrows
UPDATE automation SET name = sqlc.arg(name), description = sqlc.arg(description), is_enabled = sqlc.arg(is_enabled), tags = sqlc.arg(tags),
  trigger_spec = sqlc.arg(trigger_spec), actions = sqlc.arg(actions), actions_on_trigger = sqlc.arg(actions_on_trigger),
  actions_on_resolve = sqlc.arg(actions_on_resolve), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetAutomation :one
SELECT * FROM automation WHERE id = sqlc.arg(id);

-- name: ListAllAutomations :many
SELECT * FROM automation ORDER BY name, id;

-- name: AutomationsVersion :one
SELECT COUNT(*) AS total, CAST(MAX(updated) AS timestamptz) AS latest_time FROM automation;

-- name: DeleteAutomation :execrows
DELETE FROM automation WHERE id = sqlc.arg(id);

-- name: DeleteAutomationsOwnedBy :execrows
DELETE FROM automation WHERE owner_resource = sqlc.arg(owner_resource) AND owner_resource <> '';

-- name: InsertAutomationEvent :exec
INSERT INTO automation_event (event_id, occurred, due_time, attempts)
VALUES (sqlc.arg(event_id), sqlc.arg(occurred), sqlc.arg(due_time), 0)
ON CONFLICT (event_id) DO NOTHING;

-- name: ListDueAutomationEvents :many
SELECT event_id, attempts FROM automation_event WHERE due_time <= sqlc.arg(due_time) ORDER BY occurred, event_id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: TakeAutomationEvent :execrows
DELETE FROM automation_event WHERE event_id = sqlc.arg(event_id);

-- name: ParkAutomationEvent :execrows
UPDATE automation_event SET due_time = sqlc.arg(due_time), attempts = attempts + 1 WHERE event_id = sqlc.arg(event_id);

-- name: HasAutomationEvent :one
SELECT COUNT(*) FROM automation_event WHERE event_id = sqlc.arg(event_id);

-- name: GetBucket :one
SELECT * FROM automation_bucket WHERE trigger_id = sqlc.arg(trigger_id) AND bucketing_key = sqlc.arg(bucketing_key);

-- name: PutBucket :exec
INSERT INTO automation_bucket (automation_id, trigger_id, bucketing_key, start_time, end_time, event_count, last_event)
VALUES (sqlc.arg(automation_id), sqlc.arg(trigger_id), sqlc.arg(bucketing_key), sqlc.arg(start_time), sqlc.arg(end_time), sqlc.arg(event_count), sqlc.narg(last_event))
ON CONFLICT (trigger_id, bucketing_key) DO UPDATE SET start_time = excluded.start_time, end_time = excluded.end_time,
  event_count = excluded.event_count, last_event = excluded.last_event;

-- name: DeleteBucket :execrows
DELETE FROM automation_bucket WHERE trigger_id = sqlc.arg(trigger_id) AND bucketing_key = sqlc.arg(bucketing_key);

-- name: DeleteBucketsOf :execrows
DELETE FROM automation_bucket WHERE automation_id = sqlc.arg(automation_id);

-- name: DeleteChildFiringsOf :execrows
DELETE FROM automation_child_firing WHERE automation_id = sqlc.arg(automation_id);

-- name: ListClosedBuckets :many
SELECT * FROM automation_bucket WHERE end_time <= sqlc.arg(end_time) ORDER BY end_time LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: PutChildFiring :exec
INSERT INTO automation_child_firing (automation_id, parent_id, trigger_id, fired_time, firing)
VALUES (sqlc.arg(automation_id), sqlc.arg(parent_id), sqlc.arg(trigger_id), sqlc.arg(fired_time), sqlc.arg(firing))
ON CONFLICT (parent_id, trigger_id) DO UPDATE SET fired_time = excluded.fired_time, firing = excluded.firing;

-- name: ListChildFirings :many
SELECT * FROM automation_child_firing WHERE parent_id = sqlc.arg(parent_id) ORDER BY fired_time, trigger_id;

-- name: DeleteChildFirings :execrows
DELETE FROM automation_child_firing WHERE parent_id = sqlc.arg(parent_id) AND fired_time < sqlc.arg(fired_time);

-- name: InsertDueAction :exec
INSERT INTO automation_action (id, automation_id, action_index, action, firing, triggered_time, due_time, attempts)
VALUES (sqlc.arg(id), sqlc.arg(automation_id), sqlc.arg(action_index), sqlc.arg(action), sqlc.arg(firing), sqlc.arg(triggered_time), sqlc.arg(due_time), 0);

-- name: ListDueActions :many
SELECT * FROM automation_action WHERE due_time <= sqlc.arg(due_time) ORDER BY due_time, action_index LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: ClaimDueAction :execrows
UPDATE automation_action SET due_time = sqlc.arg(until_time), attempts = attempts + 1
WHERE id = sqlc.arg(id) AND attempts = sqlc.arg(attempts);

-- name: ReturnDueAction :exec
UPDATE automation_action SET due_time = sqlc.arg(due_time), attempts = attempts - 1
WHERE id = sqlc.arg(id) AND attempts = sqlc.arg(attempts);

-- name: DeleteDueAction :execrows
DELETE FROM automation_action WHERE id = sqlc.arg(id);
