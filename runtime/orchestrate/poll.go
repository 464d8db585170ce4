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
		var leases []*core.Lease
		c := &claiming{can: r.Capability, full: map[core.UUID]bool{}, unlimited: map[core.UUID]*core.Deployment{}}
		for _, q := range queues {
			free := min(r.Free-len(claims), room, roomOf(q.ConcurrencyLimit, load[q.ID]))
			if q.IsPaused || free <= 0 {
				continue
			}
			got, err := s.claimFrom(ctx, tx, out, q, c, free)
			if err != nil {
				return err
			}
			for _, c := range got {
				l := newLease(c.FlowRun.ID, r.Holder, r.Worker, s.now())
				leases = append(leases, l)
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
		return tx.PutLeases(ctx, leases)
	})
	if err != nil || claims == nil {
		return []core.Claim{}, err
	}
	return claims, nil
}

// claimFrom makes due runs of one queue PENDING. Runs of a deployment whose
// limit is full stay SCHEDULED, so that a freed slot wakes them at once; only
// when they fill the whole page are they set back, to let others through.
func (s *Service) claimFrom(
	ctx context.Context, tx claimTx, out *commit.Outbox, q *core.WorkQueue, c *claiming, free int,
) ([]core.Claim, error) {
	// Reading a page costs more than claiming one run: most often the first few
	// can be had.
	few := min(free+spare, core.MaxLimit)
	got, blocked, seen, err := s.claimPage(ctx, tx, out, q, c, free, few)
	if err != nil || seen < few || len(got) == free {
		return got, err
	}
	if few < core.MaxLimit {
		var rest []core.Claim
		rest, blocked, seen, err = s.claimPage(ctx, tx, out, q, c, free-len(got), core.MaxLimit)
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

// claiming is what a claim has learned of deployments.
type claiming struct {
	can       core.Capability
	full      map[core.UUID]bool             // their runs cannot be had now
	unlimited map[core.UUID]*core.Deployment // their runs need no slot
}

// claimPage looks at the first runs that are due, at most limit; seen is how
// many it found.
func (s *Service) claimPage(
	ctx context.Context, tx claimTx, out *commit.Outbox, q *core.WorkQueue, c *claiming, free, limit int,
) (got []core.Claim, blocked []core.UUID, seen int, err error) {
	due, err := tx.Claimable(ctx, q.ID, c.can, s.now(), limit)
	if err != nil {
		return nil, nil, 0, err
	}
	t := &transitions{s: s}
	for rest := due; len(got) < free && len(rest) > 0; {
		// No more are locked than can be had: others may want to change them.
		var ids []core.UUID
		for len(rest) > 0 && len(ids) < free-len(got) {
			if r := rest[0]; c.full[r.DeploymentID] {
				blocked = append(blocked, r.ID)
			} else {
				ids = append(ids, r.ID)
			}
			rest = rest[1:]
		}
		if len(ids) == 0 {
			break
		}
		runs, err := tx.LockFlowRuns(ctx, ids)
		if err != nil {
			return nil, nil, 0, err
		}
		for _, run := range runs {
			claim, err := s.claimRun(ctx, tx, out, t, c, run)
			switch {
			case err != nil:
				return nil, nil, 0, err
			case claim != nil:
				got = append(got, *claim)
			case c.full[run.DeploymentID]:
				blocked = append(blocked, run.ID)
			}
		}
	}
	return got, blocked, len(due), t.write(ctx, tx)
}

// claimRun makes a locked run PENDING. It returns nil if the run is no longer SCHEDULED,
// or if runs of its deployment cannot be had, and notes that.
func (s *Service) claimRun(
	ctx context.Context, tx claimTx, out *commit.Outbox, t *transitions, c *claiming, run *core.FlowRun,
) (*core.Claim, error) {
	if run.StateType != core.Scheduled || c.full[run.DeploymentID] {
		return nil, nil
	}
	f := rules.Facts{Now: s.now(), Deployment: c.unlimited[run.DeploymentID]}
	if rules.NeedsSlot(run, core.Pending) && f.Deployment == nil {
		if err := t.write(ctx, tx); err != nil { // a slot that was taken a moment ago counts
			return nil, err
		}
		if err := s.loadSlots(ctx, tx, run, &f); err != nil {
			return nil, err
		}
		if f.Deployment != nil && !hasSlots(f.Deployment) {
			c.unlimited[run.DeploymentID] = f.Deployment
		}
	}
	d := rules.DecideFlow(run, core.StateCreate{Type: core.Pending}.State(f.Now), f, rules.Flow)
	if d.Status == core.Abort || d.State.Name == core.NameAwaitingConcurrencySlot {
		// The limit is full or 0, or the deployment is gone: it may change.
		c.full[run.DeploymentID] = true
		return nil, nil
	}
	if err := s.limits.KeepSlot(ctx, tx, run, f.Deployment, false); err != nil {
		return nil, err
	}
	if err := t.enter(ctx, tx, out, run, &d, core.Pending); err != nil || run.StateType != core.Pending {
		return nil, err
	}
	return &core.Claim{FlowRun: run, Deployment: f.Deployment}, nil
}

func (s *Service) setBack(ctx context.Context, tx claimTx, out *commit.Outbox, blocked []core.UUID) error {
	runs, err := tx.LockFlowRuns(ctx, blocked)
	if err != nil {
		return err
	}
	t := &transitions{s: s}
	for _, run := range runs {
		now := s.now()
		d := rules.Decision{Status: core.Reject, Policy: run.EmpiricalPolicy,
			State: rules.ScheduledAt(now.Add(rules.SlotRetry), core.NameAwaitingConcurrencySlot, "", now)}
		if err := t.enter(ctx, tx, out, run, &d, core.Pending); err != nil {
			return err
		}
	}
	return t.write(ctx, tx)
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
