-- Generated from ../source by db/generate.sh. DO NOT EDIT.
-- The related resources of an event stand in its own row; a row for each of
-- them beside it made half of what an event costs to write. And the table has
-- rowids: the events of deployed runs are longer than the kilobyte that SQLite
-- keeps within a row otherwise, so each took a page of its own.
DROP TABLE event_resource;
CREATE TABLE event_rows (
  id BLOB NOT NULL PRIMARY KEY,
  occurred INTEGER NOT NULL,
  received INTEGER NOT NULL,
  event TEXT NOT NULL,
  event_resource_id TEXT NOT NULL,
  resource TEXT NOT NULL,
  related TEXT NOT NULL,
  payload TEXT NOT NULL,
  follows BLOB
) STRICT;
INSERT INTO event_rows (id, occurred, received, event, event_resource_id, resource, related, payload, follows)
SELECT id, occurred, received, event, event_resource_id, resource, related, payload, follows FROM event ORDER BY occurred;
DROP TABLE event;
ALTER TABLE event_rows RENAME TO event;
CREATE INDEX event_occurred ON event (occurred, id);
CREATE INDEX event_of_resource ON event (event_resource_id, occurred);
