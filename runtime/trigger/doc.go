// Package trigger matches events: against the triggers of automations, against the
// filters of live streams, and, to find automations that set themselves off,
// against events that a run would emit. No other package compares patterns with
// labels or event names, except the SQL of queries.
package trigger
