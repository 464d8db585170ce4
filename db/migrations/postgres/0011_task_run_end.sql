-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- The task runs that ended last, without a look at all of them.
CREATE INDEX task_run_end ON task_run (end_time DESC NULLS LAST, id DESC) WHERE end_time IS NOT NULL;
