-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- Filled in apart from 0013, whose lock keeps every reader and writer of tags out.
UPDATE flow_run SET expected_start_time = created WHERE expected_start_time IS NULL;
UPDATE flow_run_tag g SET expected_start_time = r.expected_start_time
FROM flow_run r WHERE r.id = g.flow_run_id AND g.expected_start_time IS NULL;
CREATE UNIQUE INDEX flow_run_tag_key ON flow_run_tag (tag, expected_start_time, flow_run_id);
CREATE INDEX flow_run_tag_of ON flow_run_tag (flow_run_id, tag);
-- From here on readers wait too, for moments.
DROP INDEX flow_run_tag_run;
ALTER INDEX flow_run_tag_of RENAME TO flow_run_tag_run;
ALTER TABLE flow_run_tag DROP CONSTRAINT flow_run_tag_pkey, ALTER COLUMN expected_start_time SET NOT NULL,
  ADD CONSTRAINT flow_run_tag_pkey PRIMARY KEY USING INDEX flow_run_tag_key;
ANALYZE flow_run_tag;
