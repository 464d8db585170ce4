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
	// Stats are what this Store has done since it was opened.
	Stats() StoreStats
	// Ping answers within ctx whether the database can be read and written.
	Ping(ctx context.Context) error
	Close() error
}

// Reader is what can be asked of the database, inside and outside a
// transaction. Lists take MaxLimit rows where Limit is 0.
type Reader interface {
	FlowReader
	FlowRunReader
	FlowRunInputReader
	FlowRunStreamReader
	FlowRunStatusReader
	FlowRunWebhookReader
	FlowRunMessageReader
	TaskRunReader
	TaskQueueReader
	SavedSearchReader
	DeploymentReader
	ScheduleReader
	PlanReader
	WorkPoolReader
	WorkQueueReader
	WorkerReader
	ClaimReader
	LeaseReader
	LogReader
	EventReader
	ArtifactReader
	VariableReader
	LimitReader
	SettingReader
	BlockReader
	AutomationReader
	RetentionReader
}

// Tx is a transaction. On Postgres Lock* take row locks; on SQLite the single
// writer makes them plain reads.
type Tx interface {
	Reader
	FlowTx
	FlowRunTx
	FlowRunInputTx
	FlowRunStreamTx
	FlowRunStatusTx
	FlowRunWebhookTx
	FlowRunMessageTx
	TaskRunTx
	TaskQueueTx
	SavedSearchTx
	DeploymentTx
	ScheduleTx
	PlanTx
	WorkPoolTx
	WorkQueueTx
	WorkerTx
	LeaseTx
	LogTx
	EventTx
	ArtifactTx
	VariableTx
	LimitTx
	SettingTx
	BlockTx
	AutomationTx
	RetentionTx
}
