-- only sqlite
-- Times are microseconds since the epoch, UTC; ids are 16 bytes, UUIDv7 where we make them.
-- both

CREATE TABLE flow (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL UNIQUE,
  tags JSONB NOT NULL,
  labels JSONB NOT NULL
);

CREATE TABLE work_pool (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL UNIQUE,
  description TEXT,
  type TEXT NOT NULL,
  base_job_template JSONB NOT NULL,
  is_paused BOOLEAN NOT NULL,
  concurrency_limit BIGINT,
  status TEXT,
  default_queue_id UUID,
  storage_configuration JSONB
);

CREATE TABLE work_queue (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  is_paused BOOLEAN NOT NULL,
  concurrency_limit BIGINT,
  priority BIGINT NOT NULL,
  work_pool_id UUID NOT NULL REFERENCES work_pool (id) ON DELETE CASCADE,
  queue_filter JSONB,
  last_polled TIMESTAMPTZ,
  status TEXT,
  UNIQUE (work_pool_id, name)
);

CREATE TABLE worker (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  work_pool_id UUID NOT NULL REFERENCES work_pool (id) ON DELETE CASCADE,
  last_heartbeat_time TIMESTAMPTZ,
  heartbeat_interval_seconds BIGINT,
  status TEXT NOT NULL,
  UNIQUE (work_pool_id, name)
);

CREATE TABLE global_limit (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL UNIQUE,
  active BOOLEAN NOT NULL,
  slot_limit BIGINT NOT NULL,
  active_slots BIGINT NOT NULL,
  denied_slots BIGINT NOT NULL,
  slot_decay_per_second DOUBLE PRECISION NOT NULL,
  avg_slot_occupancy_seconds DOUBLE PRECISION NOT NULL
);

CREATE TABLE slot_lease (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  expires TIMESTAMPTZ NOT NULL,
  slots BIGINT NOT NULL,
  holder_info JSONB
);

CREATE TABLE slot_lease_limit (
  lease_id UUID NOT NULL REFERENCES slot_lease (id) ON DELETE CASCADE,
  limit_id UUID NOT NULL REFERENCES global_limit (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  PRIMARY KEY (limit_id, lease_id)
);

CREATE TABLE deployment (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  version TEXT,
  description TEXT,
  flow_id UUID NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
  paused BOOLEAN NOT NULL,
  concurrency_limit_id UUID REFERENCES global_limit (id) ON DELETE SET NULL,
  concurrency_options JSONB,
  job_variables JSONB NOT NULL,
  parameters JSONB NOT NULL,
  tags JSONB NOT NULL,
  labels JSONB NOT NULL,
  work_queue_id UUID REFERENCES work_queue (id) ON DELETE SET NULL,
  last_polled TIMESTAMPTZ,
  parameter_openapi_schema JSONB,
  path TEXT,
  pull_steps JSONB,
  entrypoint TEXT,
  storage_document_id UUID,
  infrastructure_document_id UUID,
  created_by JSONB,
  updated_by JSONB,
  status TEXT NOT NULL,
  enforce_parameter_schema BOOLEAN NOT NULL,
  UNIQUE (flow_id, name)
);

CREATE TABLE schedule (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  deployment_id UUID NOT NULL REFERENCES deployment (id) ON DELETE CASCADE,
  rule JSONB NOT NULL,
  active BOOLEAN NOT NULL,
  max_scheduled_runs BIGINT,
  parameters JSONB NOT NULL,
  slug TEXT
);

CREATE TABLE flow_run (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  flow_id UUID NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
  state_id UUID,
  deployment_id UUID,
  deployment_version TEXT,
  work_queue_id UUID REFERENCES work_queue (id) ON DELETE SET NULL,
  flow_version TEXT,
  parameters JSONB NOT NULL,
  idempotency_key TEXT,
  context JSONB,
  empirical_policy JSONB NOT NULL,
  tags JSONB NOT NULL,
  labels JSONB NOT NULL,
  parent_task_run_id UUID,
  state_type TEXT NOT NULL,
  state_name TEXT NOT NULL,
  state_timestamp TIMESTAMPTZ,
  run_count BIGINT NOT NULL,
  expected_start_time TIMESTAMPTZ,
  next_scheduled_start_time TIMESTAMPTZ,
  start_time TIMESTAMPTZ,
  end_time TIMESTAMPTZ,
  total_run_time DOUBLE PRECISION NOT NULL,
  auto_scheduled BOOLEAN NOT NULL,
  in_process_retry BOOLEAN NOT NULL,
  pause_timeout TIMESTAMPTZ,
  recoveries BIGINT NOT NULL,
  infrastructure_document_id UUID,
  infrastructure_pid TEXT,
  created_by JSONB,
  job_variables JSONB
);

CREATE TABLE flow_run_tag (
  tag TEXT NOT NULL,
  flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  PRIMARY KEY (tag, flow_run_id)
);

CREATE TABLE flow_run_state (
  id UUID PRIMARY KEY,
  flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  timestamp TIMESTAMPTZ NOT NULL,
  message TEXT,
  data JSONB,
  state_details JSONB NOT NULL,
  UNIQUE (flow_run_id, timestamp)
);

CREATE TABLE flow_run_input (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  sender TEXT,
  UNIQUE (flow_run_id, key)
);

CREATE TABLE run_lease (
  flow_run_id UUID PRIMARY KEY REFERENCES flow_run (id) ON DELETE CASCADE,
  holder UUID NOT NULL,
  worker TEXT NOT NULL,
  token UUID NOT NULL,
  expires TIMESTAMPTZ NOT NULL
);

CREATE TABLE task_run (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  flow_run_id UUID REFERENCES flow_run (id) ON DELETE CASCADE,
  task_key TEXT NOT NULL,
  dynamic_key TEXT NOT NULL,
  cache_key TEXT,
  cache_expiration TIMESTAMPTZ,
  task_version TEXT,
  empirical_policy JSONB NOT NULL,
  tags JSONB NOT NULL,
  labels JSONB NOT NULL,
  state_id UUID,
  task_inputs JSONB NOT NULL,
  state_type TEXT NOT NULL,
  state_name TEXT NOT NULL,
  state_timestamp TIMESTAMPTZ,
  run_count BIGINT NOT NULL,
  flow_run_run_count BIGINT NOT NULL,
  expected_start_time TIMESTAMPTZ,
  next_scheduled_start_time TIMESTAMPTZ,
  start_time TIMESTAMPTZ,
  end_time TIMESTAMPTZ,
  total_run_time DOUBLE PRECISION NOT NULL,
  UNIQUE (flow_run_id, task_key, dynamic_key)
);

CREATE TABLE task_run_state (
  id UUID PRIMARY KEY,
  task_run_id UUID NOT NULL REFERENCES task_run (id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  timestamp TIMESTAMPTZ NOT NULL,
  message TEXT,
  data JSONB,
  state_details JSONB NOT NULL,
  UNIQUE (task_run_id, timestamp)
);

CREATE TABLE task_run_cache (
  cache_key TEXT PRIMARY KEY,
  cache_expiration TIMESTAMPTZ,
  cached_state JSONB NOT NULL
);

CREATE TABLE log (
-- only postgres
  id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
-- only sqlite
  id INTEGER PRIMARY KEY,
-- both
  log_id UUID NOT NULL,
  created TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  level BIGINT NOT NULL,
  message TEXT NOT NULL,
  timestamp TIMESTAMPTZ NOT NULL,
  flow_run_id UUID,
  task_run_id UUID
-- only postgres
);
-- only sqlite
) STRICT;
-- both

CREATE TABLE event (
  id UUID PRIMARY KEY,
  occurred TIMESTAMPTZ NOT NULL,
  received TIMESTAMPTZ NOT NULL,
  event TEXT NOT NULL,
  event_resource_id TEXT NOT NULL,
  resource JSONB NOT NULL,
  related JSONB NOT NULL,
  payload JSONB NOT NULL,
  follows UUID
);

CREATE TABLE event_resource (
  event_id UUID NOT NULL REFERENCES event (id) ON DELETE CASCADE,
  resource_name TEXT NOT NULL,
  role TEXT NOT NULL,
  labels JSONB NOT NULL,
  PRIMARY KEY (event_id, role, resource_name)
);

CREATE TABLE artifact (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  key TEXT,
  type TEXT,
  description TEXT,
  data JSONB,
  metadata JSONB,
  flow_run_id UUID,
  task_run_id UUID
);

CREATE TABLE artifact_collection (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  key TEXT NOT NULL UNIQUE,
  latest_id UUID NOT NULL,
  type TEXT,
  description TEXT,
  data JSONB,
  metadata JSONB,
  flow_run_id UUID,
  task_run_id UUID
);

CREATE TABLE variable (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL UNIQUE,
  value JSONB,
  tags JSONB NOT NULL
);

CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value JSONB NOT NULL
);

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
-- only postgres
CREATE INDEX event_resource_name ON event_resource (resource_name, event_id);
-- both
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
