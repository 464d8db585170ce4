// Package client speaks to a flowlite (or Prefect) server over HTTP. Its
// Client is core.Orchestrator for engines and workers in other processes, and
// has the reads and verbs that the command line needs.
package client
