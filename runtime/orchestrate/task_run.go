package orchestrate

import (
	"context"
	"math/rand/v2"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/limit"
)

// CreateTaskRun makes a task run that the server orchestrates: the placeholder
// of a sub-flow, or a background task. An existing one with the same flow run,
// task key and dynamic key is returned as it is. EConflict if the flow run does
// not exist.
func (s *Service) CreateTaskRun(ctx context.Context, c core.TaskRunCreate) (*core.TaskRun, error) {
	if c.CacheKey != nil && len(*c.CacheKey) > core.MaxTaskCacheKey.Bytes {
		return nil, core.InvalidField("cache_key", "Cache key exceeded maximum allowed length of 2000 characters.")
	}
	c.CacheKey = core.Given(c.CacheKey)
	if c.DynamicKey == "" { // it tells one call from another
		c.DynamicKey = core.NewID().String()
	}
	if c.State != nil {
		state := *c.State
		state.Message = s.blocks.MaskMessage(ctx, state.Message)
		c.State = &state
	}
	var stored *core.TaskRun
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		now := s.now()
		r := &core.TaskRun{
			ID: c.ID, Created: now, Name: c.Name, FlowRunID: c.FlowRunID, TaskKey: c.TaskKey, DynamicKey: c.DynamicKey,
			CacheKey: c.CacheKey, CacheExpiration: c.CacheExpiration, TaskVersion: c.TaskVersion,
			EmpiricalPolicy: taskPolicy(c.EmpiricalPolicy), Tags: c.Tags, TaskInputs: c.TaskInputs.OrObject(),
		}
		if r.ID.IsZero() {
			r.ID = core.NewID()
		}
		if r.Name == "" {
			r.Name = newName()
		}
		system := map[string]string{}
		var parent core.JSON
		if !c.FlowRunID.IsZero() {
			run, err := tx.FlowRun(ctx, c.FlowRunID)
			if core.IsNotFound(err) {
				return integrity("flow run", c.FlowRunID)
			}
			if err != nil {
				return err
			}
			parent = run.Labels
			system["prefect.flow.id"], system["prefect.flow-run.id"] = run.FlowID.String(), run.ID.String()
		}
		r.Labels = mergeLabels(parent, system, c.Labels)
		state := core.StateCreate{Type: core.Pending}
		if c.State != nil {
			if err := checkState(*c.State); err != nil {
				return err
			}
			state = *c.State
		}
		rules.ApplyTaskState(r, state.State(now))
		fresh, err := tx.InsertTaskRun(ctx, r)
		if err != nil {
			return err
		}
		if !fresh {
			stored, err = tx.TaskRunByKey(ctx, c.FlowRunID, c.TaskKey, c.DynamicKey)
			return err
		}
		stored = r
		out.Run(r.FlowRunID)
		return s.queueTask(ctx, tx, out, r)
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

// taskPolicy lets the old names fill in for the new ones.
func taskPolicy(p *core.TaskRunPolicy) core.TaskRunPolicy {
	if p == nil {
		return core.TaskRunPolicy{}
	}
	q := *p
	if q.Retries == nil && q.MaxRetries != 0 {
		q.Retries = &p.MaxRetries
	}
	if q.RetryDelay.IsNull() && q.RetryDelaySeconds != 0 {
		q.RetryDelay = core.ToJSON(q.RetryDelaySeconds)
	}
	return q
}

// UpdateTaskRun returns ENotFound if there is no such task run.
func (s *Service) UpdateTaskRun(ctx context.Context, id core.UUID, u core.TaskRunUpdate) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		r, err := tx.LockTaskRun(ctx, id)
		if err != nil {
			return taskRunError(err)
		}
		if u.Name.Set {
			if r.Name = u.Name.Or(""); r.Name == "" {
				r.Name = newName()
			}
		}
		r.Updated = s.now()
		out.Run(r.FlowRunID)
		return tx.UpdateTaskRun(ctx, r)
	})
}

func taskRunError(err error) error {
	if core.IsNotFound(err) {
		return core.NotFound("Task run")
	}
	return err
}

// DeleteTaskRun returns ENotFound if there is no such task run.
func (s *Service) DeleteTaskRun(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		r, err := tx.LockTaskRun(ctx, id)
		if err != nil {
			return core.NotFound("Task")
		}
		out.Run(r.FlowRunID)
		if err := tx.DeleteSlotLeasesOfHolder(ctx, id); err != nil {
			return err
		}
		return tx.DeleteTaskRun(ctx, id)
	})
}

// SetTaskRunState proposes a state for a task run that the server orchestrates;
// engines report theirs with RecordTaskRuns. Force asks no rule.
func (s *Service) SetTaskRunState(ctx context.Context, id core.UUID, c core.StateCreate, force bool) (*core.OrchestrationResult, error) {
	c.Message = s.blocks.MaskMessage(ctx, c.Message)
	if err := checkState(c); err != nil {
		return nil, err
	}
	var result *core.OrchestrationResult
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockTaskRun(ctx, id)
		if err != nil {
			return taskRunError(err)
		}
		proposed := c.State(s.now())
		d := rules.Decision{Status: core.Accept, State: proposed}
		var wanted []*core.GlobalConcurrencyLimit
		if !force {
			f, err := s.taskFacts(ctx, tx, run, proposed)
			if err != nil {
				return err
			}
			if proposed.Type == core.Running && !proposed.Details.Deferred && len(run.Tags) > 0 {
				if _, wanted, f.Full, err = s.limits.LockTags(ctx, tx, run.Tags, run.ID); err != nil {
					return err
				}
			}
			d = rules.DecideTask(run, proposed, f)
		}
		if d.State == nil {
			result = d.Result(run.State)
			return nil
		}
		if d.Reset {
			run.RunCount = 0
		}
		rules.ApplyTaskState(run, d.State)
		if err := tx.SetTaskRunState(ctx, run); err != nil {
			return err
		}
		if err := s.moveTagSlots(ctx, tx, run, wanted); err != nil {
			return err
		}
		if key := d.State.Details.CacheKey; d.State.Type == core.Completed && key != nil && d.State.Name != core.NameCached {
			if err := tx.PutCachedState(ctx, *key, d.State); err != nil {
				return err
			}
		}
		result = d.Result(run.State)
		out.Run(run.FlowRunID)
		return s.queueTask(ctx, tx, out, run)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// moveTagSlots takes the slots of a task run's tags where it runs now, and
// frees them where it no longer does.
func (s *Service) moveTagSlots(ctx context.Context, tx limit.Tx, run *core.TaskRun, wanted []*core.GlobalConcurrencyLimit) error {
	switch run.StateType {
	case core.Running:
		return s.limits.CountTags(ctx, tx, wanted, run.ID)
	case core.Cancelling:
		return nil
	}
	if len(run.Tags) == 0 {
		return nil
	}
	return tx.DeleteSlotLeasesOfHolder(ctx, run.ID)
}

func (s *Service) taskFacts(ctx context.Context, tx taskReader, run *core.TaskRun, proposed *core.State) (f rules.Facts, err error) {
	f = rules.Facts{Now: proposed.Timestamp, Jitter: rand.Float64()}
	if proposed.Type != core.Running {
		return f, nil
	}
	if key := proposed.Details.CacheKey; key != nil && !core.Deref(proposed.Details.RefreshCache) {
		f.Cached, err = tx.CachedState(ctx, *key, f.Now)
		if err != nil && !core.IsNotFound(err) {
			return f, err
		}
	}
	if !run.FlowRunID.IsZero() {
		f.FlowRun, err = tx.FlowRun(ctx, run.FlowRunID)
		if err != nil && !core.IsNotFound(err) {
			return f, err
		}
	}
	return f, nil
}

// CachedState returns ENotFound if nothing unexpired is stored under the key.
func (s *Service) CachedState(ctx context.Context, cacheKey string) (*core.State, error) {
	return s.store.CachedState(ctx, cacheKey, s.now())
}

func (s *Service) TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error) {
	return s.store.TaskRunsOf(ctx, flowRunID, after, limit)
}
