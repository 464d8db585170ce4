// Package importer copies what a Prefect server holds to a flowlite server,
// through the API that both speak. It imports core alone; a record that stands
// under its name on the target already is kept as it is there, so that an
// import may be repeated and may be broken off.
package importer
