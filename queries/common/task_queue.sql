-- name: QueueTaskRun :exec
INSERT INTO task_queue (task_run_id, task_key, due_time)
VALUES (sqlc.arg(task_run_id), sqlc.arg(task_key), sqlc.arg(due_time))
ON CONFLICT (task_run_id) DO UPDATE SET due_time = excluded.due_time;

-- name: UnqueueTaskRun :execrows
DELETE FROM task_queue WHERE task_run_id = sqlc.arg(task_run_id);

-- name: QueuedTaskRuns :many
SELECT * FROM task_queue WHERE task_key = sqlc.arg(task_key)
ORDER BY due_time, task_run_id LIMIT CAST(sqlc.arg(lim) AS BIGINT);
