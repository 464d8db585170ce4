-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- What lists are sorted by, and what histories count, without a look at the
-- rows: those of a week are tens of thousands.
DROP INDEX flow_run_expected;
CREATE INDEX flow_run_expected ON flow_run (expected_start_time, id, state_type, state_name, start_time, total_run_time, state_timestamp, name);
CREATE INDEX flow_run_started ON flow_run (COALESCE(start_time, expected_start_time), id);
CREATE INDEX flow_run_end ON flow_run (end_time, id, state_type, expected_start_time, name);
CREATE INDEX task_run_expected ON task_run (expected_start_time, id, state_type, state_name, start_time, total_run_time, state_timestamp);
