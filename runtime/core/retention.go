package core

import "context"

// EndedFlowRun is one that retention may take; the time says where it stands
// in the list.
type EndedFlowRun struct {
	ID                UUID
	ExpectedStartTime Time
}

// RetentionReader finds what is old, each list in an order that an index has.
type RetentionReader interface {
	// EndedFlowRuns are those in the final state that ended before the cutoff
	// and are part of no run that is there, after the given one.
	EndedFlowRuns(ctx context.Context, state StateType, before Time, after EndedFlowRun, limit int) ([]EndedFlowRun, error)
	// EndedTaskRuns are those of no flow run, by id.
	EndedTaskRuns(ctx context.Context, before Time, after UUID, limit int) ([]UUID, error)
	// LogsUpTo is the last of limit log lines after the given one, and how many of them are older than the cutoff.
	LogsUpTo(ctx context.Context, before Time, after int64, limit int) (last int64, old int, err error)
}

// RetentionTx removes what is old, little by little.
type RetentionTx interface {
	// TrimFlowRun removes about limit rows of what belongs to a run, and with
	// the last of them the run; done says that it did.
	TrimFlowRun(ctx context.Context, id UUID, limit int) (rows int, done bool, err error)
	// TrimTaskRun is TrimFlowRun for a task run of no flow run.
	TrimTaskRun(ctx context.Context, id UUID, limit int) (rows int, done bool, err error)
	// DeleteLogs removes log lines after one up to another that are older than the cutoff.
	DeleteLogs(ctx context.Context, before Time, after, upTo int64) (int64, error)
}
