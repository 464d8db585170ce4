-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- What flows append to their streams. source and ordinal tell which append of
-- which call an entry is, so that a replay appends nothing twice.
-- works with 10
CREATE TABLE flow_run_stream (
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  number INTEGER NOT NULL,
  created INTEGER NOT NULL,
  source TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (flow_run_id, key, number),
  UNIQUE (flow_run_id, key, source, ordinal)
) STRICT, WITHOUT ROWID;
