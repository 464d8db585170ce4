package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// Heartbeat says that a worker lives, which makes its pool ready; the last one
// that it is offline, and the pool not ready if it was the only one.
func (s *Service) Heartbeat(ctx context.Context, pool string, h core.WorkerHeartbeat) error {
	if err := core.CheckName("worker", h.Name); err != nil {
		return err
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		p, err := poolByName(ctx, tx, pool)
		if err != nil {
			return err
		}
		now, status := s.now(), core.Online
		if h.LastAfter != nil {
			status = core.Offline
			if w, err := tx.Worker(ctx, p.ID, h.Name); err == nil && now.Sub(w.LastHeartbeatTime) < h.LastAfter.Duration()-time.Second {
				return nil // another one of the name has been heard of since
			}
		}
		if err := tx.UpsertWorker(ctx, &core.Worker{
			ID: core.NewID(), Created: now, Updated: now, Name: h.Name, WorkPoolID: p.ID,
			LastHeartbeatTime: now, HeartbeatIntervalSeconds: h.HeartbeatIntervalSeconds, Status: status, Flows: h.Flows,
		}); err != nil {
			return err
		}
		ready := core.Ready
		if h.LastAfter != nil {
			if ready, err = workersStatus(ctx, tx, p.ID); err != nil {
				return err
			}
		}
		if p.IsPaused || core.Deref(p.Status) == ready {
			return nil
		}
		s.poolStatus(ctx, tx, out, p, ready)
		return tx.UpdateWorkPool(ctx, p)
	})
}

// DeleteWorker returns ENotFound if the pool has no such worker.
func (s *Service) DeleteWorker(ctx context.Context, pool, name string) error {
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		p, err := poolByName(ctx, tx, pool)
		if err != nil {
			return err
		}
		if _, err := tx.Worker(ctx, p.ID, name); err != nil {
			return err
		}
		return tx.DeleteWorker(ctx, p.ID, name)
	})
}
