-- Slots that a client took without a lease are rows as well (is_counted): they
-- return when they are given back, or when what holds them has ended.
ALTER TABLE slot_lease ADD COLUMN is_counted BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE slot_lease ADD COLUMN holder_type TEXT;
ALTER TABLE slot_lease ADD COLUMN holder_id UUID;
ALTER TABLE slot_lease ADD COLUMN client_id UUID;

CREATE INDEX slot_lease_holder ON slot_lease (holder_id) WHERE holder_id IS NOT NULL;
CREATE INDEX slot_lease_client ON slot_lease (client_id) WHERE client_id IS NOT NULL;
CREATE INDEX deployment_limit ON deployment (concurrency_limit_id) WHERE concurrency_limit_id IS NOT NULL;
