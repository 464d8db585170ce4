package trigger

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// runStates are the states that every run enters unless it fails.
var runStates = []string{"Scheduled", "Pending", "Running", "Completed"}

// Endless reports whether each run that an action starts sets the trigger off
// again. It holds the events that such a run emits against the trigger: those of
// the states from Scheduled to Completed. Runs that fail are left out, since to
// start one again after a failure is what some want. d is the deployment that the
// action runs; nil if it is the one that the event is about.
//
// Triggers that wait for other events first (after, a sequence) are not endless by
// themselves.
func Endless(t *core.Trigger, a *core.AutomationAction, d *core.Deployment) bool {
	if t == nil || a == nil || a.Type != "run-deployment" {
		return false
	}
	switch t.Type {
	case core.TriggerCompound:
		n := 0
		for _, child := range t.Triggers {
			if Endless(child, a, d) {
				n++
			}
		}
		return n > 0 && n >= Needed(t)
	case core.TriggerEvent:
	default:
		return false
	}
	if t.Posture != core.Reactive || len(t.After) > 0 {
		return false
	}
	m := Compile(&core.Automation{}, t)
	if d == nil {
		// The new run is of the same flow, deployment, and tags as the one in the event.
		m.related = slices.DeleteFunc(slices.Clone(m.related), Spec.inherited)
	}
	n := int64(0)
	for _, state := range runStates {
		if m.Covers(runEvent(state, d)) {
			n++
		}
	}
	return n > 0 && n >= core.Deref(t.Threshold)
}

// inherited reports whether a spec asks for what a run has in common with the run
// that it was started for.
func (s Spec) inherited() bool {
	roles := s["prefect.resource.role"]
	return len(roles) == 0 || slices.ContainsFunc(roles, func(r string) bool { return r != "creator" && r != "task-run" })
}

// runEvent is what a run of d emits when it enters a state, as far as it is known
// before there is a run.
func runEvent(state string, d *core.Deployment) *core.Event {
	e := &core.Event{
		Event: "prefect.flow-run." + state,
		Resource: map[string]string{
			"prefect.resource.id": "prefect.flow-run.", "prefect.resource.name": "",
			"prefect.state-name": state, "prefect.state-type": string(stateType(state)),
		},
		Related: []map[string]string{{"prefect.resource.id": "prefect.automation.", "prefect.resource.role": "creator"}},
	}
	if d == nil {
		return e
	}
	add := func(kind, id, name string) {
		e.Related = append(e.Related, map[string]string{
			"prefect.resource.id": "prefect." + kind + "." + id, "prefect.resource.role": kind, "prefect.resource.name": name})
	}
	add("flow", d.FlowID.String(), d.FlowName)
	add("deployment", d.ID.String(), d.Name)
	if !d.WorkQueueID.IsZero() {
		add("work-queue", d.WorkQueueID.String(), core.Deref(d.WorkQueueName))
	}
	for _, tag := range d.Tags {
		add("tag", tag, tag)
	}
	return e
}

func stateType(state string) core.StateType {
	return map[string]core.StateType{"Scheduled": core.Scheduled, "Pending": core.Pending, "Running": core.Running, "Completed": core.Completed}[state]
}

// RunsForEveryRun reports whether an automation starts a deployment for the state
// changes of every flow run. Prefect refuses such an automation, whoever sends it.
func RunsForEveryRun(c core.AutomationWrite) bool {
	t := c.Trigger
	if c.Enabled != nil && !*c.Enabled || t.Type != core.TriggerEvent || t.Posture != core.Reactive {
		return false
	}
	states := []string{"prefect.flow-run.Scheduled", "prefect.flow-run.Pending", "prefect.flow-run.Running", "prefect.flow-run.*"}
	if !slices.ContainsFunc(t.Expect, func(e string) bool { return slices.Contains(states, e) }) {
		return false
	}
	for _, a := range c.Actions {
		if a.Type == "run-deployment" &&
			(a.Source == "inferred" || SpecOf(t.Match).EveryOf("prefect.flow-run") && anyEvery(RelatedSpecs(t.MatchRelated))) {
			return true
		}
	}
	return false
}

func anyEvery(specs []Spec) bool {
	return len(specs) == 0 || slices.ContainsFunc(specs, func(s Spec) bool { return s.EveryOf("prefect.flow-run") })
}

// Needed is how many of the triggers within a compound trigger or a sequence must fire.
func Needed(t *core.Trigger) int {
	if t.Type != core.TriggerCompound {
		return len(t.Triggers)
	}
	var n int
	if core.Unmarshal(t.Require, &n) == nil && n > 0 {
		return n
	}
	if string(t.Require) == `"any"` {
		return 1
	}
	return len(t.Triggers)
}

// Deployments finds the deployments that actions run.
type Deployments interface {
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
}

// EndlessAction is Endless for an action whose deployment is read from r. An action
// without a deployment that exists is not endless.
func EndlessAction(ctx context.Context, r Deployments, t *core.Trigger, a *core.AutomationAction) (bool, error) {
	if a == nil || a.Type != "run-deployment" {
		return false, nil
	}
	if a.Source == "inferred" {
		return Endless(t, a, nil), nil
	}
	d, err := r.Deployment(ctx, a.DeploymentID)
	if core.IsNotFound(err) {
		return false, nil
	}
	return err == nil && Endless(t, a, d), err
}

// SetsItselfOff reports whether an enabled automation has an endless action.
func SetsItselfOff(ctx context.Context, r Deployments, a *core.Automation) (bool, error) {
	if !a.Enabled {
		return false, nil
	}
	for _, action := range slices.Concat(a.Actions, a.ActionsOnTrigger) {
		if endless, err := EndlessAction(ctx, r, a.Trigger, action); endless || err != nil {
			return endless, err
		}
	}
	return false, nil
}
