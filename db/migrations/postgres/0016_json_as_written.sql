-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- JSON, unlike JSONB, keeps a value as it is written: the order of keys, and
-- numbers such as 1e300. These tables are small; rows of runs stay JSONB, since
-- rewriting them would lock out every writer for long.
DROP VIEW deployment_full;
ALTER TABLE deployment ALTER COLUMN parameters TYPE JSON, ALTER COLUMN job_variables TYPE JSON,
  ALTER COLUMN parameter_openapi_schema TYPE JSON, ALTER COLUMN pull_steps TYPE JSON;
CREATE VIEW deployment_full AS
SELECT d.*, f.name AS flow_name, q.name AS work_queue_name, p.id AS work_pool_id, p.name AS work_pool_name
FROM deployment d
JOIN flow f ON f.id = d.flow_id
LEFT JOIN work_queue q ON q.id = d.work_queue_id
LEFT JOIN work_pool p ON p.id = q.work_pool_id;
ALTER TABLE schedule ALTER COLUMN parameters TYPE JSON;
ALTER TABLE work_pool ALTER COLUMN base_job_template TYPE JSON;
ALTER TABLE variable ALTER COLUMN value TYPE JSON;
ALTER TABLE block_schema ALTER COLUMN fields TYPE JSON;
