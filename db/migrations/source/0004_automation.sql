CREATE TABLE automation (
  id UUID PRIMARY KEY,
  created TIMESTAMPTZ NOT NULL,
  updated TIMESTAMPTZ NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  is_enabled BOOLEAN NOT NULL,
  tags JSONB NOT NULL,
  trigger_spec JSONB NOT NULL,
  actions JSONB NOT NULL,
  actions_on_trigger JSONB NOT NULL,
  actions_on_resolve JSONB NOT NULL,
  owner_resource TEXT NOT NULL
);
CREATE INDEX automation_owner ON automation (owner_resource) WHERE owner_resource <> '';

-- The events that a trigger may care for, until they have been looked at.
CREATE TABLE automation_event (
  event_id UUID PRIMARY KEY,
  occurred TIMESTAMPTZ NOT NULL,
  due_time TIMESTAMPTZ NOT NULL,
  attempts BIGINT NOT NULL
);
CREATE INDEX automation_event_due ON automation_event (due_time);

CREATE TABLE automation_bucket (
  automation_id UUID NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
  trigger_id UUID NOT NULL,
  bucketing_key TEXT NOT NULL,
  start_time TIMESTAMPTZ NOT NULL,
  end_time TIMESTAMPTZ NOT NULL,
  event_count BIGINT NOT NULL,
  last_event JSONB,
  PRIMARY KEY (trigger_id, bucketing_key)
);
CREATE INDEX automation_bucket_end ON automation_bucket (end_time);
CREATE INDEX automation_bucket_automation ON automation_bucket (automation_id);

CREATE TABLE automation_child_firing (
  automation_id UUID NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
  parent_id UUID NOT NULL,
  trigger_id UUID NOT NULL,
  fired_time TIMESTAMPTZ NOT NULL,
  firing JSONB NOT NULL,
  PRIMARY KEY (parent_id, trigger_id)
);
CREATE INDEX automation_child_firing_automation ON automation_child_firing (automation_id);

-- What firings still have to do.
CREATE TABLE automation_action (
  id UUID PRIMARY KEY,
  automation_id UUID NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
  action_index BIGINT NOT NULL,
  action JSONB NOT NULL,
  firing JSONB NOT NULL,
  triggered_time TIMESTAMPTZ NOT NULL,
  due_time TIMESTAMPTZ NOT NULL,
  attempts BIGINT NOT NULL
);
CREATE INDEX automation_action_due ON automation_action (due_time);
CREATE INDEX automation_action_automation ON automation_action (automation_id);
