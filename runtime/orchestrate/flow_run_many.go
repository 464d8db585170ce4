package orchestrate

import (
	"context"
	"errors"
	"strconv"

	"github.com/flowlite/flowlite/runtime/block"
	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// CreateDeploymentFlowRuns is CreateDeploymentFlowRun for many runs in one
// transaction, in their order, all or none: an error names the first that is wrong. A
// used idempotency key gives the run that has it, or EConflict if that has other
// parameters. EInvalid for more than core.MaxFlowRunsAtOnce.
func (s *Service) CreateDeploymentFlowRuns(
	ctx context.Context,
	deploymentID core.UUID,
	list []core.DeploymentFlowRunCreate,
) (runs []*core.FlowRun, err error) {
	if len(list) > core.MaxFlowRunsAtOnce {
		return nil, core.Errorf(core.EInvalid, "%d flow runs are more than the %d that one call creates; use several calls",
			len(list), core.MaxFlowRunsAtOnce)
	}
	states := make([]core.StateCreate, len(list))
	for i, c := range list {
		states[i] = core.StateCreate{Type: core.Scheduled}
		if c.State != nil {
			states[i] = *c.State
			states[i].Message = s.blocks.MaskMessage(ctx, c.State.Message)
		}
		if err := checkState(states[i]); err != nil {
			return nil, numbered(i, err)
		}
	}
	err = s.blocks.WriteHydrated(ctx, func(tx core.Tx, out *commit.Outbox, r *block.Rendering) error {
		d, err := tx.Deployment(ctx, deploymentID)
		if core.IsNotFound(err) {
			return core.NotFound("Deployment")
		}
		if err != nil {
			return err
		}
		m := &manyRuns{s: s, ctx: ctx, tx: tx, d: d, places: map[string]*core.FlowRun{}, labels: map[string]core.JSON{}}
		if err := m.make(list, states, r); err != nil {
			return err
		}
		runs, err = m.insert(out, list)
		return err
	})
	return runs, err
}

// numbered says which of many runs an error is of.
func numbered(i int, err error) error {
	e, ok := errors.AsType[*core.Error](err)
	if !ok || e.Code == core.EUnavailable {
		return err
	}
	c := *e
	c.Message = "flow run " + strconv.Itoa(i+1) + ": " + e.Message
	return &c
}

// manyRuns are runs of a deployment that one transaction creates.
type manyRuns struct {
	s      *Service
	ctx    context.Context
	tx     newRunTx
	d      *core.Deployment
	places map[string]*core.FlowRun // by work queue, a run that is there
	labels map[string]core.JSON     // of runs without a parent, by those given
	runs   []*core.FlowRun
	events []*core.Event
}

func (m *manyRuns) make(list []core.DeploymentFlowRunCreate, states []core.StateCreate, r *block.Rendering) (err error) {
	now := m.s.now()
	var missing error
	for i, c := range list {
		c.IdempotencyKey = core.Given(c.IdempotencyKey)
		queue := core.Deref(c.WorkQueueName)
		place := m.places[queue]
		if place != nil {
			c.WorkQueueName = nil // it is looked up once
		} else {
			c.WorkQueueName = core.Given(c.WorkQueueName)
		}
		run, err := deploymentRun(m.ctx, m.tx, now, m.d, c, r)
		if block.Missing(err) {
			missing = err
			continue
		}
		if err != nil {
			return numbered(i, err)
		}
		if place != nil {
			run.WorkQueueID, run.WorkQueueName = place.WorkQueueID, place.WorkQueueName
			run.WorkPoolID, run.WorkPoolName = place.WorkPoolID, place.WorkPoolName
		}
		m.places[queue] = run
		if run.CreatedBy, err = m.creator(run); err != nil {
			return err
		}
		if run.Labels, err = m.firstLabels(run, c.Labels); err != nil {
			return numbered(i, err)
		}
		_, events := m.s.enterFirst(m.ctx, m.tx, run, states[i:i+1])
		m.runs, m.events = append(m.runs, run), append(m.events, events...)
	}
	return missing
}

// firstLabels are made once for all runs that have no parent and are given the same.
func (m *manyRuns) firstLabels(run *core.FlowRun, given core.JSON) (core.JSON, error) {
	known, ok := m.labels[string(given)]
	if ok && run.ParentTaskRunID.IsZero() {
		return known, nil
	}
	labels, err := firstLabels(m.ctx, m.tx, run, overlay(m.d.Labels, given))
	if err == nil && run.ParentTaskRunID.IsZero() {
		m.labels[string(given)] = labels
	}
	return labels, err
}

// creator is the same of all runs that have no parent.
func (m *manyRuns) creator(run *core.FlowRun) (*core.CreatedBy, error) {
	if len(m.runs) > 0 && run.ParentTaskRunID.IsZero() && m.runs[0].ParentTaskRunID.IsZero() {
		return m.runs[0].CreatedBy, nil
	}
	return creator(m.ctx, m.tx, run)
}

func (m *manyRuns) insert(out *commit.Outbox, list []core.DeploymentFlowRunCreate) ([]*core.FlowRun, error) {
	fresh, err := m.tx.InsertFlowRuns(m.ctx, m.runs)
	if err != nil {
		return nil, err
	}
	for i, run := range m.runs {
		if fresh[i] {
			if err := m.s.emitFlowTransition(m.ctx, m.tx, out, run, nil, m.events[i]); err != nil {
				return nil, err
			}
			continue
		}
		was, err := m.tx.FlowRunByKey(m.ctx, run.FlowID, *run.IdempotencyKey)
		if err != nil {
			return nil, err
		}
		if !was.HasParameters(list[i].Parameters) {
			return nil, numbered(i, was.KeyConflict(*run.IdempotencyKey, list[i].Parameters))
		}
		m.runs[i] = was
	}
	return m.runs, nil
}
