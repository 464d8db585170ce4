package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// polledNow reports whether workers poll the deployment's queue: a deployment
// there is READY before they say so again. A pool whose workers have all gone
// is not polled, although its queues are READY for another minute.
func (s *Service) polledNow(ctx context.Context, tx statusTx, d *core.Deployment) (bool, error) {
	if d.WorkQueueID.IsZero() {
		return false, nil
	}
	q, err := tx.WorkQueue(ctx, d.WorkQueueID)
	if err != nil || core.Deref(q.Status) != core.Ready {
		return false, err
	}
	p, err := tx.WorkPool(ctx, q.WorkPoolID)
	return err == nil && core.Deref(p.Status) != core.NotReady, err
}

// readyAtOnce makes a deployment READY whose queue is polled already: the next
// poll may be half a minute away.
func (s *Service) readyAtOnce(ctx context.Context, tx statusTx, out *commit.Outbox, d *core.Deployment) error {
	if d.Status == core.Ready {
		return nil
	}
	polled, err := s.polledNow(ctx, tx, d)
	if err != nil || !polled {
		return err
	}
	return s.polledDeployments(ctx, tx, out, []*core.Deployment{d})
}

// moved makes the status of d, which the caller writes, that of the queue it is
// in now. Polls of the queue before say nothing of it.
func (s *Service) moved(ctx context.Context, tx statusTx, out *commit.Outbox, d *core.Deployment, before core.UUID) error {
	if d.WorkQueueID == before {
		return nil
	}
	polled, err := s.polledNow(ctx, tx, d)
	if err != nil || polled {
		return err
	}
	s.notReady(ctx, tx, out, d)
	return nil
}

func (s *Service) notReady(ctx context.Context, tx nameReader, out *commit.Outbox, d *core.Deployment) {
	if d.Status == core.Ready {
		out.Event(s.deploymentEvent(ctx, tx, d, core.NotReady))
	}
	d.Status, d.LastPolled = core.NotReady, 0
}

// leaveQueues makes the deployments of queues that are about to be deleted NOT_READY.
func (s *Service) leaveQueues(ctx context.Context, tx statusTx, out *commit.Outbox, queues ...core.UUID) error {
	if len(queues) == 0 {
		return nil
	}
	in := core.Filters{WorkQueues: &core.WorkQueueFilter{ID: &core.IDFilter{Any: queues}}}
	deployments, err := tx.Deployments(ctx, in, core.Page{})
	if err != nil {
		return err
	}
	for _, d := range deployments {
		if d.Status != core.Ready {
			continue
		}
		s.notReady(ctx, tx, out, d)
		if err := tx.UpdateDeployment(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
