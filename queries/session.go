package queries

import "strconv"

// PostgresSession sets up a session, as far as the database, its user, or the
// address has not done so: a statement whose client is gone ends within 10 s,
// and none takes longer than 5 minutes. Not every system can watch a client, and
// PostgreSQL before 14 cannot.
var PostgresSession = []string{
	`SELECT set_config('client_connection_check_interval', '10s', false)
WHERE current_setting('client_connection_check_interval', true) = '0'`,
	"SELECT set_config('statement_timeout', '5min', false) WHERE current_setting('statement_timeout') = '0'",
}

// SetSearchPath makes a schema, quoted, the only one that a session looks in.
const SetSearchPath = "SELECT set_config('search_path', $1, false)"

// HasNamespace is whether a schema exists, and MakeNamespace makes it.
const HasNamespace = "SELECT to_regnamespace($1) IS NOT NULL"

// MakeNamespace makes a schema. Its name, quoted, cannot be a parameter.
func MakeNamespace(quoted string) string { return "CREATE SCHEMA IF NOT EXISTS " + quoted }

// PatientTransaction lets the statements of a transaction take as long as they need.
const PatientTransaction = "SET LOCAL statement_timeout = 0"

// SQLitePages bounds what a connection of SQLite caches, in kB.
func SQLitePages(kB int) string {
	return InvalidatesNothing + "PRAGMA cache_size = -" + strconv.Itoa(kB)
}
