package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// Store is the part of the database that the use cases read outside their
// transactions. Each kind of record has a port of its own, with the methods that are
// called here.
type Store struct {
	RunStore
	HistoryStore
	DeploymentStore
	PoolStore
	SlotStore
}

// StoreOf makes each port of a whole database.
func StoreOf(s core.Store) Store { return Store{s, s, s, s, s} }

// RunStore reads flow runs and task runs, with what they execute by.
type RunStore interface {
	core.FlowRunInputReader
	core.FlowRunStreamReader
	core.FlowRunStatusReader
	WebhookByToken(ctx context.Context, tokenHash string) (*core.Webhook, error)
	core.FlowRunMessageReader
	core.LeaseReader
	core.TaskQueueReader
	CachedState(ctx context.Context, cacheKey string, now core.Time) (*core.State, error)
	CancelledSince(ctx context.Context, since core.Time, limit int) ([]core.UUID, error)
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	FlowRunChildren(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRun, error)
	FlowRunStates(ctx context.Context, flowRunID core.UUID) ([]*core.State, error)
	FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error)
	LateFlowRuns(ctx context.Context, before core.Time, limit int) ([]core.UUID, error)
	PausedPast(ctx context.Context, now core.Time, limit int) ([]core.UUID, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
	TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error)
	TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error)
	UnleasedFlowRuns(ctx context.Context, after core.UUID, limit int) ([]core.UUID, error)
	// Shared reports whether other servers may use the database at the same time.
	Shared() bool
	Write(ctx context.Context, fn func(tx core.Tx) error) error
}

// HistoryStore reads what runs leave behind besides their states.
type HistoryStore interface {
	core.EventReader
	Artifact(ctx context.Context, id core.UUID) (*core.Artifact, error)
	ArtifactCollection(ctx context.Context, key string) (*core.ArtifactCollection, error)
	Artifacts(ctx context.Context, f *core.ArtifactFilter, p core.Page) ([]*core.Artifact, error)
	Logs(ctx context.Context, f *core.LogFilter, p core.Page) ([]*core.Log, error)
}

// DeploymentStore reads flows, deployments, and the runs planned for them.
type DeploymentStore interface {
	planReader
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	DeploymentByName(ctx context.Context, flowName, name string) (*core.Deployment, error)
	DeploymentsToSchedule(ctx context.Context, after core.UUID, updatedSince core.Time, limit int) ([]*core.Deployment, error)
	DueFlowRunsOfDeployments(ctx context.Context, deployments []core.UUID, before core.Time, limit int) ([]*core.FlowRun, error)
	Flow(ctx context.Context, id core.UUID) (*core.Flow, error)
	FlowByName(ctx context.Context, name string) (*core.Flow, error)
}

// PoolStore reads work pools, work queues, and workers.
type PoolStore interface {
	queueReader
	workerReader
	ClaimableFlowRuns(ctx context.Context, queueID core.UUID, can core.Capability, before core.Time, limit int) ([]*core.FlowRun, error)
	NextClaimable(ctx context.Context, poolID core.UUID, can core.Capability) (core.Time, error)
	PoolLoad(ctx context.Context, poolID core.UUID) (map[core.UUID]int64, error)
	StaleWorkers(ctx context.Context, now core.Time) ([]*core.Worker, error)
	WorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error)
	WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error)
	WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) ([]*core.WorkPool, error)
	WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error)
}

// SlotStore reads concurrency limits, to explain what waits for them.
type SlotStore interface {
	slotReader
	GlobalLimitByName(ctx context.Context, name string) (*core.GlobalConcurrencyLimit, error)
	GlobalLimits(ctx context.Context, ofTags bool, p core.Page) ([]*core.GlobalConcurrencyLimit, error)
	SlotLeases(ctx context.Context, limitID core.UUID, now core.Time) ([]*core.SlotLease, error)
}
