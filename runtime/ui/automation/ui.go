// Package automation serves the pages and the form of automations.
package automation

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
)

// Routes adds the pages and forms of automations.
func (u *UI) Routes(r *page.Router) {
	r.Get("/automations", u.automations)
	r.Get("/automations/new", u.automationForm)
	r.Post("/automations/new", u.saveAutomation)
	r.Post("/automations/preview", u.previewAutomation)
	r.Get("/automations/{id}", u.automation)
	r.Get("/automations/{id}/{what}", u.editAutomation)
	r.Post("/automations/{id}/edit", u.saveAutomation)
	r.Post("/automations/{id}/toggle", u.toggleAutomation)
	r.Post("/automations/{id}/delete", u.deleteAutomation)

	// the addresses that Prefect prints
	r.Get("/automations/automation/{id}", u.Forward("/automations", "id"))
}

// UI serves the pages of automations.
type UI struct {
	*page.Kit
	Service Service
	Store   Store
}

// New makes the room.
func New(kit *page.Kit, service Service, store Store) *UI {
	return &UI{Kit: kit, Service: service, Store: store}
}

// Service is what the forms do to automations.
type Service interface {
	CreateAutomation(ctx context.Context, c core.AutomationWrite) (*core.Automation, error)
	DeleteAutomation(ctx context.Context, id core.UUID) error
	ReplaceAutomation(ctx context.Context, id core.UUID, c core.AutomationWrite) error
	UpdateAutomation(ctx context.Context, id core.UUID, u core.AutomationUpdate) error
}

// Store is what the pages read.
type Store interface {
	Automation(ctx context.Context, id core.UUID) (*core.Automation, error)
	Automations(ctx context.Context, f *core.AutomationFilter, p core.Page) ([]*core.Automation, error)
	BlockDocument(ctx context.Context, id core.UUID) (*core.BlockDocument, error)
	BlockDocumentByName(ctx context.Context, typeSlug, name string) (*core.BlockDocument, error)
	BlockDocuments(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockDocument, error)
	CountAutomations(ctx context.Context, f *core.AutomationFilter) (int64, error)
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error)
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
	EventCounts(ctx context.Context, f *core.EventFilter, by string, pivot core.Time, width int64) ([]core.EventCount, error)
	Events(ctx context.Context, f *core.EventFilter, p core.Page) ([]*core.Event, error)
	FlowByName(ctx context.Context, name string) (*core.Flow, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	WorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error)
	WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error)
	WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error)
	WorkQueueByName(ctx context.Context, poolID core.UUID, name string) (*core.WorkQueue, error)
	WorkQueues(ctx context.Context, poolID core.UUID, f *core.WorkQueueFilter, p core.Page) ([]*core.WorkQueue, error)
}
