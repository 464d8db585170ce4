package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

func (a *API) automations() group {
	return group{"/automations", []op{
		create(a.createAutomation, need("name", "trigger", "actions")),
		filter[automationQuery]("/filter", core.AutomationSorts, a.store.Automations),
		count[automationQuery]("/count", a.store.CountAutomations),
		get("/{id}", func(ctx context.Context, in *byID) (*core.Automation, error) { return a.store.Automation(ctx, in.ID) }, model(ownWords)),
		done("PUT", "/{id}", func(ctx context.Context, in *change[core.AutomationWrite]) error {
			return a.warnEndless(ctx, in.ID, a.Automations.ReplaceAutomation(ctx, in.ID, in.Body))
		}, need("name", "trigger", "actions"), model(ownWords)),
		done("PATCH", "/{id}", func(ctx context.Context, in *change[core.AutomationUpdate]) error {
			return a.warnEndless(ctx, in.ID, a.Automations.UpdateAutomation(ctx, in.ID, in.Body))
		}, model(ownWords)),
		done("DELETE", "/{id}", func(ctx context.Context, in *byID) error { return a.Automations.DeleteAutomation(ctx, in.ID) }, model(ownWords)),
		get("/related-to/{resource}", func(ctx context.Context, in *ofResource) ([]*core.Automation, error) {
			return rows(a.Automations.AutomationsRelatedTo(ctx, in.Resource))
		}),
		route("DELETE", "/owned-by/{resource}", http.StatusAccepted, func(ctx context.Context, in *ofResource) (any, error) {
			return nil, a.Automations.DeleteAutomationsOwnedBy(ctx, in.Resource)
		}),
	}}
}

func (a *API) createAutomation(ctx context.Context, c core.AutomationWrite) (*core.Automation, error) {
	made, err := a.Automations.CreateAutomation(ctx, c)
	if err != nil {
		return nil, err
	}
	return made, a.warnEndless(ctx, made.ID, nil)
}

// warnEndless adds a warning to the answer if the stored automation sets itself off.
// It is not refused: Prefect accepts it.
func (a *API) warnEndless(ctx context.Context, id core.UUID, err error) error {
	if err != nil {
		return err
	}
	stored, err := a.store.Automation(ctx, id)
	if err != nil {
		return nil //nolint:nilerr // it was stored; only the warning is missing
	}
	if endless, err := trigger.SetsItselfOff(ctx, a.store, stored); err == nil && endless {
		warn(
			ctx,
			"Each run that this automation starts sets it off again. Disable it, or let it wait for runs of another flow or for runs that fail.",
		)
	}
	return nil
}

type ofResource struct {
	Resource string `path:"resource"`
}

type automationQuery struct {
	Automations *core.AutomationFilter `json:"automations"`
	pageQuery
}

func (q automationQuery) filter() *core.AutomationFilter { return q.Automations }
