// Package engine executes Go flows: it walks a flow run through its states,
// runs its tasks with retries, timeouts and caching, and writes every outcome
// down before the flow goes on, so that a run whose process died continues
// where it stood. Flows and tasks are erased to JSON here; the root package
// gives them types.
package engine
