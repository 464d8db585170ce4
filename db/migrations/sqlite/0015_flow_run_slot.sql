-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- Which schedule a run was planned for: its slug or its rule. Runs of older
-- versions have none.
ALTER TABLE flow_run ADD COLUMN slot TEXT;
