-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- The last values that flows set under keys, for others to read, and which call has
-- set a key: an older attempt, or a replay, overwrites nothing.
-- works with 10
CREATE TABLE flow_run_status (
  flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (flow_run_id, key)
);
CREATE TABLE flow_run_status_call (
  flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  PRIMARY KEY (flow_run_id, source, key)
);
