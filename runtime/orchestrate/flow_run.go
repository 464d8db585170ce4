package orchestrate

import (
	"bytes"
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
)

func (s *Service) FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error) {
	return s.store.FlowRun(ctx, id)
}

// CreateFlowRun makes a run, PENDING unless another state is asked for. A run
// of the flow with the same idempotency key is returned as it is. EConflict if
// the flow or parent task run does not exist, ENotFound for the pool or queue.
func (s *Service) CreateFlowRun(ctx context.Context, c core.FlowRunCreate) (*core.FlowRun, error) {
	run, _, err := s.createFlowRun(ctx, c, core.UUID{})
	return run, err
}

// StartFlowRun is CreateFlowRun, RUNNING and, where there is a holder, LeaseRun:
// a process that dies on the way leaves nothing, or a run whose loss is seen. A
// run of a deployment stays PENDING: its limit may make it wait.
func (s *Service) StartFlowRun(ctx context.Context, c core.FlowRunCreate, holder core.UUID) (*core.FlowRun, *core.Lease, error) {
	if core.Given(c.IdempotencyKey) != nil {
		return nil, nil, core.Errorf(core.EInvalid, "a run that is started at once cannot have an idempotency key")
	}
	var then []core.StateCreate
	if c.DeploymentID.IsZero() {
		then = []core.StateCreate{{Type: core.Running}}
	}
	return s.createFlowRun(ctx, c, holder, then...)
}

// createFlowRun has the run go on to the states named in then at once.
func (s *Service) createFlowRun(
	ctx context.Context,
	c core.FlowRunCreate,
	holder core.UUID,
	then ...core.StateCreate,
) (*core.FlowRun, *core.Lease, error) {
	c.IdempotencyKey = core.Given(c.IdempotencyKey)
	c.WorkPoolName, c.WorkQueueName = core.Given(c.WorkPoolName), core.Given(c.WorkQueueName)
	state := core.StateCreate{Type: core.Pending}
	if c.State != nil {
		state = *c.State
		state.Message = s.blocks.MaskMessage(ctx, state.Message)
	}
	if err := checkState(state); err != nil {
		return nil, nil, err
	}
	if err := checkObject("parameters", c.Parameters); err != nil {
		return nil, nil, err
	}
	joins := c.IdempotencyKey == nil && c.ParentTaskRunID.IsZero()
	var lease *core.Lease
	own := context.WithoutCancel(ctx) // the end of one caller's context is not the others'
	made := &creation{prepare: func(tx newRunTx, _ *known) (*newRun, error) {
		n, err := s.newFlowRun(own, tx, c, append([]core.StateCreate{state}, then...))
		if err == nil && !holder.IsZero() {
			lease = newLease(n.run.ID, holder, "", n.run.Created)
			n.lease = lease
		}
		return n, err
	}}
	if err := s.create(ctx, made, joins); err != nil {
		return nil, nil, err
	}
	return made.run, lease, nil
}

func (s *Service) newFlowRun(
	ctx context.Context, tx newRunTx, c core.FlowRunCreate, states []core.StateCreate,
) (*newRun, error) {
	run := newFlowRun(s.now(), c)
	if run.Name == "" {
		run.Name = newName()
	}
	if c.FlowID.IsZero() {
		return nil, core.Errorf(core.EInvalid, "a flow run needs the flow_id of its flow")
	}
	if s.flowNames(ctx, tx, c.FlowID).name == "" {
		if _, err := tx.Flow(ctx, c.FlowID); !core.IsNotFound(err) && err != nil {
			return nil, err
		}
		return nil, integrity("flow", c.FlowID)
	}
	if c.WorkPoolName != nil {
		if err := placeRun(ctx, tx, run, *c.WorkPoolName, c.WorkQueueName); err != nil {
			return nil, err
		}
	}
	var err error
	if run.CreatedBy, err = creator(ctx, tx, run); err != nil {
		return nil, err
	}
	return s.prepareFlowRun(ctx, tx, run, c.Labels, states)
}

func checkObject(field string, j core.JSON) error {
	if t := bytes.TrimSpace(j); j.IsNull() || len(t) > 0 && t[0] == '{' {
		return nil
	}
	const msg = "Input should be a valid dictionary"
	return &core.Error{
		Code:    core.EInvalid,
		Message: field + ": " + msg,
		Fields:  []core.FieldError{{Type: "dict_type", Loc: []any{"body", field}, Msg: msg, Input: j}},
	}
}

func newFlowRun(now core.Time, c core.FlowRunCreate) *core.FlowRun {
	return &core.FlowRun{
		ID: core.NewID(), Created: now, Updated: now, Name: c.Name, FlowID: c.FlowID, FlowVersion: c.FlowVersion,
		DeploymentID: c.DeploymentID, DeploymentVersion: c.DeploymentVersion, Parameters: c.Parameters.OrObject(),
		Context: c.Context.OrObject(), ParentTaskRunID: c.ParentTaskRunID, InfrastructureDocumentID: c.InfrastructureDocumentID,
		EmpiricalPolicy: flowPolicy(c.EmpiricalPolicy), Tags: c.Tags, IdempotencyKey: c.IdempotencyKey,
		JobVariables: c.JobVariables.OrObject(), Priority: c.Priority,
	}
}

// flowPolicy lets the old names fill in for the new ones.
func flowPolicy(p *core.FlowRunPolicy) core.FlowRunPolicy {
	if p == nil {
		return core.FlowRunPolicy{PauseKeys: []string{}}
	}
	q := *p
	if q.Retries == nil && q.MaxRetries != 0 {
		q.Retries = &p.MaxRetries
	}
	if q.RetryDelay != nil || q.RetryDelaySeconds != 0 {
		q.SetDelay(p.Delay())
	}
	if q.PauseKeys == nil {
		q.PauseKeys = []string{}
	}
	return q
}

// placeRun puts a run into a queue: the named one of the pool, or its default.
func placeRun(ctx context.Context, r placeReader, run *core.FlowRun, pool string, queue *string) error {
	p, err := r.WorkPoolByName(ctx, pool)
	if core.IsNotFound(err) {
		return core.Errorf(core.ENotFound, "Work pool %q not found.", pool)
	}
	if err != nil {
		return err
	}
	if queue == nil {
		q, err := r.WorkQueue(ctx, p.DefaultQueueID)
		if err != nil {
			return err
		}
		run.WorkQueueID, run.WorkQueueName = q.ID, &q.Name
	} else {
		q, err := r.WorkQueueByName(ctx, p.ID, *queue)
		if core.IsNotFound(err) {
			return core.Errorf(core.ENotFound, "Work pool queue '%s/%s' not found.", pool, *queue)
		}
		if err != nil {
			return err
		}
		run.WorkQueueID, run.WorkQueueName = q.ID, &q.Name
	}
	run.WorkPoolID, run.WorkPoolName = p.ID, &p.Name
	return nil
}

// prepareFlowRun gives a new run its labels and states; see enterFirst.
func (s *Service) prepareFlowRun(
	ctx context.Context,
	tx creationTx,
	run *core.FlowRun,
	labels core.JSON,
	states []core.StateCreate,
) (n *newRun, err error) {
	if run.Labels, err = firstLabels(ctx, tx, run, labels); err != nil {
		return nil, err
	}
	n = &newRun{run: run}
	n.past, n.events = s.enterFirst(ctx, tx, run, states)
	return n, nil
}

// enterFirst gives a new run its states, as far as the rules allow, and returns those
// that it has passed and the events of all.
func (s *Service) enterFirst(
	ctx context.Context,
	r nameReader,
	run *core.FlowRun,
	states []core.StateCreate,
) (past []*core.State, events []*core.Event) {
	asked := rules.ForcedFlow
	for _, c := range states {
		d := rules.DecideFlow(run, c.State(run.Created), rules.Facts{Now: run.Created}, asked)
		if d.State == nil {
			break
		}
		before := run.State
		if before != nil {
			past = append(past, before)
		}
		rules.ApplyFlowState(run, d.State, d.Policy)
		events = append(events, s.flowRunEvent(ctx, r, run, before, c.Type))
		asked = rules.Flow
	}
	run.Updated = run.Created
	return past, events
}

// firstLabels are the labels that a new run inherits, the system's, and the given ones.
func firstLabels(ctx context.Context, tx creationTx, run *core.FlowRun, labels core.JSON) (core.JSON, error) {
	system := map[string]string{"prefect.flow.id": run.FlowID.String()}
	if !run.DeploymentID.IsZero() {
		system["prefect.deployment.id"] = run.DeploymentID.String()
	}
	var inherited core.JSON
	if !run.ParentTaskRunID.IsZero() {
		task, err := tx.TaskRun(ctx, run.ParentTaskRunID)
		if core.IsNotFound(err) {
			return nil, integrity("parent task run", run.ParentTaskRunID)
		}
		if err != nil {
			return nil, err
		}
		inherited = withoutLabel(task.Labels, core.ParametersLabel)
	}
	return mergeLabels(inherited, system, labels), nil
}

// UpdateFlowRun changes the keys that are present. ENotFound; EBadRequest for
// job variables of a run that is no longer SCHEDULED.
func (s *Service) UpdateFlowRun(ctx context.Context, id core.UUID, u core.FlowRunUpdate) error {
	defer s.names.forget(id)
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil {
			if core.IsNotFound(err) {
				return core.NotFound("Flow run")
			}
			return err
		}
		if err := s.checkToken(ctx, tx, run); err != nil {
			return err
		}
		if u.Name.Set {
			if run.Name = u.Name.Or(""); run.Name == "" {
				run.Name = newName()
			}
		}
		if u.FlowVersion.Set {
			run.FlowVersion = u.FlowVersion.Ptr()
		}
		if u.Parameters.Set {
			run.Parameters = u.Parameters.Or(nil).OrObject()
		}
		if u.EmpiricalPolicy.Set && !u.EmpiricalPolicy.Null {
			run.EmpiricalPolicy = flowPolicy(&u.EmpiricalPolicy.V)
		}
		if u.Tags.Set {
			run.Tags = u.Tags.Or(nil)
		}
		if u.InfrastructurePID.Set {
			run.InfrastructurePID = u.InfrastructurePID.Ptr()
		}
		if u.JobVariables.Set {
			if run.DeploymentID.IsZero() {
				return core.Errorf(core.EBadRequest, "A deployment for the flow run could not be found")
			}
			if run.StateType != core.Scheduled {
				return core.Errorf(core.EBadRequest, "Job variables for a flow run in state %s cannot be updated", run.StateType)
			}
			run.JobVariables = u.JobVariables.Or(nil).OrObject()
		}
		if u.Priority.Set {
			run.Priority = u.Priority.Or(0)
		}
		run.Updated = s.now()
		out.Run(id)
		return tx.UpdateFlowRun(ctx, run)
	})
}

// DeleteFlowRun removes the run with all that is its own. ENotFound.
func (s *Service) DeleteFlowRun(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil {
			if core.IsNotFound(err) {
				return core.NotFound("Flow run")
			}
			return err
		}
		out.Run(id)
		if rules.Occupies(run.StateType) {
			out.Pool(run.WorkPoolID)
		}
		if err := tx.DeleteSlotLeasesOfHolder(ctx, id); err != nil {
			return err
		}
		return tx.DeleteFlowRun(ctx, id)
	})
}
