// Package out prints what commands answer: tables for people, JSON, YAML and
// names for programs. Data goes to Out and everything else to Err.
//
// Import law: out knows runtime/core and nothing else of flowlite.
package out
