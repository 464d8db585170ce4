package queries

import "strings"

// Texts of a copy from database to database: see db.Copy.

// Columns are table, column, type as the engine writes it and place in the
// primary key (0: none), of all tables that hold data of ours.
func Columns(d Dialect) string {
	if d == Postgres {
		return `SELECT c.relname, a.attname, format_type(a.atttypid, NULL), CAST(COALESCE(array_position(CAST(i.indkey AS INT2[]), a.attnum), -1) + 1 AS BIGINT)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('schema_version', 'flowlite_start') ORDER BY c.relname, a.attnum`
	}
	return `SELECT m.name, c.name, lower(c.type), c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY m.name, c.cid`
}

// References are table and table that it refers to.
func References(d Dialect) string {
	if d == Postgres {
		return `SELECT c.relname, p.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace ORDER BY c.relname, p.relname`
	}
	return `SELECT m.name, f."table" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1, 2`
}

// Place tells databases apart, by whatever name they are reached; Postgres only.
const Place = "SELECT current_database() || ' ' || current_schema() || ' ' || pg_postmaster_start_time() || ' ' || COALESCE(inet_server_port(), 0)"

// Sequences sets those of Postgres after the rows that brought their own numbers.
const Sequences = `SELECT format('SELECT setval(%L, COALESCE((SELECT MAX(%I) FROM %I), 0) + 1, false)', pg_get_serial_sequence(format('%I', c.relname), a.attname), a.attname, c.relname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND pg_get_serial_sequence(format('%I', c.relname), a.attname) IS NOT NULL ORDER BY 1`

// CountRows is how many rows a table has.
func CountRows(table string) string { return "SELECT COUNT(*) FROM " + ident(table) }

// AllRows are a table's, in the order of key where it has one.
func AllRows(table string, columns, key []string) string {
	text := "SELECT " + idents(columns) + " FROM " + ident(table)
	if len(key) > 0 {
		text += " ORDER BY " + idents(key)
	}
	return text
}

func idents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = ident(n)
	}
	return strings.Join(quoted, ",")
}
