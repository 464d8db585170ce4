// Package worker takes runs from one pool and executes them in processes.
//
// A Worker polls (the poll waits on the server's side, so a run starts when it
// is created, not at the next tick), launches each claim, renews the leases of
// what it runs, ships the processes' output as logs, cancels what it is told
// to, and reports processes that ended without saying how the run stands. It
// keeps its runs while the server is away.
package worker
