package automation

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/trigger"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

const (
	evaluateBatch   = 200
	evaluateRetries = 5
	closedBatch     = 2000
	// reactiveFor is how long a reactive bucket is kept beyond its end, for
	// events that come late.
	reactiveFor = time.Minute
	// leaderFor is how long an event waits for the one that it follows.
	leaderFor, leaderAgain = time.Minute, time.Second
)

// EvaluateAutomations looks at the queued events and at the buckets whose time
// is over, and fires what is to fire. Each event, and each bucket, is one
// transaction that takes it, counts it and writes the firing: whoever commits
// it has fired, and nobody else can.
func (s *Automations) EvaluateAutomations(ctx context.Context) (n int, first error) {
	if err := s.triggers.Refresh(ctx, s.store); err != nil {
		return 0, err
	}
	keep := func(err error) {
		if err == nil {
			n++
		} else if first == nil {
			first = err
		}
	}
	for {
		queued, err := s.store.DueAutomationEvents(ctx, s.now(), evaluateBatch)
		if err != nil {
			return n, err
		}
		for _, q := range queued {
			keep(s.evaluateQueued(ctx, q))
		}
		if len(queued) < evaluateBatch || first != nil || ctx.Err() != nil {
			break
		}
	}
	closed, err := s.store.ClosedBuckets(ctx, s.now(), closedBatch)
	if err != nil {
		return n, err
	}
	for _, b := range closed {
		keep(s.closeBucket(ctx, b))
	}
	return n, first
}

// evaluateQueued counts an event once; what cannot be counted is tried again,
// but not for ever, unless it was the database that was away.
func (s *Automations) evaluateQueued(ctx context.Context, q core.QueuedEvent) error {
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error { return s.evaluate(ctx, tx, out, q.EventID) })
	if err == nil || ctx.Err() != nil || core.CodeOf(err) == core.EUnavailable {
		return err
	}
	s.log.Error("event not counted for automations", "event", q.EventID, "attempt", q.Attempts+1, "error", err)
	if q.Attempts+1 < evaluateRetries {
		return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
			return tx.ParkAutomationEvent(ctx, q.EventID, s.now().Add(time.Second<<q.Attempts))
		})
	}
	return s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		_, err := tx.TakeAutomationEvent(ctx, q.EventID)
		return err
	})
}

func (s *Automations) evaluate(ctx context.Context, tx Tx, out *commit.Outbox, eventID core.UUID) error {
	taken, err := tx.TakeAutomationEvent(ctx, eventID)
	if err != nil || !taken {
		return err
	}
	found, err := tx.Events(ctx, &core.EventFilter{ID: &core.EventIDs{ID: []core.UUID{eventID}}}, core.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return err
	}
	e := found[0]
	early, err := s.beforeLeader(ctx, tx, e)
	if err != nil {
		return err
	}
	if early {
		return tx.QueueAutomationEvents(ctx, found, s.now().Add(leaderAgain))
	}
	for _, id := range s.triggers.AutomationsFor(e) {
		a, err := tx.LockAutomation(ctx, id)
		if core.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		f := &firing{s: s, tx: tx, out: out, automation: a}
		for _, t := range a.Trigger.All() {
			if !a.Enabled || t.Type != core.TriggerEvent {
				continue
			}
			if one := trigger.Compile(a, t); one.Covers(e) {
				if err := f.count(ctx, one, e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// beforeLeader: the event follows one that has not been counted yet. The
// server's own events are stored in their order, so that a leader that is not
// there will not come.
func (s *Automations) beforeLeader(ctx context.Context, tx Tx, e *core.Event) (bool, error) {
	if e.Follows.IsZero() || s.now() > e.Received.Add(leaderFor) {
		return false, nil
	}
	waits, err := tx.AutomationEventWaits(ctx, e.Follows)
	if err != nil || waits {
		return waits, err
	}
	if e.Resource["prefect.orchestration"] != "client" && isServerEvent(e) {
		return false, nil
	}
	n, err := tx.CountEvents(ctx, &core.EventFilter{ID: &core.EventIDs{ID: []core.UUID{e.Follows}}})
	return n == 0, err
}

// isServerEvent: written together with the change that it tells of.
func isServerEvent(e *core.Event) bool {
	var p struct {
		Intended *struct{} `json:"intended"`
	}
	decodeJSON(e.Payload, &p)
	return p.Intended != nil
}

// count puts an event into its bucket, which it may open.
func (f *firing) count(ctx context.Context, t *trigger.Matcher, e *core.Event) error {
	key := t.Key(e)
	b, err := f.tx.Bucket(ctx, t.ID, key)
	if err != nil && !core.IsNotFound(err) {
		return err
	}
	if err != nil {
		b = nil
	}
	if b != nil && t.StartsAfter(e.Event) && b.End <= e.Occurred {
		// The span of an earlier beginning is over; this one begins anew.
		next, fired := fill(t.Trigger, *b, e.Occurred, nil)
		if err := f.settle(ctx, t, b, next, fired); err != nil {
			return err
		}
		b = next
	}
	if b == nil {
		if b = begin(t, key, e); b == nil {
			return nil
		}
	}
	if !t.Expects(e.Event) {
		return f.tx.PutBucket(ctx, b)
	}
	next, fired := fill(t.Trigger, *b, e.Occurred, e)
	return f.settle(ctx, t, b, next, fired)
}

// settle stores what became of a bucket, and fires.
func (f *firing) settle(ctx context.Context, t *trigger.Matcher, was, next, fired *core.Bucket) (err error) {
	if next == nil {
		err = f.tx.DeleteBucket(ctx, was.TriggerID, was.Key)
	} else {
		err = f.tx.PutBucket(ctx, next)
	}
	if err != nil || fired == nil {
		return err
	}
	one := &core.Firing{ID: core.NewID(), TriggerID: t.ID, Triggered: f.now(), Labels: t.Labels(fired.Key)}
	decodeJSON(fired.LastEvent, &one.Event)
	return f.fire(ctx, t.Trigger, one)
}

// closeBucket does with a bucket what its end asks for.
func (s *Automations) closeBucket(ctx context.Context, closed *core.Bucket) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		a, err := tx.LockAutomation(ctx, closed.AutomationID)
		if core.IsNotFound(err) {
			return nil // and its buckets went with it
		}
		if err != nil {
			return err
		}
		b, err := tx.Bucket(ctx, closed.TriggerID, closed.Key)
		now := s.now()
		if core.IsNotFound(err) || err == nil && b.End > now {
			return nil // another server was faster
		}
		if err != nil {
			return err
		}
		var t *core.Trigger
		for _, one := range a.Trigger.All() {
			if one.ID == b.TriggerID {
				t = one
			}
		}
		switch {
		case t == nil || !a.Enabled:
			return tx.DeleteBucket(ctx, b.TriggerID, b.Key)
		case t.Posture == core.Reactive:
			if b.End.Add(reactiveFor) > now {
				return nil
			}
			return tx.DeleteBucket(ctx, b.TriggerID, b.Key)
		}
		next, fired := fill(t, *b, now, nil)
		return (&firing{s: s, tx: tx, out: out, automation: a}).settle(ctx, trigger.Compile(a, t), b, next, fired)
	})
}
