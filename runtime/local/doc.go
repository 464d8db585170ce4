// Package local wires the use cases of one process on a database and a bus. Its
// Service is core.Orchestrator without a network between.
package local
