-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- With the columns of its expression in it, the index answers alone: SQLite
-- looked at the table for each run that a list by start skipped.
DROP INDEX flow_run_started;
CREATE INDEX flow_run_started ON flow_run (COALESCE(start_time, expected_start_time), id, start_time, expected_start_time);
