package core

import "context"

// FlowReader reads flows.
type FlowReader interface {
	Flow(ctx context.Context, id UUID) (*Flow, error)
	FlowByName(ctx context.Context, name string) (*Flow, error)
	Flows(ctx context.Context, f Filters, p Page) ([]*Flow, error)
	CountFlows(ctx context.Context, f Filters) (int64, error)
}

// FlowTx writes flows.
type FlowTx interface {
	// UpsertFlow returns the stored flow of that name, untouched if it existed.
	UpsertFlow(ctx context.Context, f *Flow) (stored *Flow, created bool, err error)
	UpdateFlow(ctx context.Context, f *Flow) error
	DeleteFlow(ctx context.Context, id UUID) error
}

// FlowRunReader reads flow runs.
type FlowRunReader interface {
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
	// LiveFlowRuns counts the runs that have not ended by flow, pool, and state.
	LiveFlowRuns(ctx context.Context) ([]LiveFlowRuns, error)
	FlowRunState(ctx context.Context, id UUID) (*State, error)
	FlowRunStates(ctx context.Context, flowRunID UUID) ([]*State, error)
	// FlowRunChildren are the runs whose parent task belongs to the run.
	FlowRunChildren(ctx context.Context, flowRunID UUID) ([]*FlowRun, error)
	LateFlowRuns(ctx context.Context, before Time, limit int) ([]UUID, error)
	PausedPast(ctx context.Context, now Time, limit int) ([]UUID, error)
	CancelledSince(ctx context.Context, since Time, limit int) ([]UUID, error) // with children or tasks still live
	// UnleasedFlowRuns are RUNNING runs above after, by id, that nobody leases
	// and that do not share their parent's process.
	UnleasedFlowRuns(ctx context.Context, after UUID, limit int) ([]UUID, error)
}

// FlowRunTx writes flow runs.
type FlowRunTx interface {
	// LockFlowRun reads a run for a state change.
	LockFlowRun(ctx context.Context, id UUID) (*FlowRun, error)
	// LockFlowRuns is LockFlowRun for many runs, in the order of ids. Those that do not
	// exist are left out.
	LockFlowRuns(ctx context.Context, ids []UUID) ([]*FlowRun, error)
	// InsertFlowRun writes the run and, if it has one, its state, after those
	// that it was in before. False means that (flow, idempotency key) is taken
	// and nothing was written.
	InsertFlowRun(ctx context.Context, r *FlowRun, past ...*State) (bool, error)
	// InsertFlowRuns is InsertFlowRun for many runs, where past[i], if there, are the
	// former states of the i-th; fresh says which of them were written.
	InsertFlowRuns(ctx context.Context, runs []*FlowRun, past ...[]*State) (fresh []bool, err error)
	// UpdateFlowRun writes name, flow_version, parameters, policy, tags, labels,
	// infrastructure_pid, job_variables, context, and priority.
	UpdateFlowRun(ctx context.Context, r *FlowRun) error
	// SetFlowRunState writes r.State to the history, and what a transition
	// changes on the run: state columns, times, counts, policy, recoveries.
	SetFlowRunState(ctx context.Context, r *FlowRun) error
	// SetFlowRunStates is SetFlowRunState for many runs, each once.
	SetFlowRunStates(ctx context.Context, runs []*FlowRun) error
	DeleteFlowRun(ctx context.Context, id UUID) error
}

// FlowRunInputReader reads inputs of flow runs.
type FlowRunInputReader interface {
	FlowRunInput(ctx context.Context, flowRunID UUID, key string) (*FlowRunInput, error)
	FlowRunInputs(ctx context.Context, flowRunID UUID, prefix string, exclude []string, limit int) ([]*FlowRunInput, error)
}

// FlowRunInputTx writes inputs of flow runs.
type FlowRunInputTx interface {
	InsertFlowRunInput(ctx context.Context, in *FlowRunInput) error
	DeleteFlowRunInput(ctx context.Context, flowRunID UUID, key string) error
}

// FlowRunStreamReader reads streams of flow runs.
type FlowRunStreamReader interface {
	// StreamEntries are those from number from on, at most limit.
	StreamEntries(ctx context.Context, flowRunID UUID, key string, from int64, limit int) ([]*StreamEntry, error)
	Streams(ctx context.Context, flowRunID UUID) ([]StreamInfo, error)
}

// FlowRunStreamTx appends to streams of flow runs.
type FlowRunStreamTx interface {
	// AppendStream returns the number of the entry. What was appended before, by
	// source and ordinal, stays as it is. The run must be locked.
	AppendStream(ctx context.Context, flowRunID UUID, key string, now Time, a StreamAppend) (number int64, err error)
}

// FlowRunStatusReader reads what flows have set under keys.
type FlowRunStatusReader interface {
	// FlowRunStatus returns ENotFound if nothing was set under the key.
	FlowRunStatus(ctx context.Context, flowRunID UUID, key string) (*FlowRunStatus, error)
	// FlowRunStatuses are those of all keys, in their order.
	FlowRunStatuses(ctx context.Context, flowRunID UUID) ([]*FlowRunStatus, error)
	CountFlowRunStatuses(ctx context.Context, flowRunID UUID) (int64, error)
}

// FlowRunStatusTx sets statuses of flow runs.
type FlowRunStatusTx interface {
	// SetFlowRunStatus reports whether the value was set: not if its source has set
	// the key before with the same or a higher attempt and ordinal. The run must be locked.
	SetFlowRunStatus(ctx context.Context, flowRunID UUID, key string, now Time, c StatusSet) (set bool, err error)
}

// FlowRunWebhookReader reads the webhooks of flow runs.
type FlowRunWebhookReader interface {
	// Webhook returns ENotFound if there is none.
	Webhook(ctx context.Context, id UUID) (*Webhook, error)
	// WebhookByToken finds a webhook by the hash of its token. ENotFound.
	WebhookByToken(ctx context.Context, tokenHash string) (*Webhook, error)
	CountWebhooks(ctx context.Context, flowRunID UUID) (int64, error)
}

// FlowRunWebhookTx writes the webhooks of flow runs.
type FlowRunWebhookTx interface {
	InsertWebhook(ctx context.Context, w *Webhook) error
	// UseWebhook returns ENotFound if there is none that was not used.
	UseWebhook(ctx context.Context, id UUID, now Time) error
}

// FlowRunMessageReader reads the inputs of flow runs that are messages.
type FlowRunMessageReader interface {
	// WaitingMessage is the first message to one of the topics that no call has
	// received. ENotFound.
	WaitingMessage(ctx context.Context, flowRunID UUID, topics []string) (*RunMessage, error)
	// ReceivedMessage is the message that a call has received. ENotFound.
	ReceivedMessage(ctx context.Context, flowRunID UUID, by string) (*RunMessage, error)
	// CountWaitingInputs counts the inputs that no call has received, other
	// inputs than messages included.
	CountWaitingInputs(ctx context.Context, flowRunID UUID) (int64, error)
}

// FlowRunMessageTx writes the inputs of flow runs that are messages.
type FlowRunMessageTx interface {
	// InsertMessage stores a message behind those that wait, and sets its time
	// accordingly. The run must be locked. EConflict if the ID is taken.
	InsertMessage(ctx context.Context, flowRunID UUID, m *RunMessage) error
	// ReceiveMessage gives a waiting message to a call. ENotFound if it does not wait.
	ReceiveMessage(ctx context.Context, flowRunID UUID, m *RunMessage, by string, now Time) error
}

// TaskRunReader reads task runs and cached states.
type TaskRunReader interface {
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
	// CachedState is the completed state stored under a cache key, unexpired.
	CachedState(ctx context.Context, cacheKey string, now Time) (*State, error)
}

// TaskRunTx writes task runs and cached states.
type TaskRunTx interface {
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
	PutCachedState(ctx context.Context, cacheKey string, s *State) error
}

// TaskQueueReader reads the queue of background task runs.
type TaskQueueReader interface {
	// QueuedTaskRuns are the background task runs of a key that are not with a
	// task worker, the first due first.
	QueuedTaskRuns(ctx context.Context, taskKey string, now Time, limit int) ([]QueuedTaskRun, error)
}

// TaskQueueTx writes the queue of background task runs.
type TaskQueueTx interface {
	// QueueTaskRun lets task workers have a background task run from due on.
	QueueTaskRun(ctx context.Context, q QueuedTaskRun) error
	UnqueueTaskRun(ctx context.Context, id UUID) error // fine with one that is not queued
	// TakeQueuedTaskRun keeps a queued task run from others until then; false if
	// another has it.
	TakeQueuedTaskRun(ctx context.Context, id UUID, now, until Time) (bool, error)
	GiveBackTaskRun(ctx context.Context, id UUID) error
}

// SavedSearchReader reads saved searches.
type SavedSearchReader interface {
	SavedSearch(ctx context.Context, id UUID) (*SavedSearch, error)
	SavedSearchByName(ctx context.Context, name string) (*SavedSearch, error)
	SavedSearches(ctx context.Context, p Page) ([]*SavedSearch, error) // by name
}

// SavedSearchTx writes saved searches.
type SavedSearchTx interface {
	PutSavedSearch(ctx context.Context, s *SavedSearch) error // replaces the filters of one of the same name
	DeleteSavedSearch(ctx context.Context, id UUID) error
}

// DeploymentReader reads deployments.
type DeploymentReader interface {
	Deployment(ctx context.Context, id UUID) (*Deployment, error)
	DeploymentByName(ctx context.Context, flowName, name string) (*Deployment, error)
	Deployments(ctx context.Context, f Filters, p Page) ([]*Deployment, error)
	CountDeployments(ctx context.Context, f Filters) (int64, error)
	// DeploymentsToSchedule are unpaused deployments with an active schedule
	// whose id is above after, by id; updatedSince 0 is all of them.
	DeploymentsToSchedule(ctx context.Context, after UUID, updatedSince Time, limit int) ([]*Deployment, error)
}

// DeploymentTx writes deployments.
type DeploymentTx interface {
	InsertDeployment(ctx context.Context, d *Deployment) error
	UpdateDeployment(ctx context.Context, d *Deployment) error
	// LockDeployment reads a deployment for a change of it, its schedules or its plan.
	LockDeployment(ctx context.Context, id UUID) (*Deployment, error)
	// PolledDeployments marks them READY and polled.
	PolledDeployments(ctx context.Context, ids []UUID, now Time) error
	DeleteDeployment(ctx context.Context, id UUID) error
}

// ScheduleReader reads schedules.
type ScheduleReader interface {
	Schedule(ctx context.Context, id UUID) (*Schedule, error)
	Schedules(ctx context.Context, deploymentID UUID) ([]*Schedule, error)
}

// ScheduleTx writes schedules.
type ScheduleTx interface {
	InsertSchedule(ctx context.Context, s *Schedule) error
	UpdateSchedule(ctx context.Context, s *Schedule) error
	DeleteSchedule(ctx context.Context, id UUID) error
}

// PlanReader reads the runs that schedules have planned.
type PlanReader interface {
	// PlannedRuns are a deployment's auto-scheduled runs after now that nobody
	// has touched: still in their first state and as they were made.
	PlannedRuns(ctx context.Context, deploymentID UUID, now Time) ([]*FlowRun, error)
	// SlotRuns are a deployment's auto-scheduled runs, in whatever state, for the slots from first to last.
	SlotRuns(ctx context.Context, deploymentID UUID, first, last Time) ([]SlotRun, error)
}

// PlanTx writes the runs that schedules have planned.
type PlanTx interface {
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
}

// WorkPoolReader reads work pools.
type WorkPoolReader interface {
	WorkPool(ctx context.Context, id UUID) (*WorkPool, error)
	WorkPoolByName(ctx context.Context, name string) (*WorkPool, error)
	WorkPools(ctx context.Context, f *WorkPoolFilter, p Page) ([]*WorkPool, error)
	CountWorkPools(ctx context.Context, f *WorkPoolFilter) (int64, error)
}

// WorkPoolTx writes work pools.
type WorkPoolTx interface {
	InsertWorkPool(ctx context.Context, p *WorkPool) error
	UpdateWorkPool(ctx context.Context, p *WorkPool) error
	DeleteWorkPool(ctx context.Context, id UUID) error
	LockWorkPool(ctx context.Context, id UUID) (*WorkPool, error)
}

// WorkQueueReader reads work queues.
type WorkQueueReader interface {
	WorkQueue(ctx context.Context, id UUID) (*WorkQueue, error)
	WorkQueueByName(ctx context.Context, poolID UUID, name string) (*WorkQueue, error)
	// WorkQueues of one pool (zero: all), by priority.
	WorkQueues(ctx context.Context, poolID UUID, f *WorkQueueFilter, p Page) ([]*WorkQueue, error)
}

// WorkQueueTx writes work queues.
type WorkQueueTx interface {
	InsertWorkQueue(ctx context.Context, q *WorkQueue) error
	UpdateWorkQueue(ctx context.Context, q *WorkQueue) error
	// PolledWorkQueues marks them polled, and READY unless paused.
	PolledWorkQueues(ctx context.Context, ids []UUID, now Time) error
	DeleteWorkQueue(ctx context.Context, id UUID) error
	// UnpolledNotReady turns READY queues and deployments that were last polled
	// before the cutoff to NOT_READY and returns those it changed.
	UnpolledNotReady(ctx context.Context, cutoff Time) (queues, deployments []UUID, err error)
}

// WorkerReader reads workers.
type WorkerReader interface {
	Worker(ctx context.Context, poolID UUID, name string) (*Worker, error)
	Workers(ctx context.Context, poolID UUID, f *WorkerFilter, p Page) ([]*Worker, error)
	// CountWorkers counts the workers by pool and status.
	CountWorkers(ctx context.Context) ([]WorkerCount, error)
	StaleWorkers(ctx context.Context, now Time) ([]*Worker, error) // ONLINE, but overdue
}

// WorkerTx writes workers.
type WorkerTx interface {
	UpsertWorker(ctx context.Context, w *Worker) error
	DeleteWorker(ctx context.Context, poolID UUID, name string) error
}

// ClaimReader reads the runs that workers may claim.
type ClaimReader interface {
	// PoolLoad counts the PENDING and RUNNING runs of a pool by queue.
	PoolLoad(ctx context.Context, poolID UUID) (map[UUID]int64, error)
	// DueFlowRuns are SCHEDULED runs of one queue due by before, soonest first,
	// without in-process retries: their process is still there.
	DueFlowRuns(ctx context.Context, queueID UUID, before Time, limit int) ([]*FlowRun, error)
	// DueFlowRunsOfDeployments are by priority, then soonest first.
	DueFlowRunsOfDeployments(ctx context.Context, deployments []UUID, before Time, limit int) ([]*FlowRun, error)
	// ClaimableFlowRuns are those of DueFlowRuns that can allows, by priority, then soonest first.
	ClaimableFlowRuns(ctx context.Context, queueID UUID, can Capability, before Time, limit int) ([]*FlowRun, error)
	// Claimable are ClaimableFlowRuns, without their records.
	Claimable(ctx context.Context, queueID UUID, can Capability, before Time, limit int) ([]ClaimableRun, error)
	// NextClaimable is when the pool's next SCHEDULED run that can allows is
	// due; 0 if none.
	NextClaimable(ctx context.Context, poolID UUID, can Capability) (Time, error)
}

// LeaseReader reads leases of flow runs.
type LeaseReader interface {
	Lease(ctx context.Context, flowRunID UUID) (*Lease, error)
	ExpiredLeases(ctx context.Context, now Time, limit int) ([]*Lease, error)
	// CancellingOf are the runs leased to the holder that are CANCELLING.
	CancellingOf(ctx context.Context, holder UUID) ([]UUID, error)
}

// LeaseTx writes leases of flow runs.
type LeaseTx interface {
	// LockLeases reads the leases of the runs that have one, in the order of
	// their ids, and until the transaction ends nobody takes these runs from
	// their holders.
	LockLeases(ctx context.Context, flowRunIDs []UUID) ([]*Lease, error)
	PutLease(ctx context.Context, l *Lease) error
	// PutLeases is PutLease for many runs, each once.
	PutLeases(ctx context.Context, leases []*Lease) error
	// RenewLeases moves the expiry of all a holder's leases and returns their runs.
	RenewLeases(ctx context.Context, holder UUID, expires Time) ([]UUID, error)
	DeleteLease(ctx context.Context, flowRunID UUID) error
	// DeleteLeases is DeleteLease for many runs.
	DeleteLeases(ctx context.Context, flowRunIDs []UUID) error
}

// LogReader reads log entries.
type LogReader interface {
	Logs(ctx context.Context, f *LogFilter, p Page) ([]*Log, error)
	CountLogs(ctx context.Context, f *LogFilter) (int64, error)
}

// LogTx writes log entries.
type LogTx interface {
	InsertLogs(ctx context.Context, logs []*Log) error // sets Seq
}

// EventReader reads events.
type EventReader interface {
	Events(ctx context.Context, f *EventFilter, p Page) ([]*Event, error)
	CountEvents(ctx context.Context, f *EventFilter) (int64, error)
	// EventCounts counts by event, resource, or span: width microseconds from
	// pivot on, whose number is the value. A resource that changed its name
	// comes once for each.
	EventCounts(ctx context.Context, f *EventFilter, by string, pivot Time, width int64) ([]EventCount, error)
}

// EventTx writes events.
type EventTx interface {
	// InsertEvents leaves out ids that are known and returns those that were new.
	InsertEvents(ctx context.Context, events []*Event) ([]*Event, error)
	// AddEvents writes events whose ids nobody else has given out.
	AddEvents(ctx context.Context, events []*Event) error
	// DeleteEvents removes events that occurred before the cutoff, at most limit.
	DeleteEvents(ctx context.Context, before Time, limit int) (int64, error)
}

// ArtifactReader reads artifacts and their collections.
type ArtifactReader interface {
	Artifact(ctx context.Context, id UUID) (*Artifact, error)
	// ArtifactOfCall is the artifact that a call of the run's code created.
	ArtifactOfCall(ctx context.Context, flowRunID UUID, call string) (*Artifact, error)
	Artifacts(ctx context.Context, f *ArtifactFilter, p Page) ([]*Artifact, error)
	CountArtifacts(ctx context.Context, f *ArtifactFilter) (int64, error)
	ArtifactCollection(ctx context.Context, key string) (*ArtifactCollection, error)
	ArtifactCollections(ctx context.Context, f *ArtifactFilter, p Page) ([]*ArtifactCollection, error)
	CountArtifactCollections(ctx context.Context, f *ArtifactFilter) (int64, error)
}

// ArtifactTx writes artifacts and their collections.
type ArtifactTx interface {
	// InsertArtifact also moves its key's collection to it.
	InsertArtifact(ctx context.Context, a *Artifact) error
	UpdateArtifact(ctx context.Context, a *Artifact) error
	DeleteArtifact(ctx context.Context, id UUID) error
}

// VariableReader reads variables.
type VariableReader interface {
	Variable(ctx context.Context, id UUID) (*Variable, error)
	VariableByName(ctx context.Context, name string) (*Variable, error)
	Variables(ctx context.Context, f *VariableFilter, p Page) ([]*Variable, error)
	CountVariables(ctx context.Context, f *VariableFilter) (int64, error)
}

// VariableTx writes variables.
type VariableTx interface {
	InsertVariable(ctx context.Context, v *Variable) error
	UpdateVariable(ctx context.Context, v *Variable) error
	DeleteVariable(ctx context.Context, id UUID) error
}

// LimitReader reads concurrency limits and their slots.
type LimitReader interface {
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
}

// LimitTx writes concurrency limits and their slots.
type LimitTx interface {
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
}

// SettingReader reads settings of the server.
type SettingReader interface {
	Setting(ctx context.Context, key string) (JSON, error)
}

// SettingTx writes settings of the server.
type SettingTx interface {
	PutSetting(ctx context.Context, key string, value JSON) error
}
