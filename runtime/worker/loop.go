package worker

import (
	"context"
	"maps"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/core"
)

// outage returns the pauses between failed calls: short at first, since most
// outages are restarts.
func outage() *backoff.Pauses {
	return &backoff.Pauses{First: 100 * time.Millisecond, Limit: 4 * time.Second}
}

func (w *Worker) pollLoop(ctx context.Context) {
	again, failing := outage(), false
	for ctx.Err() == nil {
		err := w.pollOnce(ctx)
		if err == nil {
			again.Reset()
			failing = false
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if !failing {
			w.log.Warn("poll failed; trying again", "error", err)
		}
		w.mu.Lock()
		w.fault, w.suspect = err, true
		w.mu.Unlock()
		failing = true
		_ = again.Wait(ctx)
		if !isTransient(err) { // the pool is gone, say: it may come back, but not in a moment
			_ = backoff.Sleep(ctx, 2*time.Second)
		}
		_ = w.join(ctx)
	}
}

// pollOnce asks for work once and launches what it gets.
func (w *Worker) pollOnce(ctx context.Context) error {
	w.mu.Lock()
	free := noLimit
	if w.cfg.Limit > 0 {
		free = max(0, w.cfg.Limit-len(w.runs))
	}
	req := core.PollRequest{
		Pool: w.cfg.Pool, Queues: w.cfg.Queues, Holder: w.holder, Worker: w.cfg.Name,
		Free: free, Wait: pollWait, Known: append([]core.UUID(nil), w.cancelsSeen...),
		Capability: w.capability(),
	}
	select {
	case <-w.freed:
	default:
	}
	w.mu.Unlock()

	// A full worker's poll claims nothing, so it may be broken off when a place
	// becomes free. Breaking off any other could lose a claim.
	pollCtx, stop := context.WithCancel(ctx)
	defer stop()
	if free == 0 {
		go func() {
			select {
			case <-w.freed:
				stop()
			case <-pollCtx.Done():
			}
		}()
	}
	res, err := w.orch.Poll(pollCtx, req)
	if err != nil {
		if free == 0 && pollCtx.Err() != nil && ctx.Err() == nil {
			return nil
		}
		return err
	}
	w.setFault(nil)
	for _, id := range res.Cancel {
		w.cancel(id)
	}
	for _, c := range res.Claims {
		w.launch(c)
	}
	return nil
}

func (w *Worker) heartbeatLoop(ctx context.Context) {
	t := time.NewTicker(heartbeatEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := w.join(ctx); err != nil && ctx.Err() == nil {
				w.setFault(err)
				w.log.Warn("heartbeat failed", "error", err)
			}
		}
	}
}

func (w *Worker) renewLoop(ctx context.Context) {
	t := time.NewTicker(renewEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := w.renewOnce(ctx); err != nil && ctx.Err() == nil {
				w.log.Warn("leases could not be renewed", "error", err)
			}
		}
	}
}

// renewOnce keeps the leases, stops runs whose lease is lost, and gives back
// claims whose answer never arrived: their lease is ours, and renewing all of
// a holder's leases would keep such a run pending for ever.
func (w *Worker) renewOnce(ctx context.Context) error {
	w.mu.Lock()
	before := make(map[core.UUID]*run, len(w.runs))
	maps.Copy(before, w.runs)
	idle := len(before) == 0 && !w.suspect && len(w.unclaimed) == 0
	w.mu.Unlock()
	if idle {
		return nil
	}
	held, err := w.orch.RenewLeases(ctx, w.holder)
	if err != nil {
		return err
	}
	ours := make(map[core.UUID]bool, len(held))
	var lost []core.UUID
	w.mu.Lock()
	unclaimed := map[core.UUID]bool{}
	for _, id := range held {
		ours[id] = true
		if w.runs[id] == nil && before[id] == nil {
			if w.unclaimed[id] { // twice in a row: its answer is not on the way any more
				lost = append(lost, id)
			}
			unclaimed[id] = true
		}
	}
	w.unclaimed, w.suspect = unclaimed, false
	w.mu.Unlock()
	for _, id := range lost {
		w.log.Warn("a claim was lost on its way; handing it back", "flow_run", id)
		if _, err := w.orch.ReportCrash(ctx, id, "the claim did not reach its worker", true); err != nil && !isTransient(err) {
			w.log.Warn("could not hand back a claim", "flow_run", id, "error", err)
		}
	}
	for id, r := range before {
		if !ours[id] {
			w.checkLost(ctx, id, r)
		}
	}
	return nil
}

// checkLost looks at a run that holds no lease of ours. It has one no longer
// when the engine has ended it and is about to exit; else somebody took it.
func (w *Worker) checkLost(ctx context.Context, id core.UUID, r *run) {
	if r.ended() {
		return
	}
	fr, err := w.orch.FlowRun(ctx, id)
	if err != nil && !core.IsNotFound(err) {
		return
	}
	if err == nil && fr.StateType != core.Running && fr.StateType != core.Pending && r.lingers() < lingerMax {
		return
	}
	w.log.Warn("the lease of a run is lost; its process is killed", "flow_run", id)
	r.stop(w.cfg.LostCause)
}

// lingerMax is how many renewals a process may outlive the end of its run.
const lingerMax = 4

// cancel acts on a request once.
func (w *Worker) cancel(id core.UUID) {
	w.mu.Lock()
	w.cancelsSeen = append(w.cancelsSeen, id)
	if len(w.cancelsSeen) > 1000 {
		w.cancelsSeen = w.cancelsSeen[len(w.cancelsSeen)-500:]
	}
	r := w.runs[id]
	w.mu.Unlock()
	if r == nil {
		// Leased to us, yet not here: nothing will answer for it but us.
		w.running.Go(func() { w.acknowledge(w.runCtx, id, core.UUID{}, "cancelled before it had started") })
		return
	}
	r.stop(w.cfg.CancelCause)
}
