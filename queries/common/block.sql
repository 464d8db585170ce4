-- name: InsertBlockType :exec
INSERT INTO block_type (id, created, updated, name, slug, logo_url, documentation_url, description, code_example, is_protected)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(slug), sqlc.narg(logo_url),
  sqlc.narg(documentation_url), sqlc.narg(description), sqlc.narg(code_example), sqlc.arg(is_protected));

-- name: UpdateBlockType :execrows
UPDATE block_type SET logo_url = sqlc.narg(logo_url), documentation_url = sqlc.narg(documentation_url),
  description = sqlc.narg(description), code_example = sqlc.narg(code_example), is_protected = sqlc.arg(is_protected),
  updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: GetBlockType :one
SELECT * FROM block_type WHERE id = sqlc.arg(id);

-- name: GetBlockTypeBySlug :one
SELECT * FROM block_type WHERE slug = sqlc.arg(slug);

-- name: DeleteBlockType :execrows
DELETE FROM block_type WHERE id = sqlc.arg(id);

-- name: InsertBlockSchema :exec
INSERT INTO block_schema (id, created, updated, checksum, version, fields, capabilities, block_type_id)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(checksum), sqlc.arg(version), sqlc.arg(fields),
  sqlc.arg(capabilities), sqlc.arg(block_type_id));

-- name: GetBlockSchema :one
SELECT * FROM block_schema WHERE id = sqlc.arg(id);

-- name: GetBlockSchemaByChecksum :one
SELECT * FROM block_schema WHERE checksum = sqlc.arg(checksum) ORDER BY created DESC, id DESC LIMIT 1;

-- name: GetBlockSchemaByVersion :one
SELECT * FROM block_schema WHERE checksum = sqlc.arg(checksum) AND version = sqlc.arg(version);

-- name: DeleteBlockSchema :execrows
DELETE FROM block_schema WHERE id = sqlc.arg(id);

-- name: ListBlockCapabilities :many
SELECT DISTINCT capabilities FROM block_schema;

-- name: InsertBlockDocument :exec
INSERT INTO block_document (id, created, updated, name, sealed, block_schema_id, block_type_id, is_anonymous)
VALUES (sqlc.arg(id), sqlc.arg(created), sqlc.arg(updated), sqlc.arg(name), sqlc.arg(sealed), sqlc.arg(block_schema_id),
  sqlc.arg(block_type_id), sqlc.arg(is_anonymous));

-- name: UpdateBlockDocument :execrows
UPDATE block_document SET sealed = sqlc.arg(sealed), block_schema_id = sqlc.arg(block_schema_id), updated = sqlc.arg(updated)
WHERE id = sqlc.arg(id);

-- name: ResealBlockDocument :execrows
UPDATE block_document SET sealed = sqlc.arg(sealed) WHERE id = sqlc.arg(id) AND sealed = sqlc.arg(was);

-- name: GetBlockDocumentID :one
SELECT d.id FROM block_document d JOIN block_type t ON t.id = d.block_type_id
WHERE t.slug = sqlc.arg(slug) AND d.name = sqlc.arg(name);

-- name: ListBlockDocumentsSealedOtherwise :many
SELECT id, sealed FROM block_document
WHERE substr(sealed, 1, length(CAST(sqlc.arg(prefix) AS TEXT))) <> CAST(sqlc.arg(prefix) AS TEXT) AND id > sqlc.arg(after_id)
ORDER BY id LIMIT CAST(sqlc.arg(lim) AS BIGINT);

-- name: DeleteBlockDocument :execrows
DELETE FROM block_document WHERE id = sqlc.arg(id);

-- name: InsertBlockReference :exec
INSERT INTO block_document_reference (parent_document_id, name, reference_document_id)
VALUES (sqlc.arg(parent_document_id), sqlc.arg(name), sqlc.arg(reference_document_id));

-- name: DeleteBlockReferences :exec
DELETE FROM block_document_reference WHERE parent_document_id = sqlc.arg(parent_document_id);
