-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- The last values that flows set under keys, for others to read, and which call has
-- set a key: an older attempt, or a replay, overwrites nothing.
-- works with 10
CREATE TABLE flow_run_status (
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  updated INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (flow_run_id, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE flow_run_status_call (
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (flow_run_id, source, key)
) STRICT, WITHOUT ROWID;
