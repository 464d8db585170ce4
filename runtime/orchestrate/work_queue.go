package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// readyFor is how long after a poll a queue or deployment counts as ready.
const readyFor = 60 * time.Second

// CreateWorkQueue makes a queue in a pool ("" is the default agent pool, made
// if there is none). A taken priority moves the others down.
func (s *Service) CreateWorkQueue(ctx context.Context, pool string, c core.WorkQueueCreate) (*core.WorkQueue, error) {
	if err := core.CheckName("work queue", c.Name); err != nil {
		return nil, err
	}
	if err := checkLimit(c.ConcurrencyLimit); err != nil {
		return nil, err
	}
	var queue *core.WorkQueue
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		p, err := s.poolOrAgents(ctx, tx, pool)
		if err != nil {
			return err
		}
		if _, err := tx.WorkQueueByName(ctx, p.ID, c.Name); err == nil {
			return core.Errorf(core.EConflict, "A work queue with this name already exists.")
		}
		queue, err = s.insertQueue(ctx, tx, p, c)
		out.Pool(p.ID)
		return err
	})
	return queue, err
}

func (s *Service) poolOrAgents(ctx context.Context, tx poolTx, pool string) (*core.WorkPool, error) {
	if pool != "" && pool != core.DefaultAgentPool {
		return poolByName(ctx, tx, pool)
	}
	p, err := tx.WorkPoolByName(ctx, core.DefaultAgentPool)
	if core.IsNotFound(err) {
		return s.insertPool(ctx, tx, core.WorkPoolCreate{Name: core.DefaultAgentPool})
	}
	return p, err
}

func (s *Service) insertQueue(ctx context.Context, tx poolTx, p *core.WorkPool, c core.WorkQueueCreate) (*core.WorkQueue, error) {
	now := s.now()
	q := &core.WorkQueue{
		ID: core.NewID(), Created: now, Updated: now, Name: c.Name, Description: c.Description, IsPaused: c.IsPaused,
		ConcurrencyLimit: c.ConcurrencyLimit, WorkPoolID: p.ID, WorkPoolName: &p.Name, Filter: c.Filter, Status: core.Ptr(core.NotReady),
	}
	if q.Description == nil {
		q.Description = core.Ptr("")
	}
	if q.IsPaused {
		q.Status = core.Ptr(core.StatusPaused)
	}
	others, err := tx.WorkQueues(ctx, p.ID, nil, core.Page{})
	if err != nil {
		return nil, err
	}
	if c.Priority != nil {
		if *c.Priority < 1 {
			return nil, core.InvalidField("priority", "priority must be 1 or more; 1 is served first")
		}
		q.Priority = *c.Priority
		if err := shift(ctx, tx, others, q.Priority); err != nil {
			return nil, err
		}
	} else {
		taken := map[int64]bool{}
		for _, o := range others {
			taken[o.Priority] = true
		}
		for q.Priority = 1; taken[q.Priority]; {
			q.Priority++
		}
	}
	return q, tx.InsertWorkQueue(ctx, q)
}

// shift frees a priority: the queue that has it, and those that follow without
// a gap, move down by one. Lowest first, since priorities are unique.
func shift(ctx context.Context, tx poolTx, others []*core.WorkQueue, at int64) error {
	byPriority := map[int64]*core.WorkQueue{}
	for _, o := range others {
		byPriority[o.Priority] = o
	}
	end := at
	for byPriority[end] != nil {
		end++
	}
	for p := end - 1; p >= at; p-- {
		byPriority[p].Priority = p + 1
		if err := tx.UpdateWorkQueue(ctx, byPriority[p]); err != nil {
			return err
		}
	}
	return nil
}

// UpdateWorkQueue returns ENotFound if there is no such queue.
func (s *Service) UpdateWorkQueue(ctx context.Context, id core.UUID, u core.WorkQueueUpdate) error {
	if u.Name.Set {
		if err := core.CheckName("work queue", u.Name.V); err != nil {
			return err
		}
	}
	if err := checkLimit(u.ConcurrencyLimit.Ptr()); err != nil {
		return err
	}
	if u.Priority.Set && u.Priority.V < 1 {
		return core.InvalidField("priority", "priority must be 1 or more; 1 is served first")
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		q, err := tx.WorkQueue(ctx, id)
		if err != nil {
			return err
		}
		p, err := tx.WorkPool(ctx, q.WorkPoolID)
		if err != nil {
			return err
		}
		now := s.now()
		if u.Name.Set {
			if other, err := tx.WorkQueueByName(ctx, p.ID, u.Name.V); err == nil && other.ID != id {
				return core.Errorf(core.EConflict, "A work queue with this name already exists.")
			}
			q.Name = u.Name.V
		}
		if u.Description.Set {
			q.Description = u.Description.Ptr()
		}
		if u.ConcurrencyLimit.Set {
			q.ConcurrencyLimit = u.ConcurrencyLimit.Ptr()
		}
		if u.LastPolled.Set {
			q.LastPolled = u.LastPolled.Or(0)
		}
		if u.Filter.Set {
			q.Filter = u.Filter.Or(nil)
		}
		if u.IsPaused.Set && !u.IsPaused.Null {
			q.IsPaused = u.IsPaused.V
			status := core.StatusPaused
			if !q.IsPaused {
				status = core.NotReady
				if q.LastPolled != 0 && now.Sub(q.LastPolled) < readyFor {
					status = core.Ready
				}
			}
			if core.Deref(q.Status) != status {
				q.Status = &status
				out.Event(queueEvent(p, q, status, now))
			}
		}
		q.Updated = now
		if u.Priority.Set && u.Priority.V != q.Priority {
			all, err := tx.WorkQueues(ctx, p.ID, nil, core.Page{})
			if err != nil {
				return err
			}
			others, lowest := all[:0], u.Priority.V
			for _, o := range all {
				lowest = max(lowest, o.Priority)
				if o.ID != id {
					others = append(others, o)
				}
			}
			// Out of the way first: two queues may not share a priority even in passing.
			q.Priority = lowest + 2
			if err := tx.UpdateWorkQueue(ctx, q); err != nil {
				return err
			}
			if err := shift(ctx, tx, others, u.Priority.V); err != nil {
				return err
			}
			q.Priority = u.Priority.V
		}
		out.Pool(p.ID)
		return tx.UpdateWorkQueue(ctx, q)
	})
}

// DeleteWorkQueue refuses a pool's default queue (EBadRequest).
func (s *Service) DeleteWorkQueue(ctx context.Context, id core.UUID) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		q, err := tx.WorkQueue(ctx, id)
		if err != nil {
			return err
		}
		if p, err := tx.WorkPool(ctx, q.WorkPoolID); err == nil && p.DefaultQueueID == id {
			return core.Errorf(
				core.EBadRequest,
				"%q is the default queue of work pool %q and stays as long as the pool; delete the pool, or pause the queue",
				q.Name,
				p.Name,
			)
		}
		if err := s.leaveQueues(ctx, tx, out, id); err != nil {
			return err
		}
		return tx.DeleteWorkQueue(ctx, id)
	})
}
