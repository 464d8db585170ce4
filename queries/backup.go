package queries

// Texts of backup and restore of a SQLite file: see db.Backup.
const (
	VacuumInto      = "VACUUM INTO ?"
	IntegrityCheck  = "PRAGMA integrity_check(1)"
	ForeignKeyCheck = "PRAGMA foreign_key_check"
	Checkpoint      = "PRAGMA wal_checkpoint(TRUNCATE)"
)

// PostgresFacts are the bytes of a Postgres database and the version of its schema.
const PostgresFacts = "SELECT pg_database_size(current_database()), (SELECT COALESCE(MAX(version), 0) FROM schema_version)"
