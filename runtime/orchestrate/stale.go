package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// MarkStaleOffline notices what fell silent: workers without heartbeat go OFFLINE,
// pools without workers and queues and deployments that nobody polls become
// NOT_READY. Runs of silent clients end (CrashSilentRuns). It returns how many
// changed.
func (s *Service) MarkStaleOffline(ctx context.Context) (n int, err error) {
	now := s.now()
	stale, err := s.store.StaleWorkers(ctx, now)
	if err != nil {
		return 0, err
	}
	if len(stale) > 0 {
		err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
			for _, w := range stale {
				// It may have been heard of since.
				fresh, err := tx.Worker(ctx, w.WorkPoolID, w.Name)
				if core.IsNotFound(err) || err == nil && fresh.LastHeartbeatTime != w.LastHeartbeatTime {
					continue
				}
				if err != nil {
					return err
				}
				fresh.Status, fresh.Updated = core.Offline, now
				if err := tx.UpsertWorker(ctx, fresh); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		n += len(stale)
	}
	pools, err := s.store.WorkPools(ctx, nil, core.Page{})
	if err != nil {
		return n, err
	}
	for _, p := range pools {
		if core.Deref(p.Status) != core.Ready {
			continue
		}
		if status, err := workersStatus(ctx, s.store, p.ID); err != nil {
			return n, err
		} else if status == core.Ready {
			continue
		}
		err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
			p, err := tx.LockWorkPool(ctx, p.ID)
			if err != nil {
				return err
			}
			status, err := workersStatus(ctx, tx, p.ID)
			if err != nil || status == core.Ready || core.Deref(p.Status) != core.Ready {
				return err
			}
			s.poolStatus(ctx, tx, out, p, core.NotReady)
			p.Updated = now
			return tx.UpdateWorkPool(ctx, p)
		})
		if err != nil && !core.IsNotFound(err) {
			return n, err
		}
		n++
	}
	var changed int
	err = s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		queues, deployments, err := tx.UnpolledNotReady(ctx, now.Add(-readyFor))
		if err != nil {
			return err
		}
		changed = len(queues) + len(deployments)
		for _, id := range queues {
			q, err := tx.WorkQueue(ctx, id)
			if err != nil {
				return err
			}
			p, err := tx.WorkPool(ctx, q.WorkPoolID)
			if err != nil {
				return err
			}
			out.Event(queueEvent(p, q, core.NotReady, now))
		}
		for _, id := range deployments {
			d, err := tx.Deployment(ctx, id)
			if err != nil {
				return err
			}
			out.Event(s.deploymentEvent(ctx, tx, d, core.NotReady))
		}
		return nil
	})
	if n += changed; err != nil {
		return n, err
	}
	silent, err := s.CrashSilentRuns(ctx)
	return n + silent, err
}
