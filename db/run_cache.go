package db

import (
	"slices"
	"strings"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// runCache holds flow runs as the writer of a SQLite file last saw them. Each
// state change reads its run first, and reading the joined row costs as much as
// writing it. Only the writer looks here, and nobody else writes the file, so
// what was read stays true until a statement of our own changes it.
type runCache map[core.UUID]*core.FlowRun

// maxRuns bounds the cache; a run leaves it with its final state anyhow.
const maxRuns = 4096

// invalidatesRuns reports whether a statement of the writer makes cached runs
// stale. A query of queries/*.sql declares it in its "-- invalidates:" line; those
// that say "flow_run by id" have a caller that updates the cache. Other writes
// invalidate unless they begin with queries.InvalidatesNothing or InvalidatesByID.
func invalidatesRuns(text string) bool {
	if name, ok := strings.CutPrefix(text, "-- name: "); ok {
		name, _, _ = strings.Cut(name, " ")
		return row.Invalidates[name] == "flow_run"
	}
	for _, control := range []string{"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", queries.InvalidatesNothing, queries.InvalidatesByID} {
		if strings.HasPrefix(text, control) {
			return false
		}
	}
	return !reads(text)
}

func (c runCache) get(id core.UUID) *core.FlowRun {
	f := c[id]
	if f == nil {
		return nil
	}
	f = copyRun(f)
	f.EstimatedRunTime, f.EstimatedStartTimeDelta = estimates(
		core.Now(),
		f.StateType,
		f.StateTimestamp,
		f.ExpectedStartTime,
		f.StartTime,
		f.TotalRunTime,
	)
	return f
}

// put keeps a run as it is read from the database.
func (c runCache) put(f *core.FlowRun) {
	if f.StateType.Final() {
		return
	}
	if len(c) >= maxRuns {
		clear(c)
	}
	c[f.ID] = copyRun(f)
}

// inserted keeps a new run, if all that a reader would see is known of it.
func (c runCache) inserted(f *core.FlowRun) {
	if !f.WorkQueueID.IsZero() && (f.WorkQueueName == nil || f.WorkPoolName == nil) {
		return
	}
	r := *f
	r.Parameters, r.Labels = f.Parameters.OrObject(), f.Labels.OrObject()
	r.Context, r.JobVariables = orNull(f.Context), orNull(f.JobVariables)
	c.put(&r)
}

// entered takes over what SetFlowRunState wrote, and nothing else of f.
func (c runCache) entered(f *core.FlowRun) {
	r := c[f.ID]
	if r == nil {
		return
	}
	if f.State == nil || f.StateType.Final() {
		delete(c, f.ID)
		return
	}
	state := *f.State
	r.StateID, r.StateType, r.StateName, r.StateTimestamp = f.StateID, f.StateType, f.StateName, f.StateTimestamp
	r.RunCount, r.NextScheduledStartTime, r.StartTime, r.EndTime = f.RunCount, f.NextScheduledStartTime, f.StartTime, f.EndTime
	r.TotalRunTime, r.EmpiricalPolicy, r.Recoveries = f.TotalRunTime, clonePolicy(f.EmpiricalPolicy), f.Recoveries
	r.InfrastructurePID, r.Updated, r.State = f.InfrastructurePID, f.Updated, &state
}

// copyRun shares only what nobody changes in place.
func copyRun(f *core.FlowRun) *core.FlowRun {
	r := *f
	if f.State != nil {
		s := *f.State
		r.State = &s
	}
	r.EmpiricalPolicy = clonePolicy(f.EmpiricalPolicy)
	return &r
}

func clonePolicy(p core.FlowRunPolicy) core.FlowRunPolicy {
	if p.PauseKeys = slices.Clone(p.PauseKeys); p.PauseKeys == nil {
		p.PauseKeys = []string{} // as it is read
	}
	return p
}
