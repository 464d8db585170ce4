// Package run serves the pages of flow runs and task runs: lists, the
// dashboard, timelines, logs, and the streams that keep them live.
package run

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// Routes adds the pages and forms of flow runs and task runs.
func (u *UI) Routes(r *page.Router) {
	r.Get("/dashboard", u.dashboard)
	r.Get("/runs", u.flowRuns)
	r.Get("/runs/bulk", u.bulkPage)
	r.Post("/runs/bulk", u.bulk)
	r.Post("/runs/searches", u.saveSearch)
	r.Post("/runs/searches/{id}/delete", u.deleteSearch)
	r.Get("/flow-runs/{id}", u.flowRun)
	r.Get("/flow-runs/{id}/timeline", u.flowRunTimeline)
	r.Get("/flow-runs/{id}/artifacts", u.flowRunArtifacts)
	r.Get("/flow-runs/{id}/streams", u.flowRunStreams)
	r.Get("/flow-runs/{id}/messages", u.flowRunMessages)
	r.Post("/flow-runs/{id}/message", u.sendMessage)
	r.Get("/flow-runs/{id}/banner", u.flowRunBanner)
	r.Get("/flow-runs/{id}/result", u.flowRunResult)
	r.Get("/flow-runs/{id}/logs", u.flowRunLogs)
	r.Get("/flow-runs/{id}/logs.txt", u.logsText)
	r.Get("/flow-runs/{id}/stream", u.flowRunStream)
	r.Get("/flow-runs/{id}/state", u.changeStatePage)
	r.Post("/flow-runs/{id}/state", u.changeState)
	r.Post("/flow-runs/{id}/{verb}", u.flowRunVerb)
	r.Get("/task-runs/{id}", u.taskRun)
	r.Get("/task-runs/{id}/logs", u.taskRunLogs)
	r.Get("/task-runs/{id}/logs.txt", u.taskRunLogsText)

	// the addresses that Prefect prints
	r.Get("/runs/flow-run/{id}", u.Forward("/flow-runs", "id"))
	r.Get("/runs/task-run/{id}", u.Forward("/task-runs", "id"))
}

// UI serves the pages of flow runs and task runs.
type UI struct {
	*page.Kit
	Service  Service
	Searches Searches
	Store    Store
	Pools    Pools

	timelines timelines
	histories histories
}

// New makes the room.
func New(kit *page.Kit, service Service, searches Searches, store Store, pools Pools) *UI {
	return &UI{Kit: kit, Service: service, Searches: searches, Store: store, Pools: pools}
}

// Service is what the forms do to runs.
type Service interface {
	CancelFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)
	DeleteFlowRun(ctx context.Context, id core.UUID) error
	ResultUpTo(ctx context.Context, key string, most int64) (data []byte, size int64, err error)
	ResumeFlowRun(ctx context.Context, id core.UUID, input core.JSON) (*core.OrchestrationResult, error)
	RetryFlowRun(ctx context.Context, id core.UUID, fresh bool) (*core.OrchestrationResult, error)
	SendMessage(ctx context.Context, flowRunID core.UUID, c core.MessageCreate) (*core.RunMessage, error)
	SetFlowRunState(ctx context.Context, id core.UUID, c core.StateCreate, force bool) (*core.OrchestrationResult, error)
	SuspendFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error)
	UpdateFlowRun(ctx context.Context, id core.UUID, u core.FlowRunUpdate) error
	Why(ctx context.Context, id core.UUID) (*core.Why, error)
}

// Searches saves the filters of the list of runs under a name.
type Searches interface {
	DeleteSavedSearch(ctx context.Context, id core.UUID) error
	PutSavedSearch(ctx context.Context, c core.SavedSearchCreate) (stored *core.SavedSearch, err error)
}

// Store is what the pages read.
type Store interface {
	Artifacts(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.Artifact, error)
	CachedState(ctx context.Context, cacheKey string, now core.Time) (*core.State, error)
	CountFlowRunsUpTo(ctx context.Context, f core.Filters, most int64) (int64, error)
	CountLogs(ctx context.Context, f *core.LogFilter) (int64, error)
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	FlowRunChildren(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRun, error)
	FlowRunHistory(ctx context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error)
	FlowRunInput(ctx context.Context, flowRunID core.UUID, key string) (*core.FlowRunInput, error)
	FlowRunStatuses(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRunStatus, error)
	core.FlowRunStreamReader
	FlowRunInputs(ctx context.Context, flowRunID core.UUID, prefix string, exclude []string, limit int) ([]*core.FlowRunInput, error)
	FlowRunState(ctx context.Context, id core.UUID) (*core.State, error)
	FlowRunStates(ctx context.Context, flowRunID core.UUID) ([]*core.State, error)
	FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error)
	FlowRunsByIDs(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error)
	Flows(ctx context.Context, f core.Filters, p core.Page) ([]*core.Flow, error)
	Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error)
	SavedSearches(ctx context.Context, p core.Page) ([]*core.SavedSearch, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
	TaskRunHistory(ctx context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error)
	TaskRunStates(ctx context.Context, taskRunID core.UUID) ([]*core.State, error)
	TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error)
	TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error)
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
}

// Pools lists at most limit work pools with their load, for the dashboard.
type Pools func(ctx context.Context, limit int) ([]views.Pool, error)
