-- What the lists of artifacts, and the history of a key, are ordered by.
CREATE INDEX artifact_created ON artifact (created, id);
DROP INDEX artifact_key;
CREATE INDEX artifact_key ON artifact (key, created, id);
CREATE INDEX artifact_collection_updated ON artifact_collection (updated, id);
