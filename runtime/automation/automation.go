package automation

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/trigger"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// CreateAutomation returns EInvalid, with the place, for a trigger or action
// that could never work.
func (s *Automations) CreateAutomation(ctx context.Context, c core.AutomationWrite) (*core.Automation, error) {
	now := s.now()
	a := &core.Automation{ID: core.NewID(), Created: now, Updated: now, OwnerResource: core.Deref(c.OwnerResource)}
	if err := fillAutomation(s.templates, a, c); err != nil {
		return nil, err
	}
	err := s.changeAutomations(ctx, func(tx core.Tx) error {
		if err := tx.InsertAutomation(ctx, a); err != nil {
			return err
		}
		return openBuckets(ctx, tx, a, now)
	})
	if err == nil {
		s.warnEndless(ctx, a)
	}
	return a, err
}

// warnEndless logs that an automation sets itself off. It is stored all the same:
// Prefect accepts it, and the pages and the API's answer tell of it, too.
func (s *Automations) warnEndless(ctx context.Context, a *core.Automation) {
	if endless, err := trigger.SetsItselfOff(ctx, s.store, a); endless && err == nil {
		s.log.Warn("automation sets itself off", "automation", a.Name, "id", a.ID)
	}
}

// ReplaceAutomation writes all but the owner and, unless it is given, whether
// the automation is enabled; what the old triggers had gathered is forgotten.
// ENotFound if there is no such automation.
func (s *Automations) ReplaceAutomation(ctx context.Context, id core.UUID, c core.AutomationWrite) error {
	return s.changeAutomation(ctx, id, func(a *core.Automation) (bool, error) {
		if c.Enabled == nil {
			c.Enabled = core.Ptr(a.Enabled)
		}
		old := *a
		if err := fillAutomation(s.templates, a, c); err != nil {
			return false, err
		}
		if !core.SameJSON(core.ToJSON(withoutIDs(old.Trigger)), core.ToJSON(withoutIDs(a.Trigger))) {
			return true, nil
		}
		// What it has counted since its last firing stays: nobody changed that.
		a.Trigger = old.Trigger
		return old.Enabled != a.Enabled, nil
	})
}

// withoutIDs is a copy of a trigger that says what it waits for, and no more.
func withoutIDs(t *core.Trigger) *core.Trigger {
	if t == nil {
		return nil
	}
	c := *t
	c.ID, c.Triggers = core.UUID{}, nil
	for _, inner := range t.Triggers {
		c.Triggers = append(c.Triggers, withoutIDs(inner))
	}
	return &c
}

// UpdateAutomation switches an automation on or off. ENotFound if there is none.
func (s *Automations) UpdateAutomation(ctx context.Context, id core.UUID, u core.AutomationUpdate) error {
	if u.Enabled.Null {
		return &core.Error{Code: core.EInvalid, Message: "enabled is true or false", Fields: []core.FieldError{{
			Type: "bool_type", Loc: []any{"body", "enabled"}, Msg: "Input should be a valid boolean"}}}
	}
	return s.changeAutomation(ctx, id, func(a *core.Automation) (bool, error) {
		enabled := u.Enabled.Or(a.Enabled)
		changed := enabled != a.Enabled
		a.Enabled = enabled
		return changed, nil
	})
}

// DeleteAutomation returns ENotFound if there is no such automation.
func (s *Automations) DeleteAutomation(ctx context.Context, id core.UUID) error {
	return s.changeAutomations(ctx, func(tx core.Tx) error { return tx.DeleteAutomation(ctx, id) })
}

// DeleteAutomationsOwnedBy removes those that were made for a resource, as
// every deploy asks for its deployment's.
func (s *Automations) DeleteAutomationsOwnedBy(ctx context.Context, resource string) error {
	all, err := s.store.AllAutomations(ctx)
	if err != nil || !slices.ContainsFunc(all, func(a *core.Automation) bool { return a.OwnerResource == resource }) {
		return err
	}
	return s.changeAutomations(ctx, func(tx core.Tx) error {
		_, err := tx.DeleteAutomationsOwnedBy(ctx, resource)
		return err
	})
}

// AutomationsRelatedTo are those that a resource owns, or that name it in
// their trigger or actions.
func (s *Automations) AutomationsRelatedTo(ctx context.Context, resource string) ([]*core.Automation, error) {
	all, err := s.store.AllAutomations(ctx)
	return slices.DeleteFunc(all, func(a *core.Automation) bool { return !slices.Contains(namedBy(a), resource) }), err
}

// namedBy are the resources that an automation names.
func namedBy(a *core.Automation) []string {
	ids := []string{a.OwnerResource}
	for _, t := range a.Trigger.All() {
		if t.Type != core.TriggerEvent {
			continue
		}
		for _, spec := range append(trigger.RelatedSpecs(t.MatchRelated), trigger.SpecOf(t.Match)) {
			ids = append(ids, spec["prefect.resource.id"]...)
		}
	}
	for _, act := range slices.Concat(a.Actions, a.ActionsOnTrigger, a.ActionsOnResolve) {
		if kind := targetKind(act.Type); kind != "" && !act.Target().IsZero() {
			ids = append(ids, "prefect."+kind+"."+act.Target().String())
		}
	}
	return ids
}

// changeAutomation edits one; true from edit drops what its triggers gathered.
func (s *Automations) changeAutomation(ctx context.Context, id core.UUID, edit func(*core.Automation) (bool, error)) error {
	var a *core.Automation
	err := s.changeAutomations(ctx, func(tx core.Tx) (err error) {
		a, err = tx.LockAutomation(ctx, id)
		if err != nil {
			return err
		}
		afresh, err := edit(a)
		if err != nil {
			return err
		}
		a.Updated = max(s.now(), a.Updated+1)
		if afresh {
			if err := tx.ForgetAutomation(ctx, id); err != nil {
				return err
			}
			if err := openBuckets(ctx, tx, a, s.now()); err != nil {
				return err
			}
		}
		return tx.UpdateAutomation(ctx, a)
	})
	if err == nil {
		s.warnEndless(ctx, a)
	}
	return err
}

// changeAutomations runs fn in a transaction, after which events are looked at
// with the automations as they are then.
func (s *Automations) changeAutomations(ctx context.Context, fn func(tx core.Tx) error) error {
	if err := s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error { return fn(tx) }); err != nil {
		return err
	}
	// The other servers look each second, too; but whoever made an automation
	// may at once send them an event that it is for.
	s.bus.Publish(core.Message{Topic: core.TopicTrigger})
	return s.triggers.Load(ctx, s.store)
}

// openBuckets begins to wait for what proactive triggers expect from now on.
func openBuckets(ctx context.Context, tx core.AutomationTx, a *core.Automation, now core.Time) error {
	if !a.Enabled {
		return nil
	}
	for _, t := range a.Trigger.All() {
		if t.Type == core.TriggerEvent && t.Posture == core.Proactive && len(t.After) == 0 && len(t.ForEach) == 0 {
			b := &core.Bucket{AutomationID: a.ID, TriggerID: t.ID, Key: "[]", Start: now, End: now.Add(t.Within.Duration())}
			if err := tx.PutBucket(ctx, b); err != nil {
				return err
			}
		}
	}
	return nil
}
