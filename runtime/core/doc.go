// Package core is the leaf of the house: the domain's records, states,
// filters, events and errors, and the ports (Store, Bus, Liveness,
// Orchestrator) that the other packages implement or use.
//
// Records carry the JSON names of the API (Prefect 3.4.9), so that a record is
// its own response body. The zero UUID and the zero Time are SQL NULL and JSON
// null; nullable text is *string.
package core
