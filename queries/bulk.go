package queries

import "strings"

// Texts of a bulk load: see db.Bulk. Each answers or takes rows of names and
// definitions as the engine itself writes them.

// Tables are the names of all tables that hold data of ours.
func Tables(d Dialect) string {
	if d == Postgres {
		return "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN ('schema_version', 'flowlite_start') ORDER BY tablename"
	}
	return "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
}

// AnyRow is whether a table holds a row.
func AnyRow(table string) string { return "SELECT EXISTS (SELECT 1 FROM " + ident(table) + ")" }

// Secondary are name and definition of the indexes that no constraint needs.
func Secondary(d Dialect) string {
	if d == Postgres {
		return `SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY c.relname`
	}
	return "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
}

// ForeignKeys are how each is dropped and how it is made again; Postgres only.
const ForeignKeys = `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY conname`

func DropIndex(name string) string { return "DROP INDEX " + ident(name) }

// BulkInsert is SQLite's insert of one row.
func BulkInsert(table string, columns []string) string {
	return "INSERT INTO " + ident(table) + " (" + idents(columns) + ") VALUES (?" + strings.Repeat(",?", len(columns)-1) + ")"
}

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
