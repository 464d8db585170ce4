// Package flows holds sample flows to run, read and copy. `flowlite up` in the
// folder above deploys them.
package flows
