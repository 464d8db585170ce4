package automation

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// endless tells whether each run that the action starts would set the trigger
// off again. It judges what most write; a trigger with more conditions than
// states, flows, deployments and tags is let through, and so are runs that fail:
// to start one again after a failure is what some want.
func (u *UI) endless(ctx context.Context, t *core.Trigger, a *core.AutomationAction) (bool, error) {
	if t == nil || t.Type != core.TriggerEvent || t.Posture != core.Reactive || core.Deref(t.Threshold) > 1 || len(t.After) > 0 || a.Type != "run-deployment" {
		return false, nil
	}
	for label, v := range t.Match {
		if label != "prefect.resource.id" || slices.ContainsFunc(texts(v), negated) {
			return false, nil
		}
	}
	if slices.ContainsFunc(t.Expect, negated) {
		return false, nil
	}
	every := []string{"prefect.flow-run.Scheduled", "prefect.flow-run.Pending", "prefect.flow-run.Running", "prefect.flow-run.Completed"}
	if len(t.Expect) > 0 && !slices.ContainsFunc(t.Expect, func(e string) bool { return matchesAny(e, every) }) {
		return false, nil
	}
	if ids := texts(t.Match["prefect.resource.id"]); len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return matchesAny(id, []string{"prefect.flow-run.x"}) }) {
		return false, nil
	}
	of := map[string][]string{}
	for _, spec := range views.RelatedSpecs(t.MatchRelated) {
		if len(spec) != 2 || len(texts(spec["prefect.resource.role"])) != 1 || slices.ContainsFunc(texts(spec["prefect.resource.id"]), negated) {
			return false, nil
		}
		for _, role := range texts(spec["prefect.resource.role"]) {
			of[role] = append(of[role], texts(spec["prefect.resource.id"])...)
		}
	}
	if a.Source == "inferred" || len(of) == 0 {
		return true, nil
	}
	d, err := u.Store.Deployment(ctx, a.DeploymentID)
	if err != nil {
		return false, page.IgnoreMissing(err)
	}
	for role, ids := range of {
		its := map[string][]string{"flow": {"prefect.flow." + d.FlowID.String()}, "deployment": {"prefect.deployment." + d.ID.String()}}[role]
		for _, tag := range d.Tags {
			if role == "tag" {
				its = append(its, "prefect.tag."+tag)
			}
		}
		if !slices.ContainsFunc(ids, func(id string) bool { return matchesAny(id, its) }) {
			return false, nil
		}
	}
	return true, nil
}

func negated(pattern string) bool { return strings.HasPrefix(pattern, "!") }

// matchesAny: a pattern of a trigger may end in *.
func matchesAny(pattern string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { ok, err := path.Match(pattern, n); return ok && err == nil })
}
