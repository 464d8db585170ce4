-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- Which of the due runs of a queue a worker gets first. Nearly all runs have the
-- priority 0, and are claimed by the index that they had: the new one is empty.
-- works with 10
ALTER TABLE flow_run ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
CREATE INDEX flow_run_priority ON flow_run (work_queue_id, priority DESC, next_scheduled_start_time, id)
WHERE state_type = 'SCHEDULED' AND priority <> 0;
DROP VIEW flow_run_full;
CREATE VIEW flow_run_full AS
SELECT r.*, s.message AS state_message, s.data AS state_data, s.state_details AS state_details,
  q.name AS work_queue_name, p.id AS work_pool_id, p.name AS work_pool_name
FROM flow_run r
LEFT JOIN flow_run_state s ON s.id = r.state_id
LEFT JOIN work_queue q ON q.id = r.work_queue_id
LEFT JOIN work_pool p ON p.id = q.work_pool_id;
