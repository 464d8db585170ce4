-- Generated from ../source by db/generate.sh. DO NOT EDIT.

CREATE TABLE block_type (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  slug TEXT NOT NULL UNIQUE,
  logo_url TEXT,
  documentation_url TEXT,
  description TEXT,
  code_example TEXT,
  is_protected INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE block_schema (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  checksum TEXT NOT NULL,
  version TEXT NOT NULL,
  fields TEXT NOT NULL,
  capabilities TEXT NOT NULL,
  block_type_id BLOB NOT NULL REFERENCES block_type (id) ON DELETE CASCADE,
  UNIQUE (checksum, version)
) STRICT, WITHOUT ROWID;

-- sealed is the document's data, encrypted; see runtime/seal.
CREATE TABLE block_document (
  id BLOB NOT NULL PRIMARY KEY,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  name TEXT NOT NULL,
  sealed TEXT NOT NULL,
  block_schema_id BLOB NOT NULL REFERENCES block_schema (id) ON DELETE CASCADE,
  block_type_id BLOB NOT NULL REFERENCES block_type (id) ON DELETE CASCADE,
  is_anonymous INTEGER NOT NULL,
  UNIQUE (block_type_id, name)
) STRICT, WITHOUT ROWID;

-- name is the key of the parent's data under which the other document stands.
CREATE TABLE block_document_reference (
  parent_document_id BLOB NOT NULL REFERENCES block_document (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  reference_document_id BLOB NOT NULL REFERENCES block_document (id) ON DELETE CASCADE,
  PRIMARY KEY (parent_document_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX block_schema_type ON block_schema (block_type_id);
CREATE INDEX block_document_schema ON block_document (block_schema_id);
CREATE INDEX block_document_name ON block_document (name, id);
CREATE INDEX block_document_reference_to ON block_document_reference (reference_document_id);
