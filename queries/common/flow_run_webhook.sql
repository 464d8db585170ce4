-- name: InsertFlowRunWebhook :exec
INSERT INTO flow_run_webhook (id, flow_run_id, token_hash, sealed, topic, description, value, created, expires)
VALUES (sqlc.arg(id), sqlc.arg(flow_run_id), sqlc.arg(token_hash), sqlc.arg(sealed), sqlc.arg(topic), sqlc.arg(description),
  sqlc.arg(value), sqlc.arg(created), sqlc.arg(expires));

-- name: GetFlowRunWebhook :one
SELECT * FROM flow_run_webhook WHERE id = sqlc.arg(id);

-- name: GetFlowRunWebhookByToken :one
SELECT * FROM flow_run_webhook WHERE token_hash = sqlc.arg(token_hash);

-- name: CountFlowRunWebhooks :one
SELECT COUNT(*) FROM flow_run_webhook WHERE flow_run_id = sqlc.arg(flow_run_id);

-- name: UseFlowRunWebhook :execrows
UPDATE flow_run_webhook SET used = sqlc.narg(used), sealed = '' WHERE id = sqlc.arg(id) AND used IS NULL;
