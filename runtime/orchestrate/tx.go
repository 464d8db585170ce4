package orchestrate

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/limit"
)

// The ports below are what functions of this package ask of a transaction, and some of
// them also of the Store.

// nameReader reads the records that events name.
type nameReader interface {
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	Flow(ctx context.Context, id core.UUID) (*core.Flow, error)
	WorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error)
}

// tokenTx reads the leases of a run and of those above it, and keeps them until the
// transaction ends.
type tokenTx interface {
	creatorReader
	LockLeases(ctx context.Context, flowRunIDs []core.UUID) ([]*core.Lease, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
}

// creatorReader reads the run that creates another.
type creatorReader interface {
	FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
}

// parentTx copies the state of a subflow to its task run in the parent.
type parentTx interface {
	nameReader
	LockTaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
	SetTaskRunState(ctx context.Context, r *core.TaskRun) error
}

// stateTx writes a state of a flow run and what follows from it.
type stateTx interface {
	parentTx
	DeleteLease(ctx context.Context, flowRunID core.UUID) error
	DeleteLeases(ctx context.Context, flowRunIDs []core.UUID) error
	FlowRunChildren(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRun, error)
	LockFlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error)
	SetFlowRunStates(ctx context.Context, runs []*core.FlowRun) error
	TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error)
}

// proposalTx decides on a proposed state of a flow run, which may take a slot, and
// writes it.
type proposalTx interface {
	stateTx
	limit.Tx
	LockLeases(ctx context.Context, flowRunIDs []core.UUID) ([]*core.Lease, error)
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
}

// messageTx stores a message to a flow run, and wakes the run if it waits for it.
type messageTx interface {
	proposalTx
	CountWaitingInputs(ctx context.Context, flowRunID core.UUID) (int64, error)
	InsertMessage(ctx context.Context, flowRunID core.UUID, m *core.RunMessage) error
	FlowRunInput(ctx context.Context, flowRunID core.UUID, key string) (*core.FlowRunInput, error)
}

// claimTx assigns the runs of a queue.
type claimTx interface {
	proposalTx
	Claimable(ctx context.Context, queueID core.UUID, can core.Capability, before core.Time, limit int) ([]core.ClaimableRun, error)
	LockFlowRuns(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error)
	PutLeases(ctx context.Context, leases []*core.Lease) error
}

// slotTx reads the deployment whose slot a run asks for, and locks its limit.
type slotTx interface {
	slotReader
	Deployment(ctx context.Context, id core.UUID) (*core.Deployment, error)
	LockGlobalLimits(ctx context.Context, names []string) ([]*core.GlobalConcurrencyLimit, error)
}

// slotReader counts the slots of a limit that are held.
type slotReader interface {
	SlotsHeld(ctx context.Context, limitID core.UUID, now core.Time) (int64, error)
}

// taskReader reads what decides on a state of a task run.
type taskReader interface {
	creatorReader
	CachedState(ctx context.Context, cacheKey string, now core.Time) (*core.State, error)
}

// creationTx creates a flow run.
type creationTx interface {
	parentTx
	FlowRunByKey(ctx context.Context, flowID core.UUID, idempotencyKey string) (*core.FlowRun, error)
	InsertFlowRun(ctx context.Context, r *core.FlowRun, past ...*core.State) (bool, error)
	InsertFlowRuns(ctx context.Context, runs []*core.FlowRun, past ...[]*core.State) (fresh []bool, err error)
	PutLeases(ctx context.Context, leases []*core.Lease) error
	TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error)
}

// newRunTx creates flow runs, and reads what they need.
type newRunTx interface {
	creationTx
	placeReader
	creatorReader
}

// importTx inserts a run that has ended elsewhere.
type importTx interface {
	creatorReader
	Flow(ctx context.Context, id core.UUID) (*core.Flow, error)
	InsertFlowRun(ctx context.Context, r *core.FlowRun, past ...*core.State) (bool, error)
	RecordTaskRun(ctx context.Context, r *core.TaskRunReport) error
}

// placeReader finds the work queue in which a run or a deployment belongs.
type placeReader interface {
	poolReader
	WorkPool(ctx context.Context, id core.UUID) (*core.WorkPool, error)
	WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error)
	WorkQueueByName(ctx context.Context, poolID core.UUID, name string) (*core.WorkQueue, error)
}

// poolReader finds work pools by name.
type poolReader interface {
	WorkPoolByName(ctx context.Context, name string) (*core.WorkPool, error)
}

// poolTx creates work pools and work queues, and moves the priorities of queues.
type poolTx interface {
	placeReader
	queueReader
	InsertWorkPool(ctx context.Context, p *core.WorkPool) error
	InsertWorkQueue(ctx context.Context, q *core.WorkQueue) error
	UpdateWorkQueue(ctx context.Context, q *core.WorkQueue) error
}

// deploymentTx fills in a deployment from what a client sent.
type deploymentTx interface {
	poolTx
	BlockDocument(ctx context.Context, id core.UUID) (*core.BlockDocument, error)
}

// statusTx keeps the status of deployments.
type statusTx interface {
	nameReader
	Deployments(ctx context.Context, f core.Filters, p core.Page) ([]*core.Deployment, error)
	PolledDeployments(ctx context.Context, ids []core.UUID, now core.Time) error
	UpdateDeployment(ctx context.Context, d *core.Deployment) error
	WorkQueue(ctx context.Context, id core.UUID) (*core.WorkQueue, error)
}

// limitTx keeps the limit of one deployment.
type limitTx interface {
	GlobalLimit(ctx context.Context, id core.UUID) (*core.GlobalConcurrencyLimit, error)
	GlobalLimitByName(ctx context.Context, name string) (*core.GlobalConcurrencyLimit, error)
	InsertGlobalLimit(ctx context.Context, l *core.GlobalConcurrencyLimit) error
	UpdateGlobalLimit(ctx context.Context, l *core.GlobalConcurrencyLimit) error
	DeleteGlobalLimit(ctx context.Context, id core.UUID) error
}

// scheduleTx replaces and changes the schedules of a deployment.
type scheduleTx interface {
	core.ScheduleTx
	Schedules(ctx context.Context, deploymentID core.UUID) ([]*core.Schedule, error)
}

// planReader reads the schedules of a deployment, and the runs made of them.
type planReader interface {
	Schedules(ctx context.Context, deploymentID core.UUID) ([]*core.Schedule, error)
	SlotRuns(ctx context.Context, deploymentID core.UUID, first, last core.Time) ([]core.SlotRun, error)
}

// planTx makes the runs of schedules.
type planTx interface {
	planReader
	DeletePlannedRun(ctx context.Context, id core.UUID) (bool, error)
	InsertFlowRun(ctx context.Context, r *core.FlowRun, past ...*core.State) (bool, error)
	PlannedRuns(ctx context.Context, deploymentID core.UUID, now core.Time) ([]*core.FlowRun, error)
	SetSlot(ctx context.Context, flowRunID core.UUID, slot string) error
}

// runMover moves the scheduled runs of a deployment to another queue.
type runMover interface {
	MoveScheduledRuns(ctx context.Context, deploymentID, from, to core.UUID) (int64, error)
}

// queueReader lists work queues.
type queueReader interface {
	WorkQueues(ctx context.Context, poolID core.UUID, f *core.WorkQueueFilter, p core.Page) ([]*core.WorkQueue, error)
}

// workerReader lists workers.
type workerReader interface {
	Workers(ctx context.Context, poolID core.UUID, f *core.WorkerFilter, p core.Page) ([]*core.Worker, error)
}

// dueReader lists the due runs of work queues.
type dueReader interface {
	ClaimableFlowRuns(ctx context.Context, queueID core.UUID, can core.Capability, before core.Time, limit int) ([]*core.FlowRun, error)
	FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error)
	PoolLoad(ctx context.Context, poolID core.UUID) (map[core.UUID]int64, error)
}
