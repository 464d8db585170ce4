package automation

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

// firing is the evaluation of one automation within one transaction.
type firing struct {
	s          *Automations
	tx         Tx
	out        *commit.Outbox
	automation *core.Automation
	last       core.Time
}

// now never stands still: sequences go by the order of firings.
func (f *firing) now() core.Time {
	f.last = max(f.s.now(), f.last+1)
	return f.last
}

// fire lets a trigger fire: the automation, if it is its own trigger, or the
// trigger around it, once enough of those within have fired.
func (f *firing) fire(ctx context.Context, t *core.Trigger, one *core.Firing) error {
	parent := parentOf(f.automation.Trigger, t.ID)
	if parent == nil {
		return f.act(ctx, one)
	}
	if trigger.Needed(parent) == 1 {
		return f.fire(ctx, parent, f.around(parent, one, one))
	}
	if parent.Within != nil {
		if err := f.tx.DeleteChildFirings(ctx, parent.ID, one.Triggered.Add(-parent.Within.Duration())); err != nil {
			return err
		}
	}
	err := f.tx.PutChildFiring(ctx, &core.ChildFiring{AutomationID: f.automation.ID, ParentID: parent.ID, TriggerID: t.ID,
		Fired: one.Triggered, Firing: core.ToJSON(one)})
	if err != nil {
		return err
	}
	children, err := f.tx.ChildFirings(ctx, parent.ID)
	if err != nil || !complete(parent, children) {
		return err
	}
	if err := f.tx.DeleteChildFirings(ctx, parent.ID, one.Triggered+1); err != nil {
		return err
	}
	within := make([]*core.Firing, len(children))
	for i, c := range children {
		decodeJSON(c.Firing, &within[i])
	}
	return f.fire(ctx, parent, f.around(parent, one, within...))
}

func (f *firing) around(parent *core.Trigger, last *core.Firing, within ...*core.Firing) *core.Firing {
	return &core.Firing{
		ID:        core.NewID(),
		TriggerID: parent.ID,
		Triggered: f.now(),
		Labels:    map[string]string{},
		Event:     last.Event,
		Within:    within,
	}
}

func parentOf(t *core.Trigger, id core.UUID) *core.Trigger {
	for _, child := range t.Triggers {
		if child.ID == id {
			return t
		}
		if p := parentOf(child, id); p != nil {
			return p
		}
	}
	return nil
}

// complete: the firings, oldest first, are what the trigger waits for.
func complete(t *core.Trigger, firings []*core.ChildFiring) bool {
	if t.Type == core.TriggerCompound {
		return len(firings) >= trigger.Needed(t)
	}
	return slices.EqualFunc(t.Triggers, firings, func(t *core.Trigger, f *core.ChildFiring) bool { return t.ID == f.TriggerID })
}

// act tells of the firing and puts down what is to be done, in the firing's
// own transaction.
func (f *firing) act(ctx context.Context, one *core.Firing) error {
	a := f.automation
	e := triggeredEvent(a, one)
	f.out.Event(e)
	index := int64(0)
	put := func(actions []*core.AutomationAction, with *core.Firing) error {
		for _, action := range actions {
			err := f.tx.InsertDueAction(ctx, &core.DueAction{ID: core.NewID(), AutomationID: a.ID, Index: index,
				Action: core.ToJSON(action), Firing: core.ToJSON(with), Triggered: one.Triggered, Due: f.s.now()})
			if err != nil {
				return err
			}
			index++
		}
		return nil
	}
	if err := put(a.Actions, one); err != nil {
		return err
	}
	told := *one
	told.Event = e
	if err := put(a.ActionsOnTrigger, &told); err != nil {
		return err
	}
	if index > 0 {
		f.out.Actions()
	}
	return nil
}

func triggeredEvent(a *core.Automation, one *core.Firing) *core.Event {
	e := &core.Event{
		ID: core.NewID(), Occurred: one.Triggered, Event: "prefect.automation.triggered",
		Resource: map[string]string{"prefect.resource.id": a.Resource(), "prefect.resource.name": a.Name},
		Related:  []map[string]string{},
		Payload:  core.ToJSON(map[string]any{"triggering_labels": one.Labels, "triggering_event": one.Event}),
	}
	if a.Trigger.Posture != "" {
		e.Resource["prefect.posture"] = a.Trigger.Posture
	}
	if one.Event != nil {
		e.Related = append(e.Related, map[string]string{
			"prefect.resource.id": "prefect.event." + one.Event.ID.String(), "prefect.resource.role": "triggering-event"})
	}
	return e
}

func decodeJSON(j core.JSON, v any) {
	if len(j) > 0 {
		_ = core.Unmarshal(j, v)
	}
}
