package db

import (
	"cmp"
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func flowRunOf(r *row.FlowRunFull) *core.FlowRun {
	f := &core.FlowRun{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, FlowID: r.FlowID, StateID: r.StateID,
		DeploymentID: r.DeploymentID, DeploymentVersion: r.DeploymentVersion, WorkQueueID: r.WorkQueueID,
		FlowVersion: r.FlowVersion, Parameters: r.Parameters, IdempotencyKey: r.IdempotencyKey, Context: r.Context,
		EmpiricalPolicy: core.FlowRunPolicy{}, Tags: r.Tags, Labels: r.Labels, ParentTaskRunID: r.ParentTaskRunID,
		StateType: core.StateType(r.StateType), StateName: r.StateName, StateTimestamp: r.StateTimestamp,
		RunCount: r.RunCount, ExpectedStartTime: r.ExpectedStartTime, NextScheduledStartTime: r.NextScheduledStartTime,
		StartTime: r.StartTime, EndTime: r.EndTime, TotalRunTime: r.TotalRunTime, AutoScheduled: r.AutoScheduled,
		Recoveries: r.Recoveries, Priority: r.Priority, Slot: r.Slot, InfrastructureDocumentID: r.InfrastructureDocumentID,
		InfrastructurePID: r.InfrastructurePid, CreatedBy: ptrJSON[core.CreatedBy](r.CreatedBy),
		JobVariables: r.JobVariables, WorkQueueName: r.WorkQueueName, WorkPoolID: r.WorkPoolID, WorkPoolName: r.WorkPoolName,
	}
	decode(r.EmpiricalPolicy, &f.EmpiricalPolicy)
	if f.EmpiricalPolicy.PauseKeys == nil {
		f.EmpiricalPolicy.PauseKeys = []string{} // never null in JSON
	}
	f.State = newState(r.StateID, r.StateType, r.StateName, r.StateTimestamp, r.StateMessage, r.StateData, r.StateDetails)
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

// inProcess says whether the process that executes a run waits to retry it. Its
// policy still says so when the run was suspended since; a resumed run is anybody's.
func inProcess(f *core.FlowRun) bool {
	return core.Deref(f.EmpiricalPolicy.RetryType) == "in_process" && f.StateType == core.Scheduled && f.StateName == core.NameAwaitingRetry
}

func pauseTimeout(f *core.FlowRun) core.Time {
	if f.StateType == core.Paused && f.State != nil {
		return f.State.Details.PauseTimeout
	}
	return 0
}

func (t *tx) LockFlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error) {
	if t.d == queries.SQLite { // has one writer at a time
		if f := t.known().get(id); f != nil {
			return f, nil
		}
		f, err := t.FlowRun(ctx, id)
		if err == nil {
			t.runs.put(f)
		}
		return f, err
	}
	if _, err := t.later("Flow run", anyRows).LockFlowRun(ctx, row.LockFlowRunParams{ID: id}); err != nil {
		return nil, t.err(err, "Flow run")
	}
	return t.FlowRun(ctx, id)
}

func (t *tx) LockFlowRuns(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error) {
	if len(ids) > 0 && t.d == queries.Postgres {
		if err := t.later("Flow run", anyRows).exec(ctx, queries.LockFlowRuns(ids)); err != nil {
			return nil, t.err(err, "Flow run")
		}
		return t.FlowRunsByIDs(ctx, ids)
	}
	runs := make([]*core.FlowRun, 0, len(ids))
	for _, id := range ids {
		f, err := t.LockFlowRun(ctx, id)
		if core.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, f)
	}
	return runs, nil
}

func (t *tx) InsertFlowRun(ctx context.Context, f *core.FlowRun, past ...*core.State) (bool, error) {
	if err := readyFlowRun(f); err != nil {
		return false, err
	}
	q := t.q
	if f.IdempotencyKey == nil { // only a key may be taken
		q = t.later("Flow run", 1)
	}
	n, err := q.InsertFlowRun(ctx, insertFlowRun(f))
	if err != nil || n == 0 {
		return false, t.err(err, "Flow run")
	}
	if err := t.tagFlowRun(ctx, f); err != nil {
		return false, err
	}
	for _, s := range past {
		if err := t.insertFlowRunState(ctx, f.ID, s); err != nil {
			return false, err
		}
	}
	if f.State != nil {
		if err := t.insertFlowRunState(ctx, f.ID, f.State); err != nil {
			return false, err
		}
	}
	if t.runs != nil {
		t.known().inserted(f)
	}
	return true, nil
}

// readyFlowRun checks a run that is to be inserted, and fills in what follows from the rest.
func readyFlowRun(f *core.FlowRun) error {
	if err := cmp.Or(
		core.MaxFlowRunName.Check(f.Name),
		core.MaxFlowRunKey.CheckPtr(f.IdempotencyKey),
		core.MaxFlowRunTag.Check(f.Tags...),
	); err != nil {
		return err
	}
	stateColumns(f)
	f.IdempotencyKey = core.Given(f.IdempotencyKey)
	f.ExpectedStartTime = cmp.Or(f.ExpectedStartTime, f.Created) // its tags are kept by it
	return nil
}

func insertFlowRun(f *core.FlowRun) row.InsertFlowRunParams {
	return row.InsertFlowRunParams{
		ID: f.ID, Created: f.Created, Updated: f.Updated, Name: f.Name, FlowID: f.FlowID, StateID: f.StateID,
		DeploymentID: f.DeploymentID, DeploymentVersion: f.DeploymentVersion, WorkQueueID: f.WorkQueueID,
		FlowVersion: f.FlowVersion, Parameters: f.Parameters.OrObject(), IdempotencyKey: f.IdempotencyKey,
		Context: orNull(f.Context), EmpiricalPolicy: core.ToJSON(f.EmpiricalPolicy), Tags: f.Tags,
		Labels: f.Labels.OrObject(), ParentTaskRunID: f.ParentTaskRunID, StateType: string(f.StateType),
		StateName: f.StateName, StateTimestamp: f.StateTimestamp, RunCount: f.RunCount,
		ExpectedStartTime: f.ExpectedStartTime, NextScheduledStartTime: f.NextScheduledStartTime, StartTime: f.StartTime,
		EndTime: f.EndTime, TotalRunTime: f.TotalRunTime, AutoScheduled: f.AutoScheduled, InProcessRetry: inProcess(f),
		PauseTimeout: pauseTimeout(f), Recoveries: f.Recoveries, InfrastructureDocumentID: f.InfrastructureDocumentID,
		InfrastructurePid: f.InfrastructurePID, CreatedBy: jsonPtr(f.CreatedBy), JobVariables: orNull(f.JobVariables),
		Slot: f.Slot, Priority: f.Priority,
	}
}

// stateColumns copies a state into the run's columns.
func stateColumns(f *core.FlowRun) {
	if s := f.State; s != nil {
		f.StateID, f.StateType, f.StateName, f.StateTimestamp = s.ID, s.Type, s.Name, s.Timestamp
	}
}

func (t *tx) insertFlowRunState(ctx context.Context, id core.UUID, s *core.State) error {
	if err := core.MaxStateName.Check(s.Name); err != nil {
		return err
	}
	err := t.later("State of the flow run", 1).InsertFlowRunState(ctx, insertFlowRunState(id, s))
	return t.err(err, "State of the flow run")
}

func insertFlowRunState(id core.UUID, s *core.State) row.InsertFlowRunStateParams {
	return row.InsertFlowRunStateParams{
		ID: s.ID, FlowRunID: id, Type: string(s.Type), Name: s.Name, Timestamp: s.Timestamp,
		Message: s.Message, Data: s.Data, StateDetails: storedDetails(s.Details),
	}
}

func (t *tx) tagFlowRun(ctx context.Context, f *core.FlowRun) error {
	for _, tag := range f.Tags {
		if err := t.later(
			"Tag",
			anyRows,
		).InsertFlowRunTag(
			ctx,
			row.InsertFlowRunTagParams{Tag: tag, ExpectedStartTime: f.ExpectedStartTime, FlowRunID: f.ID},
		); err != nil {
			return t.err(err, "Tag")
		}
	}
	return nil
}

func (t *tx) UpdateFlowRun(ctx context.Context, f *core.FlowRun) error {
	if err := cmp.Or(core.MaxFlowRunName.Check(f.Name), core.MaxFlowRunTag.Check(f.Tags...)); err != nil {
		return err
	}
	delete(t.runs, f.ID)
	n, err := t.later("Flow run", 1).UpdateFlowRun(ctx, row.UpdateFlowRunParams{
		Name: f.Name, FlowVersion: f.FlowVersion, Parameters: f.Parameters.OrObject(),
		EmpiricalPolicy: core.ToJSON(f.EmpiricalPolicy), InProcessRetry: inProcess(f), Tags: f.Tags,
		Labels: f.Labels.OrObject(), InfrastructurePid: f.InfrastructurePID, JobVariables: orNull(f.JobVariables),
		Context: orNull(f.Context), Priority: f.Priority, Updated: f.Updated, ID: f.ID,
	})
	if err := t.one(n, err, "Flow run"); err != nil {
		return err
	}
	if err := t.later("Tag", anyRows).DeleteFlowRunTags(ctx, row.DeleteFlowRunTagsParams{FlowRunID: f.ID}); err != nil {
		return t.err(err, "Tag")
	}
	return t.tagFlowRun(ctx, f)
}

// SetFlowRunState leaves the expected start time, which a run has from its
// first state on: writing it would write half of the run's indexes again.
func (t *tx) SetFlowRunState(ctx context.Context, f *core.FlowRun) error {
	stateColumns(f)
	if f.State != nil {
		if err := t.insertFlowRunState(ctx, f.ID, f.State); err != nil {
			return err
		}
	}
	n, err := t.later("Flow run", 1).SetFlowRunState(ctx, setFlowRunState(f))
	if err = t.one(n, err, "Flow run"); err == nil && t.runs != nil {
		t.known().entered(f)
	}
	return err
}

func setFlowRunState(f *core.FlowRun) row.SetFlowRunStateParams {
	return row.SetFlowRunStateParams{
		StateID: f.StateID, StateType: string(f.StateType), StateName: f.StateName, StateTimestamp: f.StateTimestamp,
		RunCount: f.RunCount, NextScheduledStartTime: f.NextScheduledStartTime,
		StartTime: f.StartTime, EndTime: f.EndTime, TotalRunTime: f.TotalRunTime,
		EmpiricalPolicy: core.ToJSON(f.EmpiricalPolicy), InProcessRetry: inProcess(f), PauseTimeout: pauseTimeout(f),
		Recoveries: f.Recoveries, InfrastructurePid: f.InfrastructurePID, Updated: f.Updated, ID: f.ID,
	}
}

func (t *tx) DeleteFlowRun(ctx context.Context, id core.UUID) error {
	delete(t.runs, id)
	n, err := t.q.DeleteFlowRun(ctx, row.DeleteFlowRunParams{ID: id})
	if err := t.one(n, err, "Flow run"); err != nil {
		return err
	}
	_, err = t.q.DeleteFlowRunLogs(ctx, row.DeleteFlowRunLogsParams{FlowRunID: id})
	return t.err(err, "Log")
}

func (t *tx) DeleteScheduledRuns(ctx context.Context, deploymentID core.UUID) (int64, error) {
	n, err := t.q.DeleteScheduledRuns(ctx, row.DeleteScheduledRunsParams{DeploymentID: deploymentID})
	return n, t.err(err, "Flow run")
}

func (t *tx) DeletePlannedRun(ctx context.Context, id core.UUID) (bool, error) {
	n, err := t.q.DeletePlannedRun(ctx, row.DeletePlannedRunParams{ID: id})
	return n > 0, t.err(err, "Flow run")
}

func (t *tx) SetSlot(ctx context.Context, flowRunID core.UUID, slot string) error {
	delete(t.runs, flowRunID)
	return t.err(t.later("Flow run", anyRows).SetSlot(ctx, row.SetSlotParams{ID: flowRunID, Slot: &slot}), "Flow run")
}

func (t *tx) MoveScheduledRuns(ctx context.Context, deploymentID, from, to core.UUID) (int64, error) {
	n, err := t.q.MoveScheduledRuns(ctx, row.MoveScheduledRunsParams{DeploymentID: deploymentID, FromQueue: from, ToQueue: to})
	return n, t.err(err, "Flow run")
}
