-- What ended since is asked for by every look at the dashboard and the runs.
CREATE INDEX flow_run_end ON flow_run (end_time, id) WHERE end_time IS NOT NULL;
