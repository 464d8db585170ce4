package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

func (a *API) automations() group {
	return group{"/automations", []op{
		create(a.service.CreateAutomation, need("name", "trigger", "actions")),
		filter[automationQuery]("/filter", core.AutomationSorts, a.store.Automations),
		count[automationQuery]("/count", a.store.CountAutomations),
		get("/{id}", func(ctx context.Context, in *byID) (*core.Automation, error) { return a.store.Automation(ctx, in.ID) }, model(ownWords)),
		done("PUT", "/{id}", func(ctx context.Context, in *change[core.AutomationWrite]) error {
			return a.service.ReplaceAutomation(ctx, in.ID, in.Body)
		}, need("name", "trigger", "actions"), model(ownWords)),
		done("PATCH", "/{id}", func(ctx context.Context, in *change[core.AutomationUpdate]) error {
			return a.service.UpdateAutomation(ctx, in.ID, in.Body)
		}, model(ownWords)),
		done("DELETE", "/{id}", func(ctx context.Context, in *byID) error { return a.service.DeleteAutomation(ctx, in.ID) }, model(ownWords)),
		get("/related-to/{resource}", func(ctx context.Context, in *ofResource) ([]*core.Automation, error) {
			return rows(a.service.AutomationsRelatedTo(ctx, in.Resource))
		}),
		route("DELETE", "/owned-by/{resource}", http.StatusAccepted, func(ctx context.Context, in *ofResource) (any, error) {
			return nil, a.service.DeleteAutomationsOwnedBy(ctx, in.Resource)
		}),
	}}
}

type ofResource struct {
	Resource string `path:"resource"`
}

type automationQuery struct {
	Automations *core.AutomationFilter `json:"automations"`
	pageQuery
}

func (q automationQuery) filter() *core.AutomationFilter { return q.Automations }
