// Package pool serves the pages of work pools, work queues and workers.
package pool

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
)

// Routes adds the pages and forms of work pools.
func (u *UI) Routes(r *page.Router) {
	r.Get("/work-pools", u.workPools)
	r.Post("/work-pools", u.createPool)
	r.Get("/work-pools/{name}", u.workPool)
	r.Post("/work-pools/{name}/toggle", u.togglePool)
	r.Get("/work-pools/{name}/{what}", u.editPool)
	r.Post("/work-pools/{name}/edit", u.savePool)
	r.Post("/work-pools/{name}/delete", u.deletePool)
	r.Post("/work-pools/{name}/workers/{worker}/delete", u.deleteWorker)
	r.Get("/work-pools/{name}/queues/{queue}", u.queuePage)
	r.Post("/work-pools/{name}/queues/{queue}", u.saveQueue)
	r.Post("/work-pools/{name}/queues/{queue}/delete", u.deleteQueue)
	r.Post("/work-pools/{name}/queues/{queue}/toggle", u.toggleQueue)

	// the addresses that Prefect prints
	r.Get("/work-pools/work-pool/{name}", u.Forward("/work-pools", "name"))
	r.Get("/work-pools/work-pool/{name}/worker/{worker}", u.Forward("/work-pools", "name"))
	r.Get("/work-pools/work-pool/{name}/queue/{queue}", u.Forward("/work-pools", "name"))
	r.Get("/work-queues/work-queue/{id}", u.queueAddress)
}

// UI serves the pages of work pools.
type UI struct {
	*page.Kit
	Service Service
	Store   Store
}

// New makes the room.
func New(kit *page.Kit, service Service, store Store) *UI {
	return &UI{Kit: kit, Service: service, Store: store}
}

// Service is what the forms do to work pools, work queues, and workers.
type Service interface {
	CreateWorkPool(ctx context.Context, c core.WorkPoolCreate) (*core.WorkPool, error)
	CreateWorkQueue(ctx context.Context, pool string, c core.WorkQueueCreate) (*core.WorkQueue, error)
	DeleteWorkPool(ctx context.Context, name string) error
	DeleteWorkQueue(ctx context.Context, id core.UUID) error
	DeleteWorker(ctx context.Context, pool, name string) error
	UpdateWorkPool(ctx context.Context, name string, u core.WorkPoolUpdate) error
	UpdateWorkQueue(ctx context.Context, id core.UUID, u core.WorkQueueUpdate) error
}

// Store is what the pages read.
type Store interface {
	CountFlowRuns(ctx context.Context, f core.Filters) (int64, error)
	DueFlowRuns(ctx context.Context, queueID core.UUID, before core.Time, limit int) ([]*core.FlowRun, error)
	PoolLoad(ctx context.Context, poolID core.UUID) (map[core.UUID]int64, error)
	WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error)
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
	WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error)
	WorkQueues(ctx context.Context, poolID core.UUID, f *core.WorkQueueFilter, p core.Page) ([]*core.WorkQueue, error)
	Workers(ctx context.Context, poolID core.UUID, f *core.WorkerFilter, p core.Page) ([]*core.Worker, error)
}
