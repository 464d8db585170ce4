// Package server puts the roles together into one process (database, use-cases,
// loops, API, UI, the co-located worker and the flows folder) and starts and
// stops them in order: a failed start undoes what was begun, a stop ends intake
// first, then lets runs finish while the API still answers them, and closes
// the database last.
package server
