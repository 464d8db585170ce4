-- Generated from ../source by db/generate.sh. DO NOT EDIT.
CREATE TABLE automation (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  is_enabled INTEGER NOT NULL,
  tags TEXT NOT NULL,
  trigger_spec TEXT NOT NULL,
  actions TEXT NOT NULL,
  actions_on_trigger TEXT NOT NULL,
  actions_on_resolve TEXT NOT NULL,
  owner_resource TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX automation_owner ON automation (owner_resource) WHERE owner_resource <> '';

-- The events that a trigger may care for, until they have been looked at.
CREATE TABLE automation_event (
  event_id BLOB NOT NULL PRIMARY KEY,
  occurred INTEGER NOT NULL,
  due_time INTEGER NOT NULL,
  attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX automation_event_due ON automation_event (due_time);

CREATE TABLE automation_bucket (
  automation_id BLOB NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
  trigger_id BLOB NOT NULL,
  bucketing_key TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  event_count INTEGER NOT NULL,
  last_event TEXT,
  PRIMARY KEY (trigger_id, bucketing_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX automation_bucket_end ON automation_bucket (end_time);
CREATE INDEX automation_bucket_automation ON automation_bucket (automation_id);

CREATE TABLE automation_child_firing (
  automation_id BLOB NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
  parent_id BLOB NOT NULL,
  trigger_id BLOB NOT NULL,
  fired_time INTEGER NOT NULL,
  firing TEXT NOT NULL,
  PRIMARY KEY (parent_id, trigger_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX automation_child_firing_automation ON automation_child_firing (automation_id);

-- What firings still have to do.
CREATE TABLE automation_action (
  id BLOB NOT NULL PRIMARY KEY,
  automation_id BLOB NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
  action_index INTEGER NOT NULL,
  action TEXT NOT NULL,
  firing TEXT NOT NULL,
  triggered_time INTEGER NOT NULL,
  due_time INTEGER NOT NULL,
  attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX automation_action_due ON automation_action (due_time);
CREATE INDEX automation_action_automation ON automation_action (automation_id);
