package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/limit"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

// DeploymentByName returns ENotFound if there is none.
func (s *Service) DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error) {
	return s.store.DeploymentByName(ctx, flowName, name)
}

// CreateDeployment makes a deployment, or updates the one of that flow and
// name: keys that are absent keep what is stored.
// ENotFound for an unknown pool, EConflict for an unknown flow or for
// parameters that do not fit their schema.
func (s *Service) CreateDeployment(ctx context.Context, c core.DeploymentCreate) (*core.Deployment, error) {
	if err := core.CheckName("deployment", c.Name); err != nil {
		return nil, err
	}
	schedules, err := readSchedules(c.Schedules.Or(nil))
	if err != nil {
		return nil, err
	}
	var d *core.Deployment
	err = s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		f, err := tx.Flow(ctx, c.FlowID)
		if core.IsNotFound(err) {
			return integrity("flow", c.FlowID)
		}
		if err != nil {
			return err
		}
		now := s.now()
		d, err = tx.DeploymentByName(ctx, f.Name, c.Name)
		existed := err == nil
		if existed {
			d, err = tx.LockDeployment(ctx, d.ID)
		}
		if err != nil && (existed || !core.IsNotFound(err)) {
			return err
		}
		if !existed {
			d = &core.Deployment{
				ID: core.NewID(), Created: now, Name: c.Name, FlowID: f.ID, FlowName: f.Name, Status: core.NotReady,
				JobVariables: core.JSON("{}"), Parameters: core.JSON("{}"), PullSteps: core.JSON("[]"), EnforceParameterSchema: true,
				Labels: mergeLabels(f.Labels, map[string]string{"prefect.flow.id": f.ID.String()}, nil),
			}
		}
		d.Updated = now
		queueBefore := d.WorkQueueID
		if c.Labels.Set {
			d.Labels = mergeLabels(f.Labels, map[string]string{"prefect.flow.id": f.ID.String()}, c.Labels.Or(nil))
		}
		u := core.DeploymentUpdate{
			Version: c.Version, Description: c.Description, Parameters: c.Parameters, Paused: c.Paused,
			ConcurrencyOptions: c.ConcurrencyOptions, Tags: c.Tags, WorkQueueName: c.WorkQueueName, WorkPoolName: c.WorkPoolName,
			Path: c.Path, JobVariables: c.JobVariables, PullSteps: c.PullSteps, Entrypoint: c.Entrypoint,
			StorageDocumentID: c.StorageDocumentID, InfrastructureDocumentID: c.InfrastructureDocumentID,
			EnforceParameterSchema: c.EnforceParameterSchema, ParameterOpenAPISchema: c.ParameterOpenAPISchema,
			ConcurrencyLimit: c.ConcurrencyLimit, GlobalConcurrencyLimitID: c.GlobalConcurrencyLimitID,
		}
		if err := s.applyDeployment(ctx, tx, d, u); err != nil {
			return err
		}
		if err := s.moved(ctx, tx, out, d, queueBefore); err != nil {
			return err
		}
		if !d.ParameterOpenAPISchema.IsNull() {
			if err := checkDeploymentParameters(d); err != nil {
				return err
			}
		}
		write := tx.InsertDeployment
		if existed {
			write = tx.UpdateDeployment
		}
		// The limit is named after the deployment, so it comes with it.
		if err := s.applyLimit(ctx, tx, d, u); err != nil {
			return err
		}
		if err := write(ctx, d); err != nil {
			return err
		}
		if c.Schedules.Set {
			if err := s.replaceSchedules(ctx, tx, d, schedules); err != nil {
				return err
			}
		}
		if err := s.readyAtOnce(ctx, tx, out, d); err != nil {
			return err
		}
		if err := moveRuns(ctx, tx, d, queueBefore); err != nil {
			return err
		}
		if err := s.replan(ctx, tx, out, d); err != nil {
			return err
		}
		d, err = tx.Deployment(ctx, d.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.names.forget(d.ID)
	return d, nil
}

// moveRuns lets the runs that wait in the queue of a deployment follow it to
// another one, since the former may have no worker any more: they are due, and
// what they run is said by the deployment. Prefect leaves them. Runs that were
// put into another queue stay there.
func moveRuns(ctx context.Context, tx runMover, d *core.Deployment, from core.UUID) error {
	if d.WorkQueueID == from {
		return nil
	}
	_, err := tx.MoveScheduledRuns(ctx, d.ID, from, d.WorkQueueID)
	return err
}

// UpdateDeployment changes the keys that are present.
func (s *Service) UpdateDeployment(ctx context.Context, id core.UUID, u core.DeploymentUpdate) error {
	defer s.names.forget(id)
	if u.Schedules.Set && u.Schedules.Null {
		return core.InvalidField("schedules", "schedules must be a list; leave the key out to keep them")
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		d, err := tx.LockDeployment(ctx, id)
		if err != nil {
			return err
		}
		queueBefore := d.WorkQueueID
		out.Pool(d.WorkPoolID)
		if err := s.applyDeployment(ctx, tx, d, u); err != nil {
			return err
		}
		if err := s.moved(ctx, tx, out, d, queueBefore); err != nil {
			return err
		}
		if err := checkDeploymentParameters(d); err != nil {
			return err
		}
		if err := s.applyLimit(ctx, tx, d, u); err != nil {
			return err
		}
		d.Updated = s.now()
		if err := tx.UpdateDeployment(ctx, d); err != nil {
			return err
		}
		if u.Schedules.Set {
			if err := s.patchSchedules(ctx, tx, d, u.Schedules.V); err != nil {
				return err
			}
		}
		if err := s.readyAtOnce(ctx, tx, out, d); err != nil {
			return err
		}
		if err := moveRuns(ctx, tx, d, queueBefore); err != nil {
			return err
		}
		return s.replan(ctx, tx, out, d)
	})
}

// applyDeployment sets the present keys on d.
func (s *Service) applyDeployment(ctx context.Context, tx deploymentTx, d *core.Deployment, u core.DeploymentUpdate) error {
	text := func(o core.Opt[string], to **string) {
		if o.Set {
			*to = o.Ptr()
		}
	}
	object := func(o core.Opt[core.JSON], to *core.JSON) {
		if o.Set {
			*to = o.Or(nil).OrObject()
		}
	}
	text(u.Version, &d.Version)
	text(u.Description, &d.Description)
	text(u.Path, &d.Path)
	text(u.Entrypoint, &d.Entrypoint)
	object(u.Parameters, &d.Parameters)
	object(u.JobVariables, &d.JobVariables)
	if u.PullSteps.Set {
		d.PullSteps = u.PullSteps.Or(core.JSON("[]"))
	}
	if u.ParameterOpenAPISchema.Set {
		d.ParameterOpenAPISchema = u.ParameterOpenAPISchema.Or(nil)
	}
	if u.Tags.Set {
		d.Tags = u.Tags.Or(nil)
	}
	d.Paused = u.Paused.Or(d.Paused)
	d.EnforceParameterSchema = u.EnforceParameterSchema.Or(d.EnforceParameterSchema)
	if u.ConcurrencyOptions.Set {
		d.ConcurrencyOptions = u.ConcurrencyOptions.Ptr()
		if o := d.ConcurrencyOptions; o != nil && o.CollisionStrategy != "ENQUEUE" && o.CollisionStrategy != "CANCEL_NEW" {
			return core.InvalidField("concurrency_options", "collision_strategy must be ENQUEUE or CANCEL_NEW")
		}
	}
	if u.StorageDocumentID.Set {
		d.StorageDocumentID = u.StorageDocumentID.Or(core.UUID{})
	}
	if u.InfrastructureDocumentID.Set {
		d.InfrastructureDocumentID = u.InfrastructureDocumentID.Or(core.UUID{})
	}
	for _, doc := range []core.Opt[core.UUID]{u.StorageDocumentID, u.InfrastructureDocumentID} {
		if id := doc.Or(core.UUID{}); !id.IsZero() {
			if _, err := tx.BlockDocument(ctx, id); core.IsNotFound(err) {
				return integrity("block document", id)
			} else if err != nil {
				return err
			}
		}
	}
	if u.Labels.Set {
		d.Labels = mergeLabels(d.Labels, nil, u.Labels.Or(nil))
	}
	pool, err := s.placeDeployment(ctx, tx, d, u)
	if err != nil {
		return err
	}
	return checkJobVariables(pool, d.JobVariables)
}

// placeDeployment finds pool and queue. A queue that does not exist is made; a
// queue without a pool belongs to the deployment's pool, else to the default
// agent pool. It returns the pool that holds, if any.
func (s *Service) placeDeployment(ctx context.Context, tx poolTx, d *core.Deployment, u core.DeploymentUpdate) (*core.WorkPool, error) {
	var pool *core.WorkPool
	var err error
	if !d.WorkPoolID.IsZero() {
		if pool, err = tx.WorkPool(ctx, d.WorkPoolID); err != nil && !core.IsNotFound(err) {
			return nil, err
		}
	}
	for _, name := range []*core.Opt[string]{&u.WorkPoolName, &u.WorkQueueName} {
		if name.Set && !name.Null && name.V == "" {
			*name = core.Opt[string]{}
		}
	}
	if !u.WorkPoolName.Set && !u.WorkQueueName.Set {
		return pool, nil
	}
	if u.WorkPoolName.Set && u.WorkPoolName.Null && u.WorkQueueName.Ptr() == nil {
		d.WorkPoolID, d.WorkQueueID, d.WorkPoolName, d.WorkQueueName = core.UUID{}, core.UUID{}, nil, nil
		return nil, nil
	}
	if name := u.WorkPoolName.Ptr(); name != nil {
		before := core.UUID{}
		if pool != nil {
			before = pool.ID
		}
		if pool, err = poolByName(ctx, tx, *name); err != nil {
			return nil, err
		}
		if pool.ID == before && !u.WorkQueueName.Set {
			return pool, nil
		}
	}
	queueName := u.WorkQueueName.Ptr()
	if pool == nil {
		if queueName == nil {
			return nil, nil
		}
		if pool, err = s.poolOrAgents(ctx, tx, ""); err != nil {
			return nil, err
		}
	}
	var q *core.WorkQueue
	if queueName == nil {
		q, err = tx.WorkQueue(ctx, pool.DefaultQueueID)
	} else if q, err = tx.WorkQueueByName(ctx, pool.ID, *queueName); core.IsNotFound(err) {
		if err := core.CheckName("work queue", *queueName); err != nil {
			return nil, err
		}
		q, err = s.insertQueue(ctx, tx, pool, core.WorkQueueCreate{Name: *queueName})
	}
	if err != nil {
		return nil, err
	}
	d.WorkPoolID, d.WorkPoolName, d.WorkQueueID, d.WorkQueueName = pool.ID, &pool.Name, q.ID, &q.Name
	return pool, nil
}

// checkDeploymentParameters holds stored parameters against the schema; they may be partial.
func checkDeploymentParameters(d *core.Deployment) error {
	if !d.EnforceParameterSchema {
		return nil
	}
	if d.ParameterOpenAPISchema.IsNull() {
		return core.Errorf(
			core.EConflict,
			"Error updating deployment: parameter schema enforcement is enabled and there is no parameter schema; send parameter_openapi_schema ({} will do), or turn enforce_parameter_schema off",
		)
	}
	return fieldsError(core.EConflict, "parameters", schema.Validate(d.ParameterOpenAPISchema, d.Parameters, false))
}

func limitName(deployment core.UUID) string { return "deployment:" + deployment.String() }

// applyLimit makes, changes or drops the deployment's own limit, or lets it
// share one.
func (s *Service) applyLimit(ctx context.Context, tx limitTx, d *core.Deployment, u core.DeploymentUpdate) error {
	if u.ConcurrencyLimit.Ptr() != nil && u.GlobalConcurrencyLimitID.Ptr() != nil {
		return core.InvalidField("concurrency_limit", "give either concurrency_limit or global_concurrency_limit_id, not both")
	}
	if id := u.GlobalConcurrencyLimitID.Ptr(); id != nil {
		if _, err := tx.GlobalLimit(ctx, *id); core.IsNotFound(err) {
			return integrity("global concurrency limit", *id)
		} else if err != nil {
			return err
		}
		d.ConcurrencyLimitID = *id
		return nil
	}
	if u.GlobalConcurrencyLimitID.Null {
		d.ConcurrencyLimitID = core.UUID{}
	}
	if !u.ConcurrencyLimit.Set {
		return nil
	}
	name := limitName(d.ID)
	own, err := tx.GlobalLimitByName(ctx, name)
	if err != nil && !core.IsNotFound(err) {
		return err
	}
	switch {
	case u.ConcurrencyLimit.Null:
		d.ConcurrencyLimitID = core.UUID{}
		if own == nil {
			return nil
		}
		if err := tx.DeleteGlobalLimit(ctx, own.ID); err != nil {
			return err
		}
	case u.ConcurrencyLimit.V < 1:
		return core.InvalidField("concurrency_limit", "concurrency_limit must be 1 or more; null removes it")
	case own != nil:
		own.Limit, own.Updated = u.ConcurrencyLimit.V, s.now()
		d.ConcurrencyLimitID = own.ID
		return tx.UpdateGlobalLimit(ctx, own)
	default:
		own = limit.NewLimit(s.now(), name, u.ConcurrencyLimit.V)
		d.ConcurrencyLimitID = own.ID
		return tx.InsertGlobalLimit(ctx, own)
	}
	return nil
}

// DeleteDeployment takes its SCHEDULED runs that never ran, its schedules and
// its own limit with it; a shared limit stays. Due runs go, too, as in Prefect:
// without the deployment nobody knows what they run.
func (s *Service) DeleteDeployment(ctx context.Context, id core.UUID) error {
	defer s.names.forget(id)
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		d, err := tx.LockDeployment(ctx, id)
		if err != nil {
			return err
		}
		n, err := tx.DeleteScheduledRuns(ctx, id)
		if err != nil {
			return err
		}
		if n > 0 {
			s.logPlan(out, planChange{deployment: d.FullName(), deleted: int(n)})
		}
		if err := tx.DeleteDeployment(ctx, id); err != nil {
			return err
		}
		if l := d.GlobalConcurrencyLimit; l != nil && l.Name == limitName(id) {
			return tx.DeleteGlobalLimit(ctx, l.ID)
		}
		return nil
	})
}

// PauseDeployment stops its schedules: planned runs are deleted, due ones run.
func (s *Service) PauseDeployment(ctx context.Context, id core.UUID) error {
	return s.SetDeploymentPaused(ctx, id, true)
}

// ResumeDeployment lets its schedules go on.
func (s *Service) ResumeDeployment(ctx context.Context, id core.UUID) error {
	return s.SetDeploymentPaused(ctx, id, false)
}

// SetDeploymentPaused pauses a deployment or resumes it.
func (s *Service) SetDeploymentPaused(ctx context.Context, id core.UUID, paused bool) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		d, err := tx.LockDeployment(ctx, id)
		if err != nil {
			return err
		}
		d.Paused, d.Updated = paused, s.now()
		if err := tx.UpdateDeployment(ctx, d); err != nil {
			return err
		}
		return s.replan(ctx, tx, out, d)
	})
}

// DeploymentRuns is the poll of a Prefect runner (serve): what is due of its
// deployments, in-process retries and paused deployments included. It marks
// them READY.
func (s *Service) DeploymentRuns(ctx context.Context, ids []core.UUID, before core.Time, limit int) ([]*core.FlowRun, error) {
	if limit <= 0 || limit > core.MaxLimit {
		limit = core.MaxLimit
	}
	runs, err := s.store.DueFlowRunsOfDeployments(ctx, ids, before, limit)
	if err != nil {
		return nil, err
	}
	var stale []*core.Deployment
	for _, id := range ids {
		d, err := s.store.Deployment(ctx, id)
		if err == nil && (d.Status != core.Ready || s.now().Sub(d.LastPolled) >= polledEvery) {
			stale = append(stale, d)
		}
	}
	if len(stale) == 0 {
		return runs, nil
	}
	return runs, s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error { return s.polledDeployments(ctx, tx, out, stale) })
}
