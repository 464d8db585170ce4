package orchestrate

import (
	"context"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	maxWait   = 30 * time.Second
	pollAgain = 3 * time.Second // a wake-up may be lost; the database is asked anyway
)

// errStopping ends who waits: to be told that there is nothing would be wrong.
var errStopping = core.Errorf(core.EUnavailable, "the server is stopping; try again in a moment")

// Poll claims runs for a worker: PENDING and leased when it returns. It waits
// until there is work, a cancellation or the end of r.Wait. ENotFound for an
// unknown pool or queue, EInvalid for a pool whose runs need another worker.
func (s *Service) Poll(ctx context.Context, r core.PollRequest) (*core.PollResponse, error) {
	pool, err := s.store.WorkPoolByName(ctx, r.Pool)
	if core.IsNotFound(err) {
		return nil, core.Errorf(core.ENotFound, "Work pool %q not found.", r.Pool)
	}
	if err != nil {
		return nil, err
	}
	if err := pool.CheckOwnWorkers(); err != nil {
		return nil, err
	}
	if err := s.keepReady(ctx, pool, r.Queues); err != nil {
		return nil, err
	}
	if pool.HasCommand() {
		r.Flows = nil
	}
	// Listening begins before looking, so that nothing falls between.
	sub := s.bus.Subscribe(core.TopicWork, pool.ID.String(), 1)
	defer sub.Close()
	deadline := time.NewTimer(min(max(r.Wait.Duration(), 0), maxWait))
	defer deadline.Stop()
	for {
		answer, next, err := s.pollOnce(ctx, pool.ID, r)
		if err != nil || len(answer.Claims) > 0 || len(answer.Cancel) > 0 {
			return answer, err
		}
		again := time.NewTimer(min(next, pollAgain))
		select {
		case _, open := <-sub.C():
			again.Stop()
			if !open {
				return nil, errStopping
			}
		case <-again.C:
		case <-deadline.C:
			again.Stop()
			return answer, nil
		case <-ctx.Done():
			again.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// pollOnce looks without a transaction first: most wake-ups are for others.
// next is how long until the pool's next run is due.
func (s *Service) pollOnce(ctx context.Context, poolID core.UUID, r core.PollRequest) (*core.PollResponse, time.Duration, error) {
	answer := &core.PollResponse{Claims: []core.Claim{}, Cancel: []core.UUID{}}
	cancelling, err := s.store.CancellingOf(ctx, r.Holder)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range cancelling {
		if !slices.Contains(r.Known, id) {
			answer.Cancel = append(answer.Cancel, id)
		}
	}
	if r.Free <= 0 {
		return answer, pollAgain, nil
	}
	due, err := s.store.NextClaimable(ctx, poolID, r.Capability)
	if err != nil || due == 0 {
		return answer, pollAgain, err
	}
	if wait := due.Sub(s.now()); wait > 0 {
		return answer, wait, nil
	}
	answer.Claims, err = s.claim(ctx, poolID, r)
	// Runs that are due but held back by a limit wake nobody by their time.
	return answer, pollAgain, err
}

// claim takes as many due runs as the pool, its queues, their deployments and
// the worker have room for.
func (s *Service) claim(ctx context.Context, poolID core.UUID, r core.PollRequest) ([]core.Claim, error) {
	var claims []core.Claim
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		claims = nil
		pool, err := tx.LockWorkPool(ctx, poolID)
		if err != nil || pool.IsPaused {
			return err
		}
		queues, err := queuesOf(ctx, tx, pool, r.Queues)
		if err != nil {
			return err
		}
		var load map[core.UUID]int64
		if limited(pool, queues) {
			if load, err = tx.PoolLoad(ctx, poolID); err != nil {
				return err
			}
		}
		room := roomOf(pool.ConcurrencyLimit, sum(load))
		flows := map[core.UUID]*core.Flow{}
		full := map[core.UUID]bool{}
		for _, q := range queues {
			free := min(r.Free-len(claims), room, roomOf(q.ConcurrencyLimit, load[q.ID]))
			if q.IsPaused || free <= 0 {
				continue
			}
			got, err := s.claimFrom(ctx, tx, out, q, r.Capability, free, full)
			if err != nil {
				return err
			}
			for _, c := range got {
				l := newLease(c.FlowRun.ID, r.Holder, r.Worker, s.now())
				if err := tx.PutLease(ctx, l); err != nil {
					return err
				}
				if flows[c.FlowRun.FlowID] == nil {
					if flows[c.FlowRun.FlowID], err = tx.Flow(ctx, c.FlowRun.FlowID); err != nil {
						return err
					}
				}
				c.Token, c.Flow, c.WorkPool = l.Token, flows[c.FlowRun.FlowID], pool
				c.Auth = s.runAuth(l.FlowRunID, l.Token)
				claims = append(claims, c)
			}
			room -= len(got)
		}
		return nil
	})
	if err != nil || claims == nil {
		return []core.Claim{}, err
	}
	return claims, nil
}

// claimFrom makes due runs of one queue PENDING. Runs of a deployment whose
// limit is full stay SCHEDULED, so that a freed slot wakes them at once; only
// when they fill the whole page are they set back, to let others through.
func (s *Service) claimFrom(ctx context.Context, tx claimTx, out *commit.Outbox, q *core.WorkQueue, can core.Capability,
	free int, full map[core.UUID]bool) ([]core.Claim, error) {
	// Reading a page costs more than claiming one run: most often the first few
	// can be had.
	few := min(free+spare, core.MaxLimit)
	got, blocked, seen, err := s.claimPage(ctx, tx, out, q, can, free, full, few)
	if err != nil || seen < few || len(got) == free {
		return got, err
	}
	if few < core.MaxLimit {
		var rest []core.Claim
		rest, blocked, seen, err = s.claimPage(ctx, tx, out, q, can, free-len(got), full, core.MaxLimit)
		if got = append(got, rest...); err != nil {
			return nil, err
		}
	}
	if seen == core.MaxLimit && len(got) == 0 {
		return nil, s.setBack(ctx, tx, out, blocked)
	}
	return got, nil
}

// spare is how many runs more than it has room for a claim looks at first.
const spare = 4

// claimPage looks at the first runs that are due, at most limit; seen is how
// many it found.
func (s *Service) claimPage(ctx context.Context, tx claimTx, out *commit.Outbox, q *core.WorkQueue, can core.Capability,
	free int, full map[core.UUID]bool, limit int) (got []core.Claim, blocked []*core.FlowRun, seen int, err error) {
	due, err := tx.ClaimableFlowRuns(ctx, q.ID, can, s.now(), limit)
	if err != nil {
		return nil, nil, 0, err
	}
	for _, r := range due {
		if len(got) >= free {
			break
		}
		if full[r.DeploymentID] {
			blocked = append(blocked, r)
			continue
		}
		run, err := tx.LockFlowRun(ctx, r.ID)
		if core.IsNotFound(err) || err == nil && run.StateType != core.Scheduled {
			continue
		}
		if err != nil {
			return nil, nil, 0, err
		}
		f := rules.Facts{Now: s.now()}
		if rules.NeedsSlot(run, core.Pending) {
			if err := s.loadSlots(ctx, tx, run, &f); err != nil {
				return nil, nil, 0, err
			}
		}
		d := rules.DecideFlow(run, core.StateCreate{Type: core.Pending}.State(f.Now), f, rules.Flow)
		if d.Status == core.Abort {
			// The limit is 0, or the deployment is gone: it may change.
			full[run.DeploymentID] = true
			continue
		}
		if d.State.Name == core.NameAwaitingConcurrencySlot {
			full[run.DeploymentID] = true
			blocked = append(blocked, run)
			continue
		}
		if err := s.limits.KeepSlot(ctx, tx, run, f.Deployment, false); err != nil {
			return nil, nil, 0, err
		}
		if err := s.enterFlow(ctx, tx, out, run, &d, core.Pending); err != nil {
			return nil, nil, 0, err
		}
		if run.StateType == core.Pending {
			got = append(got, core.Claim{FlowRun: run, Deployment: f.Deployment})
		}
	}
	return got, blocked, len(due), nil
}

func (s *Service) setBack(ctx context.Context, tx stateTx, out *commit.Outbox, blocked []*core.FlowRun) error {
	for _, r := range blocked {
		run, err := tx.LockFlowRun(ctx, r.ID)
		if err != nil {
			return err
		}
		now := s.now()
		d := rules.Decision{Status: core.Reject, Policy: run.EmpiricalPolicy,
			State: rules.ScheduledAt(now.Add(rules.SlotRetry), core.NameAwaitingConcurrencySlot, "", now)}
		if err := s.enterFlow(ctx, tx, out, run, &d, core.Pending); err != nil {
			return err
		}
	}
	return nil
}

// limited says whether counting a pool's runs is worth it.
func limited(pool *core.WorkPool, queues []*core.WorkQueue) bool {
	return pool.ConcurrencyLimit != nil || slices.ContainsFunc(queues, func(q *core.WorkQueue) bool { return q.ConcurrencyLimit != nil })
}

func roomOf(limit *int64, taken int64) int {
	if limit == nil {
		return core.MaxLimit
	}
	return int(max(*limit-taken, 0))
}

func sum(load map[core.UUID]int64) (n int64) {
	for _, v := range load {
		n += v
	}
	return n
}

// keepReady keeps the queues of a poll, and the deployments that wait in them,
// READY. It looks only now and then: polls come often.
func (s *Service) keepReady(ctx context.Context, pool *core.WorkPool, names []string) error {
	now := s.now()
	key := core.NameID(append([]string{pool.ID.String()}, names...)...)
	s.marks.Lock()
	fresh := now.Before(s.marks.at[key].Add(polledEvery))
	s.marks.Unlock()
	if fresh {
		return nil
	}
	queues, err := queuesOf(ctx, s.store, pool, names)
	if err != nil {
		return err
	}
	if err := s.markPolled(ctx, pool, queues); err != nil {
		return err
	}
	s.marks.Lock()
	s.marks.at[key] = now
	s.marks.Unlock()
	return nil
}
