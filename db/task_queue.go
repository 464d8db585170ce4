package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func (r *reader) QueuedTaskRuns(ctx context.Context, taskKey string, now core.Time, limit int) ([]core.QueuedTaskRun, error) {
	rows, err := r.q.QueuedTaskRuns(ctx, row.QueuedTaskRunsParams{TaskKey: taskKey, Now: now, Lim: lim(limit)})
	out := make([]core.QueuedTaskRun, len(rows))
	for i, q := range rows {
		out[i] = core.QueuedTaskRun{TaskRunID: q.TaskRunID, TaskKey: q.TaskKey, Due: q.DueTime}
	}
	return out, r.err(err, "Task run")
}

func (t *tx) QueueTaskRun(ctx context.Context, q core.QueuedTaskRun) error {
	return t.err(t.q.QueueTaskRun(ctx, row.QueueTaskRunParams{TaskRunID: q.TaskRunID, TaskKey: q.TaskKey, DueTime: q.Due}), "Task run")
}

func (t *tx) UnqueueTaskRun(ctx context.Context, id core.UUID) error {
	_, err := t.q.UnqueueTaskRun(ctx, row.UnqueueTaskRunParams{TaskRunID: id})
	return t.err(err, "Task run")
}

func (t *tx) TakeQueuedTaskRun(ctx context.Context, id core.UUID, now, until core.Time) (bool, error) {
	n, err := t.q.TakeQueuedTaskRun(ctx, row.TakeQueuedTaskRunParams{TaskRunID: id, Now: now, TakenTime: until})
	return n == 1, t.err(err, "Task run")
}

func (t *tx) GiveBackTaskRun(ctx context.Context, id core.UUID) error {
	return t.err(t.q.GiveBackTaskRun(ctx, row.GiveBackTaskRunParams{TaskRunID: id}), "Task run")
}
