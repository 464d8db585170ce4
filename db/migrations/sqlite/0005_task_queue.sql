-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- Background task runs that no task worker has taken yet.
CREATE TABLE task_queue (
  task_run_id BLOB NOT NULL PRIMARY KEY REFERENCES task_run (id) ON DELETE CASCADE,
  task_key TEXT NOT NULL,
  due_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX task_queue_due ON task_queue (task_key, due_time, task_run_id);

CREATE TABLE saved_search (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  filters TEXT NOT NULL
) STRICT, WITHOUT ROWID;
