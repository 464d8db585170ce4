// Package api serves /api: the operations and websockets of Prefect 3.4.9, and
// beside them what that API has no word for. Each resource is a file that opens
// with its table of operations; op.go decodes, calls, encodes and maps errors
// once for all of them.
//
// Reads go straight to the store, writes through the use-cases of orchestrate.
package api
