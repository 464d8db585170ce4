-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- Which background task runs are with a task worker, until when. The tables
-- beside it are used where several servers share a Postgres database.
CREATE TABLE server_lease (
  name TEXT NOT NULL PRIMARY KEY,
  holder BLOB NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE TABLE result (
  key TEXT NOT NULL PRIMARY KEY,
  content BLOB NOT NULL,
  created INTEGER NOT NULL
) STRICT;
ALTER TABLE task_queue ADD COLUMN taken_time INTEGER;
