-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- Times are microseconds since the epoch, UTC; ids are 16 bytes, UUIDv7 where we make them.

CREATE TABLE flow (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  tags TEXT NOT NULL,
  labels TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE work_pool (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  description TEXT,
  type TEXT NOT NULL,
  base_job_template TEXT NOT NULL,
  is_paused INTEGER NOT NULL,
  concurrency_limit INTEGER,
  status TEXT,
  default_queue_id BLOB,
  storage_configuration TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE work_queue (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  is_paused INTEGER NOT NULL,
  concurrency_limit INTEGER,
  priority INTEGER NOT NULL,
  work_pool_id BLOB NOT NULL REFERENCES work_pool (id) ON DELETE CASCADE,
  queue_filter TEXT,
  last_polled INTEGER,
  status TEXT,
  UNIQUE (work_pool_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  work_pool_id BLOB NOT NULL REFERENCES work_pool (id) ON DELETE CASCADE,
  last_heartbeat_time INTEGER,
  heartbeat_interval_seconds INTEGER,
  status TEXT NOT NULL,
  UNIQUE (work_pool_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE global_limit (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  active INTEGER NOT NULL,
  slot_limit INTEGER NOT NULL,
  active_slots INTEGER NOT NULL,
  denied_slots INTEGER NOT NULL,
  slot_decay_per_second REAL NOT NULL,
  avg_slot_occupancy_seconds REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slot_lease (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  slots INTEGER NOT NULL,
  holder_info TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE slot_lease_limit (
  lease_id BLOB NOT NULL REFERENCES slot_lease (id) ON DELETE CASCADE,
  limit_id BLOB NOT NULL REFERENCES global_limit (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (limit_id, lease_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE deployment (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  flow_id BLOB NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
  paused INTEGER NOT NULL,
  concurrency_limit_id BLOB REFERENCES global_limit (id) ON DELETE SET NULL,
  concurrency_options TEXT,
  job_variables TEXT NOT NULL,
  parameters TEXT NOT NULL,
  tags TEXT NOT NULL,
  labels TEXT NOT NULL,
  work_queue_id BLOB REFERENCES work_queue (id) ON DELETE SET NULL,
  last_polled INTEGER,
  parameter_openapi_schema TEXT,
  path TEXT,
  pull_steps TEXT,
  entrypoint TEXT,
  storage_document_id BLOB,
  infrastructure_document_id BLOB,
  created_by TEXT,
  updated_by TEXT,
  status TEXT NOT NULL,
  enforce_parameter_schema INTEGER NOT NULL,
  UNIQUE (flow_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  deployment_id BLOB NOT NULL REFERENCES deployment (id) ON DELETE CASCADE,
  rule TEXT NOT NULL,
  active INTEGER NOT NULL,
  max_scheduled_runs INTEGER,
  parameters TEXT NOT NULL,
  slug TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_run (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  flow_id BLOB NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
  state_id BLOB,
  deployment_id BLOB,
  deployment_version TEXT,
  work_queue_id BLOB REFERENCES work_queue (id) ON DELETE SET NULL,
  flow_version TEXT,
  parameters TEXT NOT NULL,
  idempotency_key TEXT,
  context TEXT,
  empirical_policy TEXT NOT NULL,
  tags TEXT NOT NULL,
  labels TEXT NOT NULL,
  parent_task_run_id BLOB,
  state_type TEXT NOT NULL,
  state_name TEXT NOT NULL,
  state_timestamp INTEGER,
  run_count INTEGER NOT NULL,
  expected_start_time INTEGER,
  next_scheduled_start_time INTEGER,
  start_time INTEGER,
  end_time INTEGER,
  total_run_time REAL NOT NULL,
  auto_scheduled INTEGER NOT NULL,
  in_process_retry INTEGER NOT NULL,
  pause_timeout INTEGER,
  recoveries INTEGER NOT NULL,
  infrastructure_document_id BLOB,
  infrastructure_pid TEXT,
  created_by TEXT,
  job_variables TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_run_tag (
  tag TEXT NOT NULL,
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  PRIMARY KEY (tag, flow_run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_run_state (
  id BLOB NOT NULL PRIMARY KEY,
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  message TEXT,
  data TEXT,
  state_details TEXT NOT NULL,
  UNIQUE (flow_run_id, timestamp)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_run_input (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  flow_run_id BLOB NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  sender TEXT,
  UNIQUE (flow_run_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_lease (
  flow_run_id BLOB NOT NULL PRIMARY KEY REFERENCES flow_run (id) ON DELETE CASCADE,
  holder BLOB NOT NULL,
  worker TEXT NOT NULL,
  token BLOB NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE task_run (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  flow_run_id BLOB REFERENCES flow_run (id) ON DELETE CASCADE,
  task_key TEXT NOT NULL,
  dynamic_key TEXT NOT NULL,
  cache_key TEXT,
  cache_expiration INTEGER,
  task_version TEXT,
  empirical_policy TEXT NOT NULL,
  tags TEXT NOT NULL,
  labels TEXT NOT NULL,
  state_id BLOB,
  task_inputs TEXT NOT NULL,
  state_type TEXT NOT NULL,
  state_name TEXT NOT NULL,
  state_timestamp INTEGER,
  run_count INTEGER NOT NULL,
  flow_run_run_count INTEGER NOT NULL,
  expected_start_time INTEGER,
  next_scheduled_start_time INTEGER,
  start_time INTEGER,
  end_time INTEGER,
  total_run_time REAL NOT NULL,
  UNIQUE (flow_run_id, task_key, dynamic_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_run_state (
  id BLOB NOT NULL PRIMARY KEY,
  task_run_id BLOB NOT NULL REFERENCES task_run (id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  message TEXT,
  data TEXT,
  state_details TEXT NOT NULL,
  UNIQUE (task_run_id, timestamp)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_run_cache (
  cache_key TEXT NOT NULL PRIMARY KEY,
  cache_expiration INTEGER,
  cached_state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
  id INTEGER PRIMARY KEY,
  log_id BLOB NOT NULL,
  created INTEGER NOT NULL,
  name TEXT NOT NULL,
  level INTEGER NOT NULL,
  message TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  flow_run_id BLOB,
  task_run_id BLOB
) STRICT;

CREATE TABLE event (
  id BLOB NOT NULL PRIMARY KEY,
  occurred INTEGER NOT NULL,
  received INTEGER NOT NULL,
  event TEXT NOT NULL,
  event_resource_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  related TEXT NOT NULL,
  payload TEXT NOT NULL,
  follows BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE event_resource (
  event_id BLOB NOT NULL REFERENCES event (id) ON DELETE CASCADE,
  resource_name TEXT NOT NULL,
  role TEXT NOT NULL,
  labels TEXT NOT NULL,
  PRIMARY KEY (event_id, role, resource_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  key TEXT,
  type TEXT,
  description TEXT,
  data TEXT,
  metadata TEXT,
  flow_run_id BLOB,
  task_run_id BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact_collection (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  key TEXT NOT NULL UNIQUE,
  latest_id BLOB NOT NULL,
  type TEXT,
  description TEXT,
  data TEXT,
  metadata TEXT,
  flow_run_id BLOB,
  task_run_id BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE variable (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  value TEXT,
  tags TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX flow_run_key ON flow_run (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX flow_run_due ON flow_run (work_queue_id, next_scheduled_start_time) WHERE state_type = 'SCHEDULED';
CREATE INDEX flow_run_due_deployment ON flow_run (deployment_id, next_scheduled_start_time) WHERE state_type = 'SCHEDULED';
CREATE INDEX flow_run_next ON flow_run (next_scheduled_start_time) WHERE state_type = 'SCHEDULED';
CREATE INDEX flow_run_busy ON flow_run (work_queue_id) WHERE state_type IN ('PENDING', 'RUNNING');
CREATE INDEX flow_run_expected ON flow_run (expected_start_time, id);
CREATE INDEX flow_run_flow ON flow_run (flow_id, expected_start_time, id);
CREATE INDEX flow_run_deployment ON flow_run (deployment_id, expected_start_time, id) WHERE deployment_id IS NOT NULL;
CREATE INDEX flow_run_state_type ON flow_run (state_type, expected_start_time, id);
CREATE INDEX flow_run_name ON flow_run (name, id);
CREATE INDEX flow_run_parent ON flow_run (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL;
CREATE INDEX flow_run_tag_run ON flow_run_tag (flow_run_id);
CREATE INDEX run_lease_expires ON run_lease (expires);
CREATE INDEX run_lease_holder ON run_lease (holder);
CREATE INDEX task_run_of ON task_run (flow_run_id, id);
CREATE UNIQUE INDEX schedule_slug ON schedule (deployment_id, slug);
CREATE INDEX slot_lease_expires ON slot_lease (expires);
CREATE INDEX slot_lease_limit_lease ON slot_lease_limit (lease_id);
CREATE INDEX log_run_time ON log (flow_run_id, timestamp, id) WHERE flow_run_id IS NOT NULL;
CREATE INDEX log_run_seq ON log (flow_run_id, id) WHERE flow_run_id IS NOT NULL;
CREATE INDEX log_task_time ON log (task_run_id, timestamp) WHERE task_run_id IS NOT NULL;
CREATE INDEX event_occurred ON event (occurred, id);
CREATE INDEX event_of_resource ON event (event_resource_id, occurred);
CREATE INDEX artifact_key ON artifact (key);
CREATE INDEX artifact_flow_run ON artifact (flow_run_id) WHERE flow_run_id IS NOT NULL;

-- What a record is read with. The rows behind a view are its table's.
CREATE VIEW flow_run_full AS
SELECT r.*, s.message AS state_message, s.data AS state_data, s.state_details AS state_details,
  q.name AS work_queue_name, p.id AS work_pool_id, p.name AS work_pool_name
FROM flow_run r
LEFT JOIN flow_run_state s ON s.id = r.state_id
LEFT JOIN work_queue q ON q.id = r.work_queue_id
LEFT JOIN work_pool p ON p.id = q.work_pool_id;

CREATE VIEW task_run_full AS
SELECT t.*, s.message AS state_message, s.data AS state_data, s.state_details AS state_details
FROM task_run t
LEFT JOIN task_run_state s ON s.id = t.state_id;

CREATE VIEW deployment_full AS
SELECT d.*, f.name AS flow_name, q.name AS work_queue_name, p.id AS work_pool_id, p.name AS work_pool_name
FROM deployment d
JOIN flow f ON f.id = d.flow_id
LEFT JOIN work_queue q ON q.id = d.work_queue_id
LEFT JOIN work_pool p ON p.id = q.work_pool_id;

CREATE VIEW work_queue_full AS
SELECT q.*, p.name AS work_pool_name
FROM work_queue q
JOIN work_pool p ON p.id = q.work_pool_id;
