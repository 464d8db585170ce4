package queries

// Texts of backup and restore of a SQLite file: see db.Backup.
const (
	VacuumInto      = "VACUUM INTO ?"
	IntegrityCheck  = "PRAGMA integrity_check(1)"
	ForeignKeyCheck = "PRAGMA foreign_key_check"
	Checkpoint      = "PRAGMA wal_checkpoint(TRUNCATE)"
)
