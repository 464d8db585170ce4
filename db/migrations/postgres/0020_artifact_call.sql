-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- Which call of a flow's code created an artifact, so that a replay creates none:
-- the attempt of the flow or task, and how many updates the code has made.
-- works with 10
ALTER TABLE artifact ADD COLUMN call TEXT;
ALTER TABLE artifact ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0;
ALTER TABLE artifact ADD COLUMN updates BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX artifact_call ON artifact (flow_run_id, call) WHERE call IS NOT NULL;
