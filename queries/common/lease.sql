-- name: PutLease :exec
INSERT INTO run_lease (flow_run_id, holder, worker, token, expires)
VALUES (sqlc.arg(flow_run_id), sqlc.arg(holder), sqlc.arg(worker), sqlc.arg(token), sqlc.arg(expires))
ON CONFLICT (flow_run_id) DO UPDATE SET holder = excluded.holder, worker = excluded.worker, token = excluded.token, expires = excluded.expires;

-- name: GetLease :one
SELECT * FROM run_lease WHERE flow_run_id = sqlc.arg(flow_run_id);

-- name: ExpiredLeases :many
SELECT * FROM run_lease WHERE expires < sqlc.arg(now) ORDER BY expires LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: CancellingOf :many
SELECT r.id FROM run_lease l JOIN flow_run r ON r.id = l.flow_run_id
WHERE l.holder = sqlc.arg(holder) AND r.state_type = 'CANCELLING' ORDER BY r.id;

-- name: DeleteLease :execrows
DELETE FROM run_lease WHERE flow_run_id = sqlc.arg(flow_run_id);
