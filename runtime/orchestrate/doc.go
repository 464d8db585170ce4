// Package orchestrate has the use-cases and is the only writer of states.
//
// A state change is one transaction: read the run and the facts that the asked
// transition needs, let the pure rules decide (rules.go has the tables), write
// run, state and event. Only after the commit is anything published, so what a
// listener hears is already readable. Service implements core.Orchestrator for
// engines and workers in the same process; package client does over HTTP.
//
// Import law: orchestrate imports core, schedule and schema; never db, bus or a
// transport.
package orchestrate
