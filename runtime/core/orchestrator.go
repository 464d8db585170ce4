package core

import "context"

// Orchestrator is what an executing run needs of a server: package local implements
// it directly, package client over HTTP, so that the engine cannot tell local from
// remote. A worker needs PoolOrchestrator, too.
//
// Writes of a leased run carry its fencing token (WithRunToken); a token that
// is no longer the run's fails with ELeaseLost.
type Orchestrator interface {
	FlowRunOrchestrator
	TaskRunOrchestrator
	DeploymentOrchestrator
	DataOrchestrator
	SlotOrchestrator
	LeaseOrchestrator
}

// FlowRunOrchestrator creates and executes flow runs.
type FlowRunOrchestrator interface {
	CreateFlow(ctx context.Context, c FlowCreate) (*Flow, error)
	Flow(ctx context.Context, id UUID) (*Flow, error)
	CreateFlowRun(ctx context.Context, c FlowRunCreate) (*FlowRun, error)
	// StartFlowRun creates a run that the caller executes at once, in one commit
	// where that can be: PENDING, RUNNING and, with a holder, leased to it; the
	// lease is nil without. A run that is still PENDING is to be entered as any.
	StartFlowRun(ctx context.Context, c FlowRunCreate, holder UUID) (*FlowRun, *Lease, error)
	FlowRun(ctx context.Context, id UUID) (*FlowRun, error)
	UpdateFlowRun(ctx context.Context, id UUID, u FlowRunUpdate) error
	SetFlowRunState(ctx context.Context, id UUID, s StateCreate, force bool) (*OrchestrationResult, error)
	// WaitFlowRun returns the run once its state is another than stateID, or
	// unchanged when wait (at most 30 s) has passed.
	WaitFlowRun(ctx context.Context, id, stateID UUID, wait Seconds) (*FlowRun, error)
	// CancelFlowRun, ResumeFlowRun, and RetryFlowRun answer ABORT or REJECT if the
	// run is in a state from which it cannot be done.
	CancelFlowRun(ctx context.Context, id UUID) (*OrchestrationResult, error)
	// ResumeFlowRun gives a paused run its input; nil if it asks for none.
	ResumeFlowRun(ctx context.Context, id UUID, input JSON) (*OrchestrationResult, error)
	// RetryFlowRun runs an ended run again; fresh repeats its finished tasks, too.
	RetryFlowRun(ctx context.Context, id UUID, fresh bool) (*OrchestrationResult, error)
	CreateFlowRunInput(ctx context.Context, flowRunID UUID, key, value, sender string) error
	FlowRunInput(ctx context.Context, flowRunID UUID, key string) (string, error)
	// SendMessage is durable when it returns. EConflict if the run has ended. A run
	// that is suspended until a message to the topic arrives is scheduled with it.
	SendMessage(ctx context.Context, flowRunID UUID, m MessageCreate) (*RunMessage, error)
	// CreateWebhook returns the same URL for the same ID. EConflict if the run has ended.
	CreateWebhook(ctx context.Context, flowRunID UUID, c WebhookCreate) (*CreatedWebhook, error)
	// ReceiveMessage returns the next message to one of the topics, or nil if none
	// arrived within the request's Wait. It is the same one for the same call.
	ReceiveMessage(ctx context.Context, flowRunID UUID, r MessageRequest) (*RunMessage, error)
	// SetStatus is durable when it returns. What an older attempt, or a replay, sets
	// changes nothing.
	SetStatus(ctx context.Context, flowRunID UUID, key string, c StatusSet) error
	// FlowRunStatus is the last value under a key; ENotFound if none was set.
	FlowRunStatus(ctx context.Context, flowRunID UUID, key string) (*FlowRunStatus, error)
	// AppendStream is durable when it returns the number of the last entry.
	AppendStream(ctx context.Context, flowRunID UUID, key string, list []StreamAppend) (int64, error)
	// StreamEntries returns entries from number from on. Where there are none yet
	// it waits for one, or for the run's end, at most wait (30 s).
	StreamEntries(ctx context.Context, flowRunID UUID, key string, from int64, wait Seconds) (*StreamPage, error)
}

// TaskRunOrchestrator records task runs and keeps their results.
type TaskRunOrchestrator interface {
	// TaskRunsOf is every task run of a flow run, by id, from after on.
	TaskRunsOf(ctx context.Context, flowRunID, after UUID, limit int) ([]*TaskRun, error)
	// RecordTaskRuns is durable when it returns.
	RecordTaskRuns(ctx context.Context, reports []*TaskRunReport) error
	CachedState(ctx context.Context, cacheKey string) (*State, error)
	PutResult(ctx context.Context, key string, data []byte) error
	Result(ctx context.Context, key string) ([]byte, error)
}

// DeploymentOrchestrator creates deployments and runs of them.
type DeploymentOrchestrator interface {
	DeploymentByName(ctx context.Context, flowName, name string) (*Deployment, error)
	CreateDeployment(ctx context.Context, c DeploymentCreate) (*Deployment, error)
	CreateDeploymentFlowRun(ctx context.Context, deploymentID UUID, c DeploymentFlowRunCreate) (*FlowRun, error)
	// CreateDeploymentFlowRuns creates runs in their order, all or none, at most
	// MaxFlowRunsAtOnce. Of a run over HTTP, ID, name, and deployment are known.
	CreateDeploymentFlowRuns(ctx context.Context, deploymentID UUID, list []DeploymentFlowRunCreate) ([]*FlowRun, error)
}

// DataOrchestrator reads and stores what flows use and leave behind.
type DataOrchestrator interface {
	WriteLogs(ctx context.Context, logs []LogCreate) error
	// RunLogs are entries of a flow run in the order of arrival, from offset on.
	RunLogs(ctx context.Context, flowRunID UUID, offset, limit int) ([]*Log, error)
	EmitEvents(ctx context.Context, events []*Event) error
	CreateArtifact(ctx context.Context, c ArtifactCreate) (*Artifact, error)
	UpdateArtifact(ctx context.Context, id UUID, u ArtifactUpdate) error
	VariableByName(ctx context.Context, name string) (*Variable, error)
	// BlockDocument comes with its data; secrets says whether in the clear.
	BlockDocument(ctx context.Context, id UUID, secrets bool) (*BlockDocument, error)
	BlockDocumentByName(ctx context.Context, typeSlug, name string, secrets bool) (*BlockDocument, error)
}

// SlotOrchestrator grants slots of concurrency limits.
type SlotOrchestrator interface {
	AcquireSlots(ctx context.Context, r SlotRequest) (*SlotGrant, error)
	RenewSlots(ctx context.Context, leaseID UUID, seconds float64) error
	ReleaseSlots(ctx context.Context, leaseID UUID) error
}

// LeaseOrchestrator keeps the leases of runs that execute.
type LeaseOrchestrator interface {
	// LeaseRun takes the lease of a run that no worker claimed, as a flow
	// started by hand does. ELeaseLost while another holds it.
	LeaseRun(ctx context.Context, flowRunID, holder UUID) (*Lease, error)
	// RenewLeases keeps all the holder's leases for LeaseSeconds and returns
	// the runs that it still holds.
	RenewLeases(ctx context.Context, holder UUID) ([]UUID, error)
	// ReportCrash says that the process of a run ended without a final state.
	// The run resumes elsewhere where recoverable says that another try makes
	// sense and it was not tried too often, else it becomes CRASHED.
	ReportCrash(ctx context.Context, flowRunID UUID, message string, recoverable bool) (*OrchestrationResult, error)
}

// PoolOrchestrator assigns the runs of work pools to workers.
type PoolOrchestrator interface {
	WorkPoolByName(ctx context.Context, name string) (*WorkPool, error)
	CreateWorkPool(ctx context.Context, c WorkPoolCreate) (*WorkPool, error)
	Heartbeat(ctx context.Context, pool string, h WorkerHeartbeat) error
	Poll(ctx context.Context, r PollRequest) (*PollResponse, error)
}

// MaxRecoveries is how often a run whose process was lost is resumed before
// it is left CRASHED: a run that kills its worker must not do so for ever.
const MaxRecoveries = 5

type tokenKey struct{}

// WithRunToken marks the calls of one leased run.
func WithRunToken(ctx context.Context, token UUID) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}

// RunToken is the caller's fencing token; zero if it has none.
func RunToken(ctx context.Context) UUID {
	t, _ := ctx.Value(tokenKey{}).(UUID)
	return t
}

type callerKey struct{}

// WithCallingRun marks the calls that are made with the credentials of a flow run.
func WithCallingRun(ctx context.Context, flowRun UUID) context.Context {
	return context.WithValue(ctx, callerKey{}, flowRun)
}

// WithPerson marks the calls that a program makes for a person whom it knows.
func WithPerson(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, personKey{}, name)
}

// Person returns the name of the person who makes a call; empty if unknown.
func Person(ctx context.Context) string {
	name, _ := ctx.Value(personKey{}).(string)
	return name
}

type personKey struct{}

// CallingRun returns the flow run whose credentials the caller has; zero if the
// caller is a person, a worker, or anyone else with credentials of the server.
func CallingRun(ctx context.Context) UUID {
	id, _ := ctx.Value(callerKey{}).(UUID)
	return id
}
