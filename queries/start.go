package queries

// StartTable has the runs that programs started within transactions of their own,
// until they are created. Both engines take its statements: a program's transaction
// has whatever driver, search path, and types the program gave it.
const StartTable = "flowlite_start"

// Start are the statements for the table of that name, qualified as its place
// needs it.
type Start struct{ Make, Put, Get, Due, Later, Delete string }

// StartIn are the statements for the table in a schema, quoted.
func StartIn(schema string) Start {
	table := schema + "." + StartTable
	return Start{
		Make: "CREATE TABLE IF NOT EXISTS " + table +
			" (id TEXT PRIMARY KEY, deployment_id TEXT NOT NULL, body TEXT NOT NULL, due BIGINT NOT NULL)",
		Put:    "INSERT INTO " + table + " (id, deployment_id, body, due) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
		Get:    "SELECT id, deployment_id, body FROM " + table + " WHERE id = $1",
		Due:    "SELECT id, deployment_id, body FROM " + table + " WHERE due <= $1 ORDER BY due, id LIMIT $2",
		Later:  "UPDATE " + table + " SET due = $1 WHERE id = $2",
		Delete: "DELETE FROM " + table + " WHERE id = $1",
	}
}

// SQLiteBusyTimeout is how long a connection waits for another one's lock, in
// milliseconds.
const SQLiteBusyTimeout = "PRAGMA busy_timeout"

// CurrentSchema is the schema, quoted, that has the tables of a PostgreSQL database.
const CurrentSchema = "SELECT quote_ident(current_schema())"
