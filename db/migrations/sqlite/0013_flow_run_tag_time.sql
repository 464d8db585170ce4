-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- Tags are kept by time, so that the runs of a span that have a tag are read
-- without a look at those that have not. A run's expected start never changes.
UPDATE flow_run SET expected_start_time = created WHERE expected_start_time IS NULL;
CREATE TABLE flow_run_tag_new (
  tag TEXT NOT NULL,
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  expected_start_time INTEGER NOT NULL,
  PRIMARY KEY (tag, expected_start_time, flow_run_id)
) STRICT, WITHOUT ROWID;
INSERT INTO flow_run_tag_new (tag, expected_start_time, flow_run_id)
SELECT g.tag, r.expected_start_time, r.id FROM flow_run_tag g JOIN flow_run r ON r.id = g.flow_run_id ORDER BY 1, 2, 3;
DROP TABLE flow_run_tag;
ALTER TABLE flow_run_tag_new RENAME TO flow_run_tag;
CREATE INDEX flow_run_tag_run ON flow_run_tag (flow_run_id);
