package db

import (
	"context"
	"encoding/json"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func taskRunOf(r *row.TaskRunFull) *core.TaskRun {
	t := &core.TaskRun{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, FlowRunID: r.FlowRunID, TaskKey: r.TaskKey,
		DynamicKey: r.DynamicKey, CacheKey: r.CacheKey, CacheExpiration: r.CacheExpiration, TaskVersion: r.TaskVersion,
		EmpiricalPolicy: core.TaskRunPolicy{}, Tags: r.Tags, Labels: r.Labels, StateID: r.StateID, TaskInputs: r.TaskInputs,
		StateType: core.StateType(r.StateType), StateName: r.StateName, StateTimestamp: r.StateTimestamp,
		RunCount: r.RunCount, FlowRunRunCount: r.FlowRunRunCount, ExpectedStartTime: r.ExpectedStartTime,
		NextScheduledStartTime: r.NextScheduledStartTime, StartTime: r.StartTime, EndTime: r.EndTime,
		TotalRunTime: r.TotalRunTime,
	}
	decode(r.EmpiricalPolicy, &t.EmpiricalPolicy)
	t.State = newState(r.StateID, r.StateType, r.StateName, r.StateTimestamp, r.StateMessage, r.StateData, r.StateDetails)
	t.EstimatedRunTime, t.EstimatedStartTimeDelta = estimates(
		core.Now(),
		t.StateType,
		t.StateTimestamp,
		t.ExpectedStartTime,
		t.StartTime,
		t.TotalRunTime,
	)
	return t
}

func insertTaskRun(r *core.TaskRun) row.InsertTaskRunParams {
	return row.InsertTaskRunParams{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, FlowRunID: r.FlowRunID, TaskKey: r.TaskKey,
		DynamicKey: r.DynamicKey, CacheKey: r.CacheKey, CacheExpiration: r.CacheExpiration, TaskVersion: r.TaskVersion,
		EmpiricalPolicy: core.ToJSON(r.EmpiricalPolicy), Tags: r.Tags, Labels: r.Labels.OrObject(), StateID: r.StateID,
		TaskInputs: r.TaskInputs.OrObject(), StateType: string(r.StateType), StateName: r.StateName,
		StateTimestamp: r.StateTimestamp, RunCount: r.RunCount, FlowRunRunCount: r.FlowRunRunCount,
		ExpectedStartTime: r.ExpectedStartTime, NextScheduledStartTime: r.NextScheduledStartTime, StartTime: r.StartTime,
		EndTime: r.EndTime, TotalRunTime: r.TotalRunTime,
	}
}

func taskStateColumns(r *core.TaskRun) {
	if s := r.State; s != nil {
		r.StateID, r.StateType, r.StateName, r.StateTimestamp = s.ID, s.Type, s.Name, s.Timestamp
	}
}

func insertTaskRunState(id core.UUID, s *core.State) row.InsertTaskRunStateParams {
	return row.InsertTaskRunStateParams{
		ID: s.ID, TaskRunID: id, Type: string(s.Type), Name: s.Name, Timestamp: s.Timestamp,
		Message: s.Message, Data: s.Data, StateDetails: storedDetails(s.Details),
	}
}

func (t *tx) LockTaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error) {
	if t.d == queries.SQLite { // has one writer at a time
		return t.TaskRun(ctx, id)
	}
	if _, err := t.later("Task run", anyRows).LockTaskRun(ctx, row.LockTaskRunParams{ID: id}); err != nil {
		return nil, t.err(err, "Task run")
	}
	return t.TaskRun(ctx, id)
}

func (t *tx) InsertTaskRun(ctx context.Context, r *core.TaskRun) (bool, error) {
	if err := r.Check(); err != nil {
		return false, err
	}
	taskStateColumns(r)
	n, err := t.q.InsertTaskRun(ctx, insertTaskRun(r))
	if err != nil || n == 0 {
		return false, t.err(err, "Task run")
	}
	if r.State != nil {
		return true, t.err(
			t.later("State of the task run", 1).InsertTaskRunState(ctx, insertTaskRunState(r.ID, r.State)),
			"State of the task run",
		)
	}
	return true, nil
}

func (t *tx) UpdateTaskRun(ctx context.Context, r *core.TaskRun) error {
	if err := r.Check(); err != nil {
		return err
	}
	n, err := t.q.UpdateTaskRun(ctx, row.UpdateTaskRunParams{
		Name: r.Name, CacheKey: r.CacheKey, CacheExpiration: r.CacheExpiration, TaskVersion: r.TaskVersion,
		EmpiricalPolicy: core.ToJSON(r.EmpiricalPolicy), Tags: r.Tags, Labels: r.Labels.OrObject(),
		TaskInputs: r.TaskInputs.OrObject(), Updated: r.Updated, ID: r.ID,
	})
	return t.one(n, err, "Task run")
}

func (t *tx) SetTaskRunState(ctx context.Context, r *core.TaskRun) error {
	if err := r.Check(); err != nil {
		return err
	}
	taskStateColumns(r)
	if r.State != nil {
		if err := t.later("State of the task run", 1).InsertTaskRunState(ctx, insertTaskRunState(r.ID, r.State)); err != nil {
			return t.err(err, "State of the task run")
		}
	}
	n, err := t.later("Task run", 1).SetTaskRunState(ctx, row.SetTaskRunStateParams{
		StateID: r.StateID, StateType: string(r.StateType), StateName: r.StateName, StateTimestamp: r.StateTimestamp,
		RunCount: r.RunCount, FlowRunRunCount: r.FlowRunRunCount, ExpectedStartTime: r.ExpectedStartTime,
		NextScheduledStartTime: r.NextScheduledStartTime, StartTime: r.StartTime, EndTime: r.EndTime,
		TotalRunTime: r.TotalRunTime, EmpiricalPolicy: core.ToJSON(r.EmpiricalPolicy), Updated: r.Updated, ID: r.ID,
	})
	return t.one(n, err, "Task run")
}

// RecordTaskRun is an upsert that only a newer state wins, and the states.
func (t *tx) RecordTaskRun(ctx context.Context, p *core.TaskRunReport) error {
	r := *p.TaskRun
	if p.Fields != nil {
		if err := t.merge(ctx, &r, p); err != nil {
			return err
		}
	}
	for _, s := range p.States {
		if r.State == nil || s.Timestamp >= r.State.Timestamp {
			r.State = s
		}
	}
	taskStateColumns(&r)
	if err := p.Check(); err != nil {
		return err
	}
	if _, err := t.later("Task run", anyRows).RecordTaskRun(ctx, row.RecordTaskRunParams(insertTaskRun(&r))); err != nil {
		return t.err(err, "Task run")
	}
	switch len(p.States) {
	case 0:
		return nil
	case 1:
		err := t.later("State of the task run", anyRows).AddTaskRunState(ctx, row.AddTaskRunStateParams(insertTaskRunState(r.ID, p.States[0])))
		return t.err(err, "State of the task run")
	}
	rows := make([][]any, len(p.States))
	for i, s := range p.States {
		rows[i] = []any{s.ID, r.ID, string(s.Type), s.Name, s.Timestamp, s.Message, s.Data, storedDetails(s.Details)}
	}
	return t.addMany(ctx, "State of the task run", rows, queries.AddTaskRunStates)
}

// merge lays the fields that a report carries over what is stored.
func (t *tx) merge(ctx context.Context, r *core.TaskRun, p *core.TaskRunReport) error {
	stored, err := t.TaskRun(ctx, r.ID)
	if core.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	given, all := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	decode(core.ToJSON(r), &given)
	decode(core.ToJSON(stored), &all)
	for k, v := range given {
		if p.Fields[k] {
			all[k] = v
		}
	}
	delete(all, "state")
	state, at := r.State, r.StateTimestamp
	*r = core.TaskRun{}
	if err := json.Unmarshal(core.ToJSON(all), r); err != nil {
		return core.Errorf(core.EInvalid, "the report of the task run cannot be read: %w", err)
	}
	r.State, r.StateTimestamp = state, max(at, stored.StateTimestamp)
	if state == nil && len(p.States) == 0 {
		r.StateTimestamp = stored.StateTimestamp
	}
	return nil
}

func (t *tx) DeleteTaskRun(ctx context.Context, id core.UUID) error {
	n, err := t.q.DeleteTaskRun(ctx, row.DeleteTaskRunParams{ID: id})
	return t.one(n, err, "Task run")
}

func (t *tx) PutCachedState(ctx context.Context, cacheKey string, s *core.State) error {
	if err := core.MaxTaskCacheKey.Check(cacheKey); err != nil {
		return err
	}
	return t.err(t.later("Cached state", anyRows).PutCachedState(ctx, row.PutCachedStateParams{
		CacheKey: cacheKey, CacheExpiration: s.Details.CacheExpiration, CachedState: core.ToJSON(s),
	}), "Cached state")
}
