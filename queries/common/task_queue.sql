-- name: QueueTaskRun :exec
INSERT INTO task_queue (task_run_id, task_key, due_time)
VALUES (sqlc.arg(task_run_id), sqlc.arg(task_key), sqlc.arg(due_time))
ON CONFLICT (task_run_id) DO UPDATE SET due_time = excluded.due_time;

-- name: UnqueueTaskRun :execrows
DELETE FROM task_queue WHERE task_run_id = sqlc.arg(task_run_id);

-- name: QueuedTaskRuns :many
SELECT * FROM task_queue
WHERE task_key = sqlc.arg(task_key) AND (taken_time IS NULL OR taken_time <= sqlc.arg(now))
ORDER BY due_time, task_run_id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: TakeQueuedTaskRun :execrows
UPDATE task_queue SET taken_time = sqlc.arg(taken_time)
WHERE task_run_id = sqlc.arg(task_run_id) AND (taken_time IS NULL OR taken_time <= sqlc.arg(now));

-- name: GiveBackTaskRun :exec
UPDATE task_queue SET taken_time = NULL WHERE task_run_id = sqlc.arg(task_run_id);
