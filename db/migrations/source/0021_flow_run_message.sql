-- Which call of a flow has received an input that was sent to it as a message; NULL: none.
-- works with 10
ALTER TABLE flow_run_input ADD COLUMN received_by TEXT;
CREATE INDEX flow_run_input_waiting ON flow_run_input (flow_run_id, created, id) WHERE received_by IS NULL;
CREATE UNIQUE INDEX flow_run_input_received ON flow_run_input (flow_run_id, received_by) WHERE received_by IS NOT NULL;
