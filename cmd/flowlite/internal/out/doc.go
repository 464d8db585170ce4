// Package out prints what commands answer: tables for people, JSON, YAML and
// names for programs. Data goes to Out and everything else to Err.
package out
