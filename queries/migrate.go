package queries

// SchemaVersion is how many migrations were run.
func SchemaVersion(d Dialect) string {
	if d == Postgres {
		return "SELECT COALESCE(MAX(version), 0) FROM schema_version"
	}
	return "PRAGMA user_version"
}

// The table of the schema's version on Postgres. works_with came after the
// table: a program that migrates adds it.
const (
	MakeSchemaVersion  = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)"
	WidenSchemaVersion = "ALTER TABLE schema_version ADD COLUMN IF NOT EXISTS works_with BIGINT"
	AddSchemaVersion   = "INSERT INTO schema_version (version, works_with) VALUES ($1, $2)"
	SchemaWorksWith    = "SELECT COALESCE(works_with, version) FROM schema_version WHERE version = $1"
)

// HasSchema is whether the schema holds the table of its version; Postgres only.
const HasSchema = "SELECT to_regclass('schema_version') IS NOT NULL"

// LockMigrations keeps servers that start together from migrating together,
// until its transaction ends; Postgres only.
const LockMigrations = "SELECT pg_advisory_xact_lock(1718382455)"
