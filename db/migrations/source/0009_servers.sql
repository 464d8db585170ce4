-- only postgres
-- What servers on one database share. The leases of loops, for servers that
-- have no Redis or cannot reach it:
-- only sqlite
-- Which background task runs are with a task worker, until when. The tables
-- beside it are used where several servers share a Postgres database.
-- both
CREATE TABLE server_lease (
  name TEXT NOT NULL PRIMARY KEY,
  holder UUID NOT NULL,
  expires TIMESTAMPTZ NOT NULL
-- only postgres
);
-- results that are too large for a state:
-- only sqlite
) STRICT;
-- both
CREATE TABLE result (
  key TEXT NOT NULL PRIMARY KEY,
  content BYTEA NOT NULL,
  created TIMESTAMPTZ NOT NULL
-- only postgres
);
-- and which background task runs are with a task worker, until when.
-- only sqlite
) STRICT;
-- both
ALTER TABLE task_queue ADD COLUMN taken_time TIMESTAMPTZ;
