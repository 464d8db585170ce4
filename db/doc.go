// Package db is the one Store, for SQLite and for Postgres: reads and writes
// are written once over row.Querier, which sqlc generates for both engines;
// sqlite.go and postgres.go hold what differs, the transaction.
package db
