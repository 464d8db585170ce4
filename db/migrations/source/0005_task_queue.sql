-- Background task runs that no task worker has taken yet.
CREATE TABLE task_queue (
  task_run_id UUID NOT NULL PRIMARY KEY REFERENCES task_run (id) ON DELETE CASCADE,
  task_key TEXT NOT NULL,
  due_time TIMESTAMPTZ NOT NULL
);
CREATE INDEX task_queue_due ON task_queue (task_key, due_time, task_run_id);

CREATE TABLE saved_search (
  id UUID NOT NULL PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL UNIQUE,
  filters JSONB NOT NULL
);
