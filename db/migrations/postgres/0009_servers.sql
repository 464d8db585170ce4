-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- What servers on one database share. The leases of loops, for servers that
-- have no Redis or cannot reach it:
CREATE TABLE server_lease (
  name TEXT NOT NULL PRIMARY KEY,
  holder UUID NOT NULL,
  expires TIMESTAMPTZ NOT NULL
);
-- results that are too large for a state:
CREATE TABLE result (
  key TEXT NOT NULL PRIMARY KEY,
  content BYTEA NOT NULL,
  created TIMESTAMPTZ NOT NULL
);
-- and which background task runs are with a task worker, until when.
ALTER TABLE task_queue ADD COLUMN taken_time TIMESTAMPTZ;
