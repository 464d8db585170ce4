package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// creation makes a flow run, in a transaction that it may share with others.
type creation struct {
	// prepare reads what the run needs and writes nothing.
	prepare func(tx newRunTx, k *known) (*newRun, error)

	run *core.FlowRun // that was made, or that has the idempotency key
	err error
}

// newRun is a flow run that is to be written, with the states that it has passed.
type newRun struct {
	run    *core.FlowRun
	past   []*core.State
	events []*core.Event
	lease  *core.Lease // nil: none
}

// known is what the creations of a transaction have read.
type known struct {
	deployments map[core.UUID]*core.Deployment
}

func (k *known) deployment(ctx context.Context, tx nameReader, id core.UUID) (*core.Deployment, error) {
	if d := k.deployments[id]; d != nil {
		return d, nil
	}
	d, err := tx.Deployment(ctx, id)
	if core.IsNotFound(err) {
		return nil, core.NotFound("Deployment")
	}
	if err == nil {
		k.deployments[id] = d
	}
	return d, err
}

func newKnown() *known { return &known{deployments: map[core.UUID]*core.Deployment{}} }

// create makes a run. It joins other creations if its rows are all new: no key, and no
// parent whose task run it would change.
func (s *Service) create(ctx context.Context, c *creation, joins bool) error {
	if !joins || !s.store.Shared() {
		return s.writeCreations(ctx, []*creation{c})
	}
	if err := s.creations.Do(ctx, c); err != nil {
		return err
	}
	return c.err
}

// writeCreations makes runs in one transaction. What is wrong with one of several is
// its own error and does not concern the others.
func (s *Service) writeCreations(ctx context.Context, all []*creation) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		k := newKnown()
		if len(all) == 1 {
			return s.createAlone(ctx, tx, out, all[0], k)
		}
		var list []*newRun
		for _, c := range all {
			var n *newRun
			c.run = nil
			if n, c.err = c.prepare(tx, k); c.err == nil {
				list, c.run = append(list, n), n.run
			}
		}
		return s.insertFlowRuns(ctx, tx, out, list)
	})
}

func (s *Service) createAlone(ctx context.Context, tx newRunTx, out *commit.Outbox, c *creation, k *known) error {
	c.run, c.err = nil, nil
	n, err := c.prepare(tx, k)
	if err != nil {
		return err
	}
	c.run, err = s.insertFlowRun(ctx, tx, out, n)
	return err
}

// insertFlowRun writes a new run. If its idempotency key is taken, the run that has it
// is returned instead.
func (s *Service) insertFlowRun(ctx context.Context, tx creationTx, out *commit.Outbox, n *newRun) (*core.FlowRun, error) {
	fresh, err := tx.InsertFlowRun(ctx, n.run, n.past...)
	if err != nil {
		return nil, err
	}
	if !fresh {
		return tx.FlowRunByKey(ctx, n.run.FlowID, *n.run.IdempotencyKey)
	}
	if n.lease != nil {
		if err := tx.PutLeases(ctx, []*core.Lease{n.lease}); err != nil {
			return nil, err
		}
	}
	return n.run, s.emitFlowTransition(ctx, tx, out, n.run, nil, n.events...)
}

// insertFlowRuns writes new runs that have no idempotency keys.
func (s *Service) insertFlowRuns(ctx context.Context, tx creationTx, out *commit.Outbox, list []*newRun) error {
	if len(list) == 0 {
		return nil
	}
	runs, past := make([]*core.FlowRun, len(list)), make([][]*core.State, len(list))
	var leases []*core.Lease
	for i, n := range list {
		runs[i], past[i] = n.run, n.past
		if n.lease != nil {
			leases = append(leases, n.lease)
		}
	}
	if _, err := tx.InsertFlowRuns(ctx, runs, past...); err != nil {
		return err
	}
	if err := tx.PutLeases(ctx, leases); err != nil {
		return err
	}
	for _, n := range list {
		if err := s.emitFlowTransition(ctx, tx, out, n.run, nil, n.events...); err != nil {
			return err
		}
	}
	return nil
}
