package orchestrate

import (
	"context"
	"errors"
	"slices"

	"github.com/flowlite/flowlite/runtime/block"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// CreateDeploymentFlowRun makes a run of a deployment, SCHEDULED now unless
// another state is asked for; a paused deployment's runs too. ENotFound for the
// deployment or queue, EConflict for parameters that its schema refuses,
// EInvalid for job variables that the pool's template refuses, EBadRequest for
// wrappers that cannot be resolved.
func (s *Service) CreateDeploymentFlowRun(
	ctx context.Context,
	deploymentID core.UUID,
	c core.DeploymentFlowRunCreate,
) (*core.FlowRun, error) {
	return s.CreateDeploymentFlowRunBy(ctx, deploymentID, c, nil)
}

// CreateDeploymentFlowRunBy is CreateDeploymentFlowRun for a run with a creator.
func (s *Service) CreateDeploymentFlowRunBy(
	ctx context.Context,
	deploymentID core.UUID,
	c core.DeploymentFlowRunCreate,
	by *core.CreatedBy,
) (*core.FlowRun, error) {
	return s.createDeploymentFlowRun(ctx, core.UUID{}, deploymentID, c, by, false)
}

// CreateStartedFlowRun is CreateDeploymentFlowRun with the ID that its starter knows
// the run by. If a run has the ID, CreateStartedFlowRun returns that one.
func (s *Service) CreateStartedFlowRun(
	ctx context.Context, id, deploymentID core.UUID, c core.DeploymentFlowRunCreate,
) (*core.FlowRun, error) {
	return s.createDeploymentFlowRun(ctx, id, deploymentID, c, nil, false)
}

// CheckDeploymentFlowRun returns what CreateDeploymentFlowRun would: its error, or the
// run that exists with the idempotency key, or else the run as it would be. It
// creates nothing.
func (s *Service) CheckDeploymentFlowRun(
	ctx context.Context, deploymentID core.UUID, c core.DeploymentFlowRunCreate,
) (run *core.FlowRun, exists bool, err error) {
	run, err = s.createDeploymentFlowRun(ctx, core.UUID{}, deploymentID, c, nil, true)
	if would, ok := errors.AsType[checked](err); ok {
		return would.run, false, nil
	}
	return run, err == nil, err
}

// checked rolls back what was only to be checked.
type checked struct{ run *core.FlowRun }

func (checked) Error() string { return "checked" }

func (s *Service) createDeploymentFlowRun(
	ctx context.Context,
	id, deploymentID core.UUID,
	c core.DeploymentFlowRunCreate,
	by *core.CreatedBy,
	checkOnly bool,
) (*core.FlowRun, error) {
	c.IdempotencyKey, c.WorkQueueName = core.Given(c.IdempotencyKey), core.Given(c.WorkQueueName)
	state := core.StateCreate{Type: core.Scheduled}
	if c.State != nil {
		state = *c.State
		state.Message = s.blocks.MaskMessage(ctx, state.Message)
	}
	if err := checkState(state); err != nil {
		return nil, err
	}
	own := context.WithoutCancel(ctx) // the end of one caller's context is not the others'
	prepare := func(tx newRunTx, k *known, r *block.Rendering) (*newRun, error) {
		d, err := k.deployment(own, tx, deploymentID)
		if err != nil {
			return nil, err
		}
		run, err := deploymentRun(own, tx, s.now(), d, c, r)
		if err != nil {
			return nil, err
		}
		if !id.IsZero() {
			run.ID = id
		}
		if run.CreatedBy = by; by == nil {
			if run.CreatedBy, err = creator(own, tx, run); err != nil {
				return nil, err
			}
		}
		return s.prepareFlowRun(own, tx, run, overlay(d.Labels, c.Labels), []core.StateCreate{state})
	}
	if id.IsZero() && !checkOnly && c.IdempotencyKey == nil && c.ParentTaskRunID.IsZero() && s.store.Shared() {
		made := &creation{prepare: func(tx newRunTx, k *known) (*newRun, error) { return prepare(tx, k, &block.Rendering{}) }}
		switch err := s.create(ctx, made, true); {
		case err == nil:
			return made.run, nil
		case !block.Missing(err):
			return nil, err
		}
	}
	var stored *core.FlowRun
	err := s.blocks.WriteHydrated(ctx, func(tx core.Tx, out *commit.Outbox, r *block.Rendering) error {
		k := newKnown()
		if _, err := k.deployment(ctx, tx, deploymentID); err != nil {
			return err
		}
		if !id.IsZero() {
			run, err := tx.FlowRun(ctx, id)
			if stored = run; !core.IsNotFound(err) {
				return err
			}
		}
		n, err := prepare(tx, k, r)
		if err != nil {
			return err
		}
		stored, err = s.insertFlowRun(ctx, tx, out, n)
		if err == nil && checkOnly && stored.ID == n.run.ID {
			return checked{stored}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}

func deploymentRun(
	ctx context.Context, tx placeReader, now core.Time, d *core.Deployment, c core.DeploymentFlowRunCreate, r *block.Rendering,
) (*core.FlowRun, error) {
	params, err := r.Hydrated(overlay(d.Parameters, c.Parameters))
	if err != nil {
		return nil, err
	}
	enforce := d.EnforceParameterSchema
	if c.EnforceParameterSchema != nil {
		enforce = *c.EnforceParameterSchema
	}
	if enforce {
		if err := checkParameters(d, params); err != nil {
			return nil, err
		}
	}
	if !isEmptyObject(c.JobVariables) && !d.WorkPoolID.IsZero() {
		pool, err := tx.WorkPool(ctx, d.WorkPoolID)
		if err != nil {
			return nil, err
		}
		if err := checkJobVariables(pool, c.JobVariables); err != nil {
			return nil, err
		}
	}
	run := newFlowRun(now, core.FlowRunCreate{
		Name: c.Name, FlowID: d.FlowID, DeploymentID: d.ID, DeploymentVersion: d.Version, Parameters: params,
		Context: c.Context, ParentTaskRunID: c.ParentTaskRunID, InfrastructureDocumentID: c.InfrastructureDocumentID,
		EmpiricalPolicy: c.EmpiricalPolicy, Tags: union(d.Tags, c.Tags), IdempotencyKey: c.IdempotencyKey, JobVariables: c.JobVariables,
		Priority: c.Priority,
	})
	if run.Name == "" {
		run.Name = newName()
	}
	if run.InfrastructureDocumentID.IsZero() {
		run.InfrastructureDocumentID = d.InfrastructureDocumentID
	}
	if c.WorkQueueName == nil {
		run.WorkQueueID, run.WorkQueueName = d.WorkQueueID, d.WorkQueueName
		run.WorkPoolID, run.WorkPoolName = d.WorkPoolID, d.WorkPoolName
		return run, nil
	}
	if d.WorkPoolName == nil {
		return nil, core.Errorf(core.ENotFound, "Work queue %q not found: the deployment has no work pool.", *c.WorkQueueName)
	}
	return run, placeRun(ctx, tx, run, *d.WorkPoolName, c.WorkQueueName)
}

// union is both, each tag once, in order.
func union(a, b core.Tags) core.Tags {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}
