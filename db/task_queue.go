package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

func (r *reader) QueuedTaskRuns(ctx context.Context, taskKey string, limit int) ([]core.QueuedTaskRun, error) {
	rows, err := r.q.QueuedTaskRuns(ctx, row.QueuedTaskRunsParams{TaskKey: taskKey, Lim: lim(limit)})
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
