// Package rules decides on proposed states of runs. It is pure: a decision
// depends on the run, the proposal, and the facts that the caller has loaded, and
// changes nothing in the database.
//
// flow.go, task.go, and lease.go have the tables of rules; apply.go moves a run to
// the state that was decided.
package rules
