-- URLs that send one message to a flow run without other credentials. Of the token in
-- the URL, only the hash is readable; sealed has the encrypted token until it is used,
-- for a flow that asks for its URL again.
-- works with 10
CREATE TABLE flow_run_webhook (
  id UUID NOT NULL PRIMARY KEY,
  flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL UNIQUE,
  sealed TEXT NOT NULL,
  topic TEXT NOT NULL,
  description TEXT NOT NULL,
  value TEXT NOT NULL,
  created TIMESTAMPTZ NOT NULL,
  expires TIMESTAMPTZ NOT NULL,
  used TIMESTAMPTZ
);
CREATE INDEX flow_run_webhook_run ON flow_run_webhook (flow_run_id);
