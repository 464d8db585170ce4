// Package loops runs what must happen again and again: scheduling, late runs,
// expiry of pauses and leases, clean-up. A loop is a ticker around one sweep
// of orchestrate; it sweeps only while it holds its lease, so that of many
// servers one does the work.
//
// Import law: loops imports core and orchestrate.
package loops
