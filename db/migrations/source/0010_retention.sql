-- Old artifacts are found by what made them, and what was the latest of its key.
CREATE INDEX artifact_collection_latest ON artifact_collection (latest_id);
CREATE INDEX artifact_task_run ON artifact (task_run_id) WHERE flow_run_id IS NULL AND task_run_id IS NOT NULL;
