// Package chaostest breaks whatever can break under three servers and five
// workers, and then counts what was lost and what was done twice.
//
//	go test ./runtime/server/chaostest -run Chaos -v -chaos.for=10m -chaos.seed=7
package chaostest
