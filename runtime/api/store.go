package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// Store is the part of the database that the operations read. Each kind of record has
// a port of its own, with the methods that are called here.
type Store struct {
	FlowRunStore
	TaskRunStore
	DeploymentStore
	PoolStore
	DataStore
	BlockStore
	AutomationStore
	ServerStore
}

// StoreOf makes each port of a whole database.
func StoreOf(s core.Store) Store { return Store{s, s, s, s, s, s, s, s} }

// FlowRunStore reads flow runs.
type FlowRunStore interface {
	core.FlowRunInputReader
	CountFlowRuns(ctx context.Context, f core.Filters) (int64, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	FlowRunHistory(ctx context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error)
	FlowRunLateness(ctx context.Context, f core.Filters) (*float64, error)
	FlowRunState(ctx context.Context, id core.UUID) (*core.State, error)
	FlowRunStates(ctx context.Context, flowRunID core.UUID) ([]*core.State, error)
	FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error)
	FlowRunStatuses(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRunStatus, error)
	Streams(ctx context.Context, flowRunID core.UUID) ([]core.StreamInfo, error)
}

// TaskRunStore reads task runs.
type TaskRunStore interface {
	CountTaskRuns(ctx context.Context, f core.Filters) (int64, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
	TaskRunHistory(ctx context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error)
	TaskRunState(ctx context.Context, id core.UUID) (*core.State, error)
	TaskRunStates(ctx context.Context, taskRunID core.UUID) ([]*core.State, error)
	TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error)
	TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error)
}

// DeploymentStore reads flows, deployments, and schedules.
type DeploymentStore interface {
	core.FlowReader
	CountDeployments(ctx context.Context, f core.Filters) (int64, error)
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error)
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
	Schedules(ctx context.Context, deploymentID core.UUID) ([]*core.Schedule, error)
}

// PoolStore reads work pools, work queues, and workers.
type PoolStore interface {
	core.WorkQueueReader
	CountWorkPools(ctx context.Context, f *core.WorkPoolFilter) (int64, error)
	ClaimableFlowRuns(ctx context.Context, queueID core.UUID, can core.Capability, before core.Time, limit int) ([]*core.FlowRun, error)
	PoolLoad(ctx context.Context, poolID core.UUID) (map[core.UUID]int64, error)
	WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error)
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
	Workers(ctx context.Context, poolID core.UUID, f *core.WorkerFilter, p core.Page) ([]*core.Worker, error)
}

// DataStore reads what flows use and leave behind, and what happened.
type DataStore interface {
	core.ArtifactReader
	core.EventReader
	core.VariableReader
	GlobalLimit(ctx context.Context, id core.UUID) (*core.GlobalConcurrencyLimit, error)
	GlobalLimitByName(ctx context.Context, name string) (*core.GlobalConcurrencyLimit, error)
	GlobalLimits(ctx context.Context, ofTags bool, p core.Page) ([]*core.GlobalConcurrencyLimit, error)
	Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error)
	SavedSearch(ctx context.Context, id core.UUID) (*core.SavedSearch, error)
	SavedSearches(ctx context.Context, p core.Page) ([]*core.SavedSearch, error)
}

// BlockStore reads block types and schemas, and counts documents.
type BlockStore interface {
	BlockCapabilities(ctx context.Context) ([]string, error)
	BlockSchema(ctx context.Context, id core.UUID) (*core.BlockSchema, error)
	BlockSchemaByChecksum(ctx context.Context, checksum, version string) (*core.BlockSchema, error)
	BlockSchemas(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockSchema, error)
	BlockType(ctx context.Context, id core.UUID) (*core.BlockType, error)
	BlockTypeBySlug(ctx context.Context, slug string) (*core.BlockType, error)
	BlockTypes(ctx context.Context, f core.BlockFilters, p core.Page) ([]*core.BlockType, error)
	CountBlockDocuments(ctx context.Context, f core.BlockFilters) (int64, error)
}

// AutomationStore reads automations.
type AutomationStore interface {
	Automation(ctx context.Context, id core.UUID) (*core.Automation, error)
	Automations(ctx context.Context, f *core.AutomationFilter, p core.Page) ([]*core.Automation, error)
	CountAutomations(ctx context.Context, f *core.AutomationFilter) (int64, error)
}

// ServerStore tells of the database itself.
type ServerStore interface {
	// Engine names the database for people.
	Engine() string
	// Ping answers within ctx whether the database can be read and written.
	Ping(ctx context.Context) error
}
