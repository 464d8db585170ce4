// Package deployment serves the pages of flows, deployments and schedules, and
// the forms that start runs.
package deployment

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
)

// Routes adds the pages and forms of flows and deployments.
func (u *UI) Routes(r *page.Router) {
	r.Get("/flows", u.flows)
	r.Get("/flows/{id}", u.flow)
	r.Get("/deployments", u.deployments)
	r.Get("/deployments/{id}", u.deployment)
	r.Get("/deployments/{id}/{what}", u.customRunOrAddress)
	r.Post("/deployments/{id}/run", u.startCustomRun)
	r.Post("/deployments/{id}/edit", u.saveDeployment)
	r.Post("/deployments/{id}/duplicate", u.duplicateDeployment)
	r.Post("/deployments/{id}/delete", u.deleteDeployment)
	r.Post("/deployments/{id}/quick-run", u.quickRun)
	r.Post("/deployments/{id}/toggle", u.toggleDeployment)
	r.Get("/deployments/{id}/schedules/{schedule}", u.schedulePage)
	r.Post("/deployments/{id}/schedules/{schedule}", u.saveSchedule)
	r.Post("/deployments/{id}/schedules/{schedule}/delete", u.deleteSchedule)
	r.Post("/deployments/{id}/schedules/{schedule}/toggle", u.toggleSchedule)

	// the addresses that Prefect prints
	r.Get("/flows/flow/{id}", u.Forward("/flows", "id"))
}

// UI serves the pages of flows and deployments.
type UI struct {
	*page.Kit
	Service Service
	Store   Store
}

// New makes the room.
func New(kit *page.Kit, service Service, store Store) *UI {
	return &UI{Kit: kit, Service: service, Store: store}
}

// Service is what the forms do to deployments and schedules.
type Service interface {
	CreateDeployment(ctx context.Context, c core.DeploymentCreate) (*core.Deployment, error)
	CreateDeploymentFlowRun(ctx context.Context, deploymentID core.UUID, c core.DeploymentFlowRunCreate) (*core.FlowRun, error)
	CreateSchedules(ctx context.Context, deploymentID core.UUID, list []core.ScheduleCreate) ([]*core.Schedule, error)
	DeleteDeployment(ctx context.Context, id core.UUID) error
	DeleteSchedule(ctx context.Context, deploymentID, id core.UUID) error
	PauseDeployment(ctx context.Context, id core.UUID) error
	ResumeDeployment(ctx context.Context, id core.UUID) error
	UpdateDeployment(ctx context.Context, id core.UUID, u core.DeploymentUpdate) error
	UpdateSchedule(ctx context.Context, deploymentID, id core.UUID, u core.ScheduleUpdate) error
}

// Store is what the pages read.
type Store interface {
	CountDeployments(ctx context.Context, f core.Filters) (int64, error)
	CountFlows(ctx context.Context, f core.Filters) (int64, error)
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error)
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
	Flow(ctx context.Context, id core.UUID) (*core.Flow, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	FlowRunMarks(ctx context.Context, of []core.Filters, p core.Page) ([][]*core.FlowRun, error)
	FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error)
	Flows(ctx context.Context, f core.Filters, p core.Page) ([]*core.Flow, error)
	Schedule(ctx context.Context, id core.UUID) (*core.Schedule, error)
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
	WorkQueues(ctx context.Context, poolID core.UUID, f *core.WorkQueueFilter, p core.Page) ([]*core.WorkQueue, error)
}
