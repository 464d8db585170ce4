package core

import "context"

// Store is the database: the only truth. Reads see what is committed.
// Every method returns ENotFound where one row was asked for and there is
// none, EConflict for a duplicate or a violated reference, and EUnavailable
// while the database cannot answer.
type Store interface {
	Reader

	// Write runs fn in a transaction and returns after the commit is durable.
	// On SQLite many callers share one commit. fn may run more than once, so it
	// must do nothing but use tx and set its own results; it must be quick.
	// An error from fn undoes everything that fn did and is returned as it is.
	Write(ctx context.Context, fn func(tx Tx) error) error

	// Engine names the database for people: "sqlite" or "postgres". Code decides
	// by what the store can do, such as Shared.
	Engine() string
	// Shared reports whether other servers may use this database at the same time.
	Shared() bool
	// Facts tell people where the database is and how large.
	Facts(ctx context.Context) (*StoreFacts, error)
	// Ping answers within ctx whether the database can be read and written.
	Ping(ctx context.Context) error
	Close() error
}

// Reader is what can be asked of the database, inside and outside a
// transaction. Lists take MaxLimit rows where Limit is 0.
type Reader interface {
	BlockReader
	AutomationReader
	RetentionReader

	Flow(ctx context.Context, id UUID) (*Flow, error)
	FlowByName(ctx context.Context, name string) (*Flow, error)
	Flows(ctx context.Context, f Filters, p Page) ([]*Flow, error)
	CountFlows(ctx context.Context, f Filters) (int64, error)

	// FlowRun comes with its state, queue and pool names and estimates.
	FlowRun(ctx context.Context, id UUID) (*FlowRun, error)
	FlowRunByKey(ctx context.Context, flowID UUID, idempotencyKey string) (*FlowRun, error)
	FlowRunsByIDs(ctx context.Context, ids []UUID) ([]*FlowRun, error) // in the order of ids, missing ones left out
	FlowRuns(ctx context.Context, f Filters, p Page) ([]*FlowRun, error)
	// FlowRunMarks are pages of flow runs, one for each of the filters, with what a
	// mark of a chart tells of them: id, state, start and end.
	FlowRunMarks(ctx context.Context, of []Filters, p Page) ([][]*FlowRun, error)
	CountFlowRuns(ctx context.Context, f Filters) (int64, error)
	// CountFlowRunsUpTo stops counting at most.
	CountFlowRunsUpTo(ctx context.Context, f Filters, most int64) (int64, error)
	FlowRunHistory(ctx context.Context, q HistoryQuery) ([]HistoryBucket, error)
	// FlowRunLateness is the average lateness in seconds; nil where no run passes the filters.
	FlowRunLateness(ctx context.Context, f Filters) (*float64, error)
	FlowRunState(ctx context.Context, id UUID) (*State, error)
	FlowRunStates(ctx context.Context, flowRunID UUID) ([]*State, error)
	// FlowRunChildren are the runs whose parent task belongs to the run.
	FlowRunChildren(ctx context.Context, flowRunID UUID) ([]*FlowRun, error)

	FlowRunInput(ctx context.Context, flowRunID UUID, key string) (*FlowRunInput, error)
	FlowRunInputs(ctx context.Context, flowRunID UUID, prefix string, exclude []string, limit int) ([]*FlowRunInput, error)

	TaskRun(ctx context.Context, id UUID) (*TaskRun, error)
	TaskRunByKey(ctx context.Context, flowRunID UUID, taskKey, dynamicKey string) (*TaskRun, error)
	TaskRuns(ctx context.Context, f Filters, p Page) ([]*TaskRun, error)
	CountTaskRuns(ctx context.Context, f Filters) (int64, error)
	TaskRunHistory(ctx context.Context, q HistoryQuery) ([]HistoryBucket, error)
	TaskRunState(ctx context.Context, id UUID) (*State, error)
	TaskRunStates(ctx context.Context, taskRunID UUID) ([]*State, error)
	// TaskRunsOf is every task run of a flow run, by id, from after on: the
	// engine's resume and the timeline read thousands.
	TaskRunsOf(ctx context.Context, flowRunID, after UUID, limit int) ([]*TaskRun, error)
	// QueuedTaskRuns are the background task runs of a key that are not with a
	// task worker, the first due first.
	QueuedTaskRuns(ctx context.Context, taskKey string, now Time, limit int) ([]QueuedTaskRun, error)

	SavedSearch(ctx context.Context, id UUID) (*SavedSearch, error)
	SavedSearchByName(ctx context.Context, name string) (*SavedSearch, error)
	SavedSearches(ctx context.Context, p Page) ([]*SavedSearch, error) // by name
	// CachedState is the completed state stored under a cache key, unexpired.
	CachedState(ctx context.Context, cacheKey string, now Time) (*State, error)

	Deployment(ctx context.Context, id UUID) (*Deployment, error)
	DeploymentByName(ctx context.Context, flowName, name string) (*Deployment, error)
	Deployments(ctx context.Context, f Filters, p Page) ([]*Deployment, error)
	CountDeployments(ctx context.Context, f Filters) (int64, error)
	Schedule(ctx context.Context, id UUID) (*Schedule, error)
	Schedules(ctx context.Context, deploymentID UUID) ([]*Schedule, error)
	// DeploymentsToSchedule are unpaused deployments with an active schedule
	// whose id is above after, by id; updatedSince 0 is all of them.
	DeploymentsToSchedule(ctx context.Context, after UUID, updatedSince Time, limit int) ([]*Deployment, error)
	// PlannedRuns are a deployment's auto-scheduled runs after now that nobody
	// has touched: still in their first state and as they were made.
	PlannedRuns(ctx context.Context, deploymentID UUID, now Time) ([]*FlowRun, error)
	// SlotRuns are a deployment's auto-scheduled runs, in whatever state, for the slots from first to last.
	SlotRuns(ctx context.Context, deploymentID UUID, first, last Time) ([]SlotRun, error)

	WorkPool(ctx context.Context, id UUID) (*WorkPool, error)
	WorkPoolByName(ctx context.Context, name string) (*WorkPool, error)
	WorkPools(ctx context.Context, f *WorkPoolFilter, p Page) ([]*WorkPool, error)
	CountWorkPools(ctx context.Context, f *WorkPoolFilter) (int64, error)
	WorkQueue(ctx context.Context, id UUID) (*WorkQueue, error)
	WorkQueueByName(ctx context.Context, poolID UUID, name string) (*WorkQueue, error)
	// WorkQueues of one pool (zero: all), by priority.
	WorkQueues(ctx context.Context, poolID UUID, f *WorkQueueFilter, p Page) ([]*WorkQueue, error)
	Worker(ctx context.Context, poolID UUID, name string) (*Worker, error)
	Workers(ctx context.Context, poolID UUID, f *WorkerFilter, p Page) ([]*Worker, error)
	// PoolLoad counts the PENDING and RUNNING runs of a pool by queue.
	PoolLoad(ctx context.Context, poolID UUID) (map[UUID]int64, error)
	// DueFlowRuns are SCHEDULED runs of one queue due by before, soonest first,
	// without in-process retries: their process is still there.
	DueFlowRuns(ctx context.Context, queueID UUID, before Time, limit int) ([]*FlowRun, error)
	DueFlowRunsOfDeployments(ctx context.Context, deployments []UUID, before Time, limit int) ([]*FlowRun, error)
	// ClaimableFlowRuns are those of DueFlowRuns that can allows, by priority, then soonest first.
	ClaimableFlowRuns(ctx context.Context, queueID UUID, can Capability, before Time, limit int) ([]*FlowRun, error)
	// NextClaimable is when the pool's next SCHEDULED run that can allows is
	// due; 0 if none.
	NextClaimable(ctx context.Context, poolID UUID, can Capability) (Time, error)

	// What the loops look for.
	LateFlowRuns(ctx context.Context, before Time, limit int) ([]UUID, error)
	PausedPast(ctx context.Context, now Time, limit int) ([]UUID, error)
	CancelledSince(ctx context.Context, since Time, limit int) ([]UUID, error) // with children or tasks still live
	// UnleasedFlowRuns are RUNNING runs above after, by id, that nobody leases
	// and that do not share their parent's process.
	UnleasedFlowRuns(ctx context.Context, after UUID, limit int) ([]UUID, error)
	ExpiredLeases(ctx context.Context, now Time, limit int) ([]*Lease, error)
	StaleWorkers(ctx context.Context, now Time) ([]*Worker, error) // ONLINE, but overdue

	Lease(ctx context.Context, flowRunID UUID) (*Lease, error)
	// CancellingOf are the runs leased to the holder that are CANCELLING.
	CancellingOf(ctx context.Context, holder UUID) ([]UUID, error)

	Logs(ctx context.Context, f *LogFilter, p Page) ([]*Log, error)
	CountLogs(ctx context.Context, f *LogFilter) (int64, error)
	Events(ctx context.Context, f *EventFilter, p Page) ([]*Event, error)
	CountEvents(ctx context.Context, f *EventFilter) (int64, error)
	// EventCounts counts by event, resource, or span: width microseconds from
	// pivot on, whose number is the value. A resource that changed its name
	// comes once for each.
	EventCounts(ctx context.Context, f *EventFilter, by string, pivot Time, width int64) ([]EventCount, error)

	Artifact(ctx context.Context, id UUID) (*Artifact, error)
	Artifacts(ctx context.Context, f *ArtifactFilter, p Page) ([]*Artifact, error)
	CountArtifacts(ctx context.Context, f *ArtifactFilter) (int64, error)
	ArtifactCollection(ctx context.Context, key string) (*ArtifactCollection, error)
	ArtifactCollections(ctx context.Context, f *ArtifactFilter, p Page) ([]*ArtifactCollection, error)
	CountArtifactCollections(ctx context.Context, f *ArtifactFilter) (int64, error)

	Variable(ctx context.Context, id UUID) (*Variable, error)
	VariableByName(ctx context.Context, name string) (*Variable, error)
	Variables(ctx context.Context, f *VariableFilter, p Page) ([]*Variable, error)
	CountVariables(ctx context.Context, f *VariableFilter) (int64, error)

	GlobalLimit(ctx context.Context, id UUID) (*GlobalConcurrencyLimit, error)
	GlobalLimitByName(ctx context.Context, name string) (*GlobalConcurrencyLimit, error)
	GlobalLimits(ctx context.Context, ofTags bool, p Page) ([]*GlobalConcurrencyLimit, error) // those named tag:…, or the others
	SlotLease(ctx context.Context, id UUID) (*SlotLease, error)
	// SlotLeases are a limit's unexpired leases, oldest first, without their Limits.
	SlotLeases(ctx context.Context, limitID UUID, now Time) ([]*SlotLease, error)
	// SlotHolders are the runs that took slots without a lease and whose client was known.
	SlotHolders(ctx context.Context) ([]UUID, error)
	// LostSlotHolders are those of them whose client's connection broke, and who
	// have not been heard of since.
	LostSlotHolders(ctx context.Context, now Time) ([]UUID, error)
	// DeploymentLease is the lease by which a run's client keeps the slot of
	// its deployment. Returns ENotFound for a client that keeps none.
	DeploymentLease(ctx context.Context, flowRunID UUID) (*SlotLease, error)
	// SlotsHeld sums the slots of a limit's unexpired leases and the live runs
	// of the deployments that it limits, without those whose DeploymentLease ran out.
	SlotsHeld(ctx context.Context, limitID UUID, now Time) (int64, error)
	// RunsHolding are the live runs that SlotsHeld counts, at most limit.
	RunsHolding(ctx context.Context, limitID UUID, now Time, limit int) ([]UUID, error)

	Setting(ctx context.Context, key string) (JSON, error)
}

// Tx is a transaction. On Postgres Lock* take row locks; on SQLite the single
// writer makes them plain reads.
type Tx interface {
	Reader
	BlockTx
	AutomationTx
	RetentionTx

	// UpsertFlow returns the stored flow of that name, untouched if it existed.
	UpsertFlow(ctx context.Context, f *Flow) (stored *Flow, created bool, err error)
	UpdateFlow(ctx context.Context, f *Flow) error
	DeleteFlow(ctx context.Context, id UUID) error

	// LockFlowRun reads a run for a state change.
	LockFlowRun(ctx context.Context, id UUID) (*FlowRun, error)
	// InsertFlowRun writes the run and, if it has one, its state, after those
	// that it was in before. False means that (flow, idempotency key) is taken
	// and nothing was written.
	InsertFlowRun(ctx context.Context, r *FlowRun, past ...*State) (bool, error)
	// UpdateFlowRun writes name, flow_version, parameters, policy, tags, labels,
	// infrastructure_pid, job_variables and context.
	UpdateFlowRun(ctx context.Context, r *FlowRun) error
	// SetFlowRunState writes r.State to the history, and what a transition
	// changes on the run: state columns, times, counts, policy, recoveries.
	SetFlowRunState(ctx context.Context, r *FlowRun) error
	DeleteFlowRun(ctx context.Context, id UUID) error
	// DeleteScheduledRuns removes all of a deployment's SCHEDULED runs that never
	// ran and returns how many.
	DeleteScheduledRuns(ctx context.Context, deploymentID UUID) (int64, error)
	// DeletePlannedRun removes one of PlannedRuns. False means that it was
	// claimed or changed in the meantime and stays.
	DeletePlannedRun(ctx context.Context, id UUID) (bool, error)
	// SetSlot writes what the schedule means now for which a run was made.
	SetSlot(ctx context.Context, flowRunID UUID, slot string) error
	// MoveScheduledRuns puts a deployment's SCHEDULED runs that are in one queue
	// into another (zero is none) and returns how many.
	MoveScheduledRuns(ctx context.Context, deploymentID, from, to UUID) (int64, error)

	InsertFlowRunInput(ctx context.Context, in *FlowRunInput) error
	DeleteFlowRunInput(ctx context.Context, flowRunID UUID, key string) error

	LockTaskRun(ctx context.Context, id UUID) (*TaskRun, error)
	// InsertTaskRun writes the task run and its state. False means that
	// (flow run, task key, dynamic key) is taken and nothing was written.
	InsertTaskRun(ctx context.Context, r *TaskRun) (bool, error)
	UpdateTaskRun(ctx context.Context, r *TaskRun) error
	SetTaskRunState(ctx context.Context, r *TaskRun) error
	// RecordTaskRun applies a report: inserts the task run, or updates it where
	// the stored state is older, and adds the states that are not there yet.
	// A report of an unknown flow run is EConflict.
	RecordTaskRun(ctx context.Context, r *TaskRunReport) error
	DeleteTaskRun(ctx context.Context, id UUID) error
	// QueueTaskRun lets task workers have a background task run from due on.
	QueueTaskRun(ctx context.Context, q QueuedTaskRun) error
	UnqueueTaskRun(ctx context.Context, id UUID) error // fine with one that is not queued
	// TakeQueuedTaskRun keeps a queued task run from others until then; false if
	// another has it.
	TakeQueuedTaskRun(ctx context.Context, id UUID, now, until Time) (bool, error)
	GiveBackTaskRun(ctx context.Context, id UUID) error

	PutSavedSearch(ctx context.Context, s *SavedSearch) error // replaces the filters of one of the same name
	DeleteSavedSearch(ctx context.Context, id UUID) error
	PutCachedState(ctx context.Context, cacheKey string, s *State) error

	InsertDeployment(ctx context.Context, d *Deployment) error
	UpdateDeployment(ctx context.Context, d *Deployment) error
	// LockDeployment reads a deployment for a change of it, its schedules or its plan.
	LockDeployment(ctx context.Context, id UUID) (*Deployment, error)
	// PolledDeployments marks them READY and polled.
	PolledDeployments(ctx context.Context, ids []UUID, now Time) error
	DeleteDeployment(ctx context.Context, id UUID) error
	InsertSchedule(ctx context.Context, s *Schedule) error
	UpdateSchedule(ctx context.Context, s *Schedule) error
	DeleteSchedule(ctx context.Context, id UUID) error

	InsertWorkPool(ctx context.Context, p *WorkPool) error
	UpdateWorkPool(ctx context.Context, p *WorkPool) error
	DeleteWorkPool(ctx context.Context, id UUID) error
	LockWorkPool(ctx context.Context, id UUID) (*WorkPool, error)
	InsertWorkQueue(ctx context.Context, q *WorkQueue) error
	UpdateWorkQueue(ctx context.Context, q *WorkQueue) error
	// PolledWorkQueues marks them polled, and READY unless paused.
	PolledWorkQueues(ctx context.Context, ids []UUID, now Time) error
	DeleteWorkQueue(ctx context.Context, id UUID) error
	UpsertWorker(ctx context.Context, w *Worker) error
	DeleteWorker(ctx context.Context, poolID UUID, name string) error
	// UnpolledNotReady turns READY queues and deployments that were last polled
	// before the cutoff to NOT_READY and returns those it changed.
	UnpolledNotReady(ctx context.Context, cutoff Time) (queues, deployments []UUID, err error)

	// LockLeases reads the leases of the runs that have one, in the order of
	// their ids, and until the transaction ends nobody takes these runs from
	// their holders.
	LockLeases(ctx context.Context, flowRunIDs []UUID) ([]*Lease, error)
	PutLease(ctx context.Context, l *Lease) error
	// RenewLeases moves the expiry of all a holder's leases and returns their runs.
	RenewLeases(ctx context.Context, holder UUID, expires Time) ([]UUID, error)
	DeleteLease(ctx context.Context, flowRunID UUID) error

	InsertLogs(ctx context.Context, logs []*Log) error // sets Seq
	// InsertEvents leaves out ids that are known and returns those that were new.
	InsertEvents(ctx context.Context, events []*Event) ([]*Event, error)
	// AddEvents writes events whose ids nobody else has given out.
	AddEvents(ctx context.Context, events []*Event) error
	// DeleteEvents removes events that occurred before the cutoff, at most limit.
	DeleteEvents(ctx context.Context, before Time, limit int) (int64, error)

	// InsertArtifact also moves its key's collection to it.
	InsertArtifact(ctx context.Context, a *Artifact) error
	UpdateArtifact(ctx context.Context, a *Artifact) error
	DeleteArtifact(ctx context.Context, id UUID) error

	InsertVariable(ctx context.Context, v *Variable) error
	UpdateVariable(ctx context.Context, v *Variable) error
	DeleteVariable(ctx context.Context, id UUID) error

	LockGlobalLimits(ctx context.Context, names []string) ([]*GlobalConcurrencyLimit, error) // in name order, unknown ones left out
	InsertGlobalLimit(ctx context.Context, l *GlobalConcurrencyLimit) error
	UpdateGlobalLimit(ctx context.Context, l *GlobalConcurrencyLimit) error
	DeleteGlobalLimit(ctx context.Context, id UUID) error
	PutSlotLease(ctx context.Context, l *SlotLease) error // inserts, or changes expiry, slots and holder
	DeleteSlotLease(ctx context.Context, id UUID) error
	DeleteExpiredSlotLeases(ctx context.Context, now Time) (int64, error)
	// DeleteSlotLeasesOfHolder frees what a run, or a flow run's tasks, took without a lease.
	DeleteSlotLeasesOfHolder(ctx context.Context, id UUID) error
	DeleteDeploymentLease(ctx context.Context, flowRunID UUID) error
	// DeleteEndedSlotLeases frees what runs took without a lease that ended
	// before, or whose limit is gone, and forgets the DeploymentLease of runs that hold no slot.
	DeleteEndedSlotLeases(ctx context.Context, before Time) (int64, error)
	// LoseSlotLeases lets what a client took without a lease expire, and returns its holders.
	LoseSlotLeases(ctx context.Context, clientID UUID, expires Time) ([]UUID, error)
	// KeepSlotLeases takes LoseSlotLeases back: the holder was heard of through another client.
	KeepSlotLeases(ctx context.Context, holderID, clientID UUID, expires Time) error

	PutSetting(ctx context.Context, key string, value JSON) error
}
