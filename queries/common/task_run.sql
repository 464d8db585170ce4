-- name: InsertTaskRun :execrows
INSERT INTO task_run (id, created, updated, name, flow_run_id, task_key, dynamic_key, cache_key, cache_expiration, task_version,
  empirical_policy, tags, labels, state_id, task_inputs, state_type, state_name, state_timestamp, run_count,
  flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.narg(flow_run_id),
  sqlc.arg(task_key), sqlc.arg(dynamic_key), sqlc.narg(cache_key), sqlc.narg(cache_expiration),
  sqlc.narg(task_version), sqlc.arg(empirical_policy), sqlc.arg(tags), sqlc.arg(labels), sqlc.narg(state_id),
  sqlc.arg(task_inputs), sqlc.arg(state_type), sqlc.arg(state_name), sqlc.narg(state_timestamp),
  sqlc.arg(run_count), sqlc.arg(flow_run_run_count), sqlc.narg(expected_start_time),
  sqlc.narg(next_scheduled_start_time), sqlc.narg(start_time), sqlc.narg(end_time), sqlc.arg(total_run_time))
ON CONFLICT (flow_run_id, task_key, dynamic_key) DO NOTHING;

-- name: RecordTaskRun :execrows
INSERT INTO task_run (id, created, updated, name, flow_run_id, task_key, dynamic_key, cache_key, cache_expiration, task_version,
  empirical_policy, tags, labels, state_id, task_inputs, state_type, state_name, state_timestamp, run_count,
  flow_run_run_count, expected_start_time, next_scheduled_start_time, start_time, end_time, total_run_time)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.narg(flow_run_id),
  sqlc.arg(task_key), sqlc.arg(dynamic_key), sqlc.narg(cache_key), sqlc.narg(cache_expiration),
  sqlc.narg(task_version), sqlc.arg(empirical_policy), sqlc.arg(tags), sqlc.arg(labels), sqlc.narg(state_id),
  sqlc.arg(task_inputs), sqlc.arg(state_type), sqlc.arg(state_name), sqlc.narg(state_timestamp),
  sqlc.arg(run_count), sqlc.arg(flow_run_run_count), sqlc.narg(expected_start_time),
  sqlc.narg(next_scheduled_start_time), sqlc.narg(start_time), sqlc.narg(end_time), sqlc.arg(total_run_time))
ON CONFLICT (id) DO UPDATE SET updated = excluded.updated, name = excluded.name, flow_run_id = excluded.flow_run_id,
  task_key = excluded.task_key, dynamic_key = excluded.dynamic_key, cache_key = excluded.cache_key,
  cache_expiration = excluded.cache_expiration, task_version = excluded.task_version,
  empirical_policy = excluded.empirical_policy, tags = excluded.tags, labels = excluded.labels,
  state_id = excluded.state_id, task_inputs = excluded.task_inputs, state_type = excluded.state_type,
  state_name = excluded.state_name, state_timestamp = excluded.state_timestamp, run_count = excluded.run_count,
  flow_run_run_count = excluded.flow_run_run_count, expected_start_time = excluded.expected_start_time,
  next_scheduled_start_time = excluded.next_scheduled_start_time, start_time = excluded.start_time,
  end_time = excluded.end_time, total_run_time = excluded.total_run_time
WHERE task_run.state_timestamp IS NULL OR task_run.state_timestamp <= excluded.state_timestamp;

-- name: InsertTaskRunState :exec
INSERT INTO task_run_state (id, task_run_id, type, name, timestamp, message, data, state_details)
VALUES (sqlc.arg(id), sqlc.arg(task_run_id), sqlc.arg(type), sqlc.arg(name), sqlc.arg(timestamp), sqlc.narg(message),
  sqlc.narg(data), sqlc.arg(state_details));

-- name: AddTaskRunState :exec
INSERT INTO task_run_state (id, task_run_id, type, name, timestamp, message, data, state_details)
VALUES (sqlc.arg(id), sqlc.arg(task_run_id), sqlc.arg(type), sqlc.arg(name), sqlc.arg(timestamp), sqlc.narg(message),
  sqlc.narg(data), sqlc.arg(state_details))
ON CONFLICT DO NOTHING;

-- name: UpdateTaskRun :execrows
UPDATE task_run SET name = sqlc.arg(name), cache_key = sqlc.narg(cache_key), cache_expiration = sqlc.narg(cache_expiration),
  task_version = sqlc.narg(task_version), empirical_policy = sqlc.arg(empirical_policy), tags = sqlc.arg(tags),
  labels = sqlc.arg(labels), task_inputs = sqlc.arg(task_inputs), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: SetTaskRunState :execrows
UPDATE task_run SET state_id = sqlc.narg(state_id), state_type = sqlc.arg(state_type), state_name = sqlc.arg(state_name),
  state_timestamp = sqlc.narg(state_timestamp), run_count = sqlc.arg(run_count),
  flow_run_run_count = sqlc.arg(flow_run_run_count), expected_start_time = sqlc.narg(expected_start_time),
  next_scheduled_start_time = sqlc.narg(next_scheduled_start_time), start_time = sqlc.narg(start_time),
  end_time = sqlc.narg(end_time), total_run_time = sqlc.arg(total_run_time),
  empirical_policy = sqlc.arg(empirical_policy), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetTaskRun :one
SELECT * FROM task_run_full WHERE id = sqlc.arg(id);

-- name: GetTaskRunByKey :one
SELECT * FROM task_run_full WHERE flow_run_id = sqlc.arg(flow_run_id) AND task_key = sqlc.arg(task_key) AND dynamic_key = sqlc.arg(dynamic_key);

-- name: GetTaskRunState :one
SELECT * FROM task_run_state WHERE id = sqlc.arg(id);

-- name: DeleteTaskRun :execrows
DELETE FROM task_run WHERE id = sqlc.arg(id);

-- name: ListTaskRunStates :many
SELECT * FROM task_run_state WHERE task_run_id = sqlc.arg(task_run_id) ORDER BY timestamp, id;

-- name: TaskRunsOf :many
SELECT * FROM task_run_full WHERE flow_run_id = sqlc.arg(flow_run_id) ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: TaskRunsOfAfter :many
SELECT * FROM task_run_full WHERE flow_run_id = sqlc.arg(flow_run_id) AND id > sqlc.arg(after_id) ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: PutCachedState :exec
INSERT INTO task_run_cache (cache_key, cache_expiration, cached_state)
VALUES (sqlc.arg(cache_key), sqlc.narg(cache_expiration), sqlc.arg(cached_state))
ON CONFLICT (cache_key) DO UPDATE SET cache_expiration = excluded.cache_expiration, cached_state = excluded.cached_state;

-- name: GetCachedState :one
SELECT cached_state FROM task_run_cache
WHERE cache_key = sqlc.arg(cache_key) AND (cache_expiration IS NULL OR cache_expiration > sqlc.arg(now));
