-- name: InsertFlowRunStreamEntry :exec
INSERT INTO flow_run_stream (flow_run_id, key, number, created, source, ordinal, value)
VALUES (sqlc.arg(flow_run_id), sqlc.arg(key), sqlc.arg(number), sqlc.arg(created), sqlc.arg(source), sqlc.arg(ordinal),
  sqlc.arg(value));

-- name: FlowRunStreamNumber :one
SELECT number FROM flow_run_stream
WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key) AND source = sqlc.arg(source)
  AND ordinal = sqlc.arg(ordinal);

-- name: LastFlowRunStreamNumber :one
SELECT number FROM flow_run_stream WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key)
ORDER BY number DESC LIMIT 1;

-- name: ListFlowRunStreamEntries :many
SELECT number, created, value FROM flow_run_stream
WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key) AND number >= sqlc.arg(from_number)
ORDER BY number LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: ListFlowRunStreams :many
SELECT key, CAST(MAX(number) AS BIGINT) AS entries FROM flow_run_stream WHERE flow_run_id = sqlc.arg(flow_run_id)
GROUP BY key ORDER BY key;

-- name: DeleteFlowRunStreamEntries :execrows
DELETE FROM flow_run_stream
WHERE flow_run_id = sqlc.arg(flow_run_id) AND key = sqlc.arg(key) AND number < sqlc.arg(before_number);
