-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- works with 10
-- Tags are kept by time, so that the runs of a span that have a tag are read
-- without a look at those that have not. A run's expected start never changes.
-- The trigger fills in what a server of an older version does not know of.
ALTER TABLE flow_run_tag ADD COLUMN expected_start_time TIMESTAMPTZ;
CREATE OR REPLACE FUNCTION flow_run_tag_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT COALESCE(r.expected_start_time, r.created) INTO NEW.expected_start_time FROM flow_run r WHERE r.id = NEW.flow_run_id;
  RETURN NEW;
END $$;
CREATE TRIGGER flow_run_tag_time BEFORE INSERT ON flow_run_tag FOR EACH ROW
  WHEN (NEW.expected_start_time IS NULL) EXECUTE FUNCTION flow_run_tag_time();
