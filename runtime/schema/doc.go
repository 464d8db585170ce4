// Package schema makes the JSON schema of a flow's parameters from a Go struct,
// and checks parameters against a schema, Go's or Python's, with messages that
// name the parameter and the fix.
package schema
