package automation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/backoff"
	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

const (
	actionBatch  = 50
	actionsAtOne = 8
	// actionFor is how long an action may take; actionClaim, which is longer, is
	// when one that was begun is taken for lost with its server.
	actionFor   = 45 * time.Second
	actionClaim = time.Minute
	actionTries = 3
	actionAgain = 500 * time.Millisecond
	// actionReturn is how long a server that stops waits to give a claim back.
	actionReturn = 2 * time.Second
)

// DoActions does what automations have put down. An action is claimed in one
// transaction before it is done, and struck out with the events that tell of
// it: of many servers one does it. Only an action whose server died while
// doing it is done again, and fails once that has happened actionTries times.
func (s *Automations) DoActions(ctx context.Context) (n int, first error) {
	for _, a := range s.claims.take() {
		s.returnAction(ctx, a)
	}
	for {
		due, err := s.store.DueActions(ctx, s.now(), actionBatch)
		if err != nil || len(due) == 0 {
			return n, err
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		slots := make(chan struct{}, actionsAtOne)
		for _, actions := range byFiring(due) {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				for _, a := range actions {
					err := s.doAction(ctx, a)
					mu.Lock()
					if err == nil {
						n++
					} else if first == nil {
						first = err
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if first != nil || ctx.Err() != nil || len(due) < actionBatch {
			return n, first
		}
	}
}

// byFiring keeps the actions of one firing together, in their order.
func byFiring(due []*core.DueAction) (groups [][]*core.DueAction) {
	type key struct {
		automation core.UUID
		triggered  core.Time
	}
	at := map[key]int{}
	for _, a := range due {
		k := key{a.AutomationID, a.Triggered}
		i, has := at[k]
		if !has {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], a)
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b *core.DueAction) int { return int(a.Index - b.Index) })
	}
	return groups
}

// invocation is one action on its way.
type invocation struct {
	*core.DueAction
	automation *core.Automation
	action     *core.AutomationAction
	firing     *core.Firing
	related    []map[string]string // what the events tell that it acted on
	details    map[string]any
}

// actionError is an action that failed for a reason that its user is told.
type actionError string

func (e actionError) Error() string { return string(e) }

func failed(format string, args ...any) error { return actionError(fmt.Sprintf(format, args...)) }

func (s *Automations) doAction(ctx context.Context, due *core.DueAction) error {
	var claimed bool
	err := s.store.Write(ctx, func(tx core.Tx) (err error) {
		claimed, err = tx.ClaimDueAction(ctx, due, s.now().Add(actionClaim))
		return err
	})
	if err != nil || !claimed {
		return err
	}
	err = s.attemptAction(ctx, due)
	if err != nil && (ctx.Err() != nil || core.CodeOf(err) == core.EUnavailable) {
		s.returnAction(ctx, due)
	}
	return err
}

// attemptAction performs a claimed action. A claim that is neither finished nor
// returned was interrupted: its process died, perhaps because of the action.
func (s *Automations) attemptAction(ctx context.Context, due *core.DueAction) (err error) {
	inv := &invocation{DueAction: due, details: map[string]any{}, action: &core.AutomationAction{}, firing: &core.Firing{}}
	decodeJSON(due.Action, inv.action)
	decodeJSON(due.Firing, inv.firing)
	if inv.automation, err = s.store.Automation(ctx, due.AutomationID); err != nil {
		return err
	}
	if due.Attempts >= actionTries {
		return s.finishAction(ctx, inv, failed("The action was interrupted %d times before it finished and is not started again: "+
			"each time, its server exited or stopped responding. Check the server's log, and what the action renders or calls", due.Attempts))
	}
	err = s.performWithRetry(ctx, inv)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// The database's own trouble is no outcome: the action is done later, and
	// where the trouble may lie in the action, not for ever.
	if code := core.CodeOf(err); err != nil && !errors.As(err, new(actionError)) &&
		(code == core.EUnavailable || code == core.EInternal && !errors.Is(err, context.DeadlineExceeded) && due.Attempts+1 < actionTries) {
		return err
	}
	return s.finishAction(ctx, inv, err)
}

// returnAction gives a claim back, so that a shutdown and an unavailable
// database do not count as interruptions. Where the database does not take it,
// it is given back when DoActions runs again.
func (s *Automations) returnAction(ctx context.Context, due *core.DueAction) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actionReturn)
	defer cancel()
	err := s.store.Write(ctx, func(tx core.Tx) error { return tx.ReturnDueAction(ctx, due, s.now()) })
	if err != nil {
		s.claims.keep(due)
	}
}

// unreturned are claimed actions that the database was not there to take back.
type unreturned struct {
	mu      sync.Mutex
	actions []*core.DueAction
}

func (u *unreturned) keep(a *core.DueAction) {
	u.mu.Lock()
	u.actions = append(u.actions, a)
	u.mu.Unlock()
}

func (u *unreturned) take() (actions []*core.DueAction) {
	u.mu.Lock()
	actions, u.actions = u.actions, nil
	u.mu.Unlock()
	return actions
}

// performWithRetry outlasts a restart of the database within the claim.
func (s *Automations) performWithRetry(ctx context.Context, inv *invocation) error {
	ctx, cancel := context.WithTimeout(ctx, actionFor)
	defer cancel()
	again := backoff.Pauses{First: actionAgain, Limit: 10 * actionAgain}
	for {
		err := s.perform(ctx, inv)
		if core.CodeOf(err) != core.EUnavailable || errors.As(err, new(actionError)) {
			return err
		}
		inv.related, inv.details = nil, map[string]any{}
		if again.Wait(ctx) != nil {
			return err
		}
	}
}

// finishAction strikes an action out and tells how it went. The events' ids
// come from the invocation, so that they are told once.
func (s *Automations) finishAction(ctx context.Context, inv *invocation, outcome error) error {
	if outcome != nil {
		s.log.Warn("automation's action failed", "automation", inv.automation.Name, "action", inv.action.Type, "error", outcome)
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		if there, err := tx.DeleteDueAction(ctx, inv.ID); err != nil || !there {
			return err
		}
		out.Event(inv.event("triggered", inv.Triggered, nil))
		if outcome == nil {
			out.Event(inv.event("executed", s.now(), inv.details))
			return nil
		}
		inv.details["reason"] = outcome.Error()
		out.Event(inv.event("failed", s.now(), inv.details))
		return nil
	})
}

func (inv *invocation) event(what string, at core.Time, details map[string]any) *core.Event {
	a := inv.automation
	payload := map[string]any{"action_index": inv.Index, "action_type": inv.action.Type, "invocation": inv.ID}
	maps.Copy(payload, details)
	e := &core.Event{
		ID: core.NameID("action", inv.ID.String(), what), Occurred: at, Event: "prefect.automation.action." + what,
		Resource: map[string]string{"prefect.resource.id": a.Resource(), "prefect.resource.name": a.Name, "prefect.trigger-type": a.Trigger.Type},
		Related:  inv.related, Payload: core.ToJSON(payload),
	}
	if e.Related == nil {
		e.Related = []map[string]string{}
	}
	if what == "failed" && a.Trigger.Posture != "" {
		e.Resource["prefect.posture"] = a.Trigger.Posture
	}
	if what != "triggered" {
		e.Follows = core.NameID("action", inv.ID.String(), "triggered")
	}
	return e
}
