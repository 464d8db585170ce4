package automation

import (
	"context"
	"fmt"
	"strings"

	"github.com/flowlite/flowlite/runtime/block"

	"github.com/flowlite/flowlite/runtime/core"
)

// perform does one action. An actionError, and every error of the use-cases that
// it calls, is its failure.
func (s *Automations) perform(ctx context.Context, inv *invocation) error {
	switch kind := inv.action.Type; kind {
	case "do-nothing":
		return nil
	case "run-deployment":
		return s.runDeployment(ctx, inv)
	case "pause-deployment", "resume-deployment", "pause-work-pool", "resume-work-pool",
		"pause-work-queue", "resume-work-queue", "pause-automation", "resume-automation":
		verb, noun, _ := strings.Cut(kind, "-")
		return s.pauseTarget(ctx, inv, noun, verb == "pause")
	case "cancel-flow-run", "suspend-flow-run", "resume-flow-run", "change-flow-run-state":
		return s.steerFlowRun(ctx, inv)
	case "send-notification":
		return s.sendNotification(ctx, inv)
	case "call-webhook":
		return s.callWebhook(ctx, inv)
	default:
		return failed("flowlite has no action %q", kind)
	}
}

// target is the selected thing, or the first of its kind in the event.
func (inv *invocation) target(noun string) (core.UUID, error) {
	if inv.action.Source == sourceSelected && targetKind(inv.action.Type) != "" {
		return inv.action.Target(), nil
	}
	words := strings.ReplaceAll(noun, "-", " ")
	e := inv.firing.Event
	if e == nil {
		return core.UUID{}, failed("No event to infer the %s", words)
	}
	for _, r := range append([]map[string]string{e.Resource}, e.Related...) {
		if text, ok := strings.CutPrefix(r["prefect.resource.id"], "prefect."+noun+"."); ok {
			if id, err := core.ParseUUID(text); err == nil {
				return id, nil
			}
		}
	}
	return core.UUID{}, failed("No %s could be inferred", words)
}

func (inv *invocation) targets(noun string, id core.UUID) {
	inv.related = append(inv.related, map[string]string{
		"prefect.resource.id": "prefect." + noun + "." + id.String(), "prefect.resource.role": "target"})
}

func (s *Automations) runDeployment(ctx context.Context, inv *invocation) error {
	id, err := inv.target("deployment")
	if err != nil {
		return err
	}
	inv.targets("deployment", id)
	params, err := s.renderParameters(ctx, inv)
	if core.CodeOf(err) == core.EUnavailable {
		return err
	}
	if err != nil {
		return failed("Unable to create flow run from deployment: %v", err)
	}
	state := &core.StateCreate{Type: core.Scheduled}
	if after := inv.action.ScheduleAfter; after > 0 {
		state.Details.ScheduledTime = s.now().Add(after.Duration())
	}
	a := inv.automation
	run, err := s.actor.CreateDeploymentFlowRunBy(ctx, id, core.DeploymentFlowRunCreate{
		State: state, Parameters: params, JobVariables: inv.action.JobVariables,
		IdempotencyKey: core.Ptr("automation " + inv.ID.String()),
	}, &core.CreatedBy{ID: a.ID, Type: core.Ptr("AUTOMATION"), DisplayValue: &a.Name})
	if err != nil {
		if core.CodeOf(err) == core.EConflict {
			inv.details["validation_error"] = err.Error()
		}
		return err
	}
	inv.details["status_code"] = 201
	inv.related = append(inv.related, core.RelatedResource("flow-run", run.ID, "flow-run", run.Name))
	return nil
}

// renderParameters renders what has {{ }} in it, and the wrappers that say so.
func (s *Automations) renderParameters(ctx context.Context, inv *invocation) (core.JSON, error) {
	if inv.action.Parameters.IsNull() {
		return nil, nil
	}
	v := inv.action.Parameters.ObjectTree()
	var texts []string
	eachText(v, func(text string) { texts = append(texts, text) })
	data, err := s.templateData(ctx, inv, texts...)
	if err != nil {
		return nil, err
	}
	return block.Hydrate(ctx, s.store, s.templates, core.Encode(wrapTemplates(v)), data, s.pages(data))
}

// pauseTarget pauses or resumes what can be paused.
func (s *Automations) pauseTarget(ctx context.Context, inv *invocation, noun string, pause bool) error {
	id, err := inv.target(noun)
	if err != nil {
		return err
	}
	inv.targets(noun, id)
	inv.details["status_code"] = 204
	switch noun {
	case "deployment":
		inv.details["status_code"] = 200
		if _, err := s.store.Deployment(ctx, id); err != nil {
			return err
		}
		return s.actor.SetDeploymentPaused(ctx, id, pause)
	case "work-pool":
		p, err := s.store.WorkPool(ctx, id)
		if err != nil {
			return err
		}
		return s.actor.UpdateWorkPool(ctx, p.Name, core.WorkPoolUpdate{IsPaused: core.Some(pause)})
	case "work-queue":
		return s.actor.UpdateWorkQueue(ctx, id, core.WorkQueueUpdate{IsPaused: core.Some(pause)})
	default:
		return s.UpdateAutomation(ctx, id, core.AutomationUpdate{Enabled: core.Some(!pause)})
	}
}

// steerFlowRun changes the state of the flow run that the event tells of.
func (s *Automations) steerFlowRun(ctx context.Context, inv *invocation) error {
	id, err := inv.target("flow-run")
	if err != nil {
		return err
	}
	inv.targets("flow-run", id)
	var result *core.OrchestrationResult
	switch inv.action.Type {
	case "cancel-flow-run":
		if result, err = s.actor.CancelFlowRun(ctx, id); err == nil && result.State != nil && result.State.Type == core.Cancelled {
			return nil // nothing executed it: cancelled at once
		}
	case "suspend-flow-run":
		result, err = s.actor.SuspendFlowRun(ctx, id)
	case "resume-flow-run":
		result, err = s.actor.ResumeFlowRun(ctx, id, nil)
	default:
		c := core.StateCreate{Type: core.StateType(inv.action.State), Name: core.Deref(inv.action.Name), Message: inv.action.Message}
		if c.Message == nil {
			c.Message = core.Ptr(fmt.Sprintf("State changed by Automation %s", inv.automation.ID))
		}
		result, err = s.actor.SetFlowRunState(ctx, id, c, inv.action.Force)
	}
	if err != nil {
		return err
	}
	if result.Status != core.Accept {
		return failed("Failed to set state: %s", core.Deref(result.Details.Reason))
	}
	inv.details["status_code"] = 201
	return nil
}
