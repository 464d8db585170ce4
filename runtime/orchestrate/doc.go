// Package orchestrate has the use cases of runs, deployments, and work pools, and is
// the only writer of states.
//
// A state change is one transaction: it reads the run and the facts that the
// proposed transition needs, lets package rules decide, and writes run, state, and
// event. Only after the commit is anything published, so that a listener can read
// what it is told of.
package orchestrate
