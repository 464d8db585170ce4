package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func (r *reader) TaskRun(ctx context.Context, id core.UUID) (*core.TaskRun, error) {
	x, err := r.q.GetTaskRun(ctx, row.GetTaskRunParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Task run")
	}
	return taskRunOf(&x), nil
}

func (r *reader) TaskRunByKey(ctx context.Context, flowRunID core.UUID, taskKey, dynamicKey string) (*core.TaskRun, error) {
	x, err := r.q.GetTaskRunByKey(ctx, row.GetTaskRunByKeyParams{FlowRunID: flowRunID, TaskKey: taskKey, DynamicKey: dynamicKey})
	if err != nil {
		return nil, r.err(err, "Task run")
	}
	return taskRunOf(&x), nil
}

func (r *reader) TaskRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.TaskRun, error) {
	ids, err := r.taskRunIDs(ctx, f, p)
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.TaskRunFull, error) {
		rows, err := r.q.ListTaskRunsByIDs(ctx, row.ListTaskRunsByIDsParams{Ids: ids})
		return rows, r.err(err, "Task run")
	}, taskRunOf, func(x *row.TaskRunFull) core.UUID { return x.ID })
}

func (r *reader) taskRunIDs(ctx context.Context, f core.Filters, p core.Page) ([]core.UUID, error) {
	if p.Sort == "END_TIME_DESC" && f == (core.Filters{}) && p.Limit > 0 {
		// A full page of ended ones is the answer; they have an index.
		if ids, err := r.ids(ctx, queries.EndedTaskRuns(r.d, p)); err != nil || len(ids) == p.Limit {
			return ids, err
		}
	}
	return r.ids(ctx, queries.TaskRuns(r.d, f, &p))
}

func (r *reader) CountTaskRuns(ctx context.Context, f core.Filters) (int64, error) {
	return r.count(ctx, queries.TaskRuns(r.d, f, nil))
}

func (r *reader) TaskRunHistory(ctx context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error) {
	return r.history(ctx, "task_run", q)
}

func (r *reader) TaskRunState(ctx context.Context, id core.UUID) (*core.State, error) {
	s, err := r.q.GetTaskRunState(ctx, row.GetTaskRunStateParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Task run state")
	}
	return taskRunStateOf(&s), nil
}

func (r *reader) TaskRunStates(ctx context.Context, taskRunID core.UUID) ([]*core.State, error) {
	rows, err := r.q.ListTaskRunStates(ctx, row.ListTaskRunStatesParams{TaskRunID: taskRunID})
	return each(rows, r.err(err, "Task run state"), taskRunStateOf)
}

func (r *reader) TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) ([]*core.TaskRun, error) {
	if after.IsZero() {
		rows, err := r.q.TaskRunsOf(ctx, row.TaskRunsOfParams{FlowRunID: flowRunID, Lim: lim(limit)})
		return each(rows, r.err(err, "Task run"), taskRunOf)
	}
	rows, err := r.q.TaskRunsOfAfter(ctx, row.TaskRunsOfAfterParams{FlowRunID: flowRunID, AfterID: after, Lim: lim(limit)})
	return each(rows, r.err(err, "Task run"), taskRunOf)
}

func (r *reader) CachedState(ctx context.Context, cacheKey string, now core.Time) (*core.State, error) {
	j, err := r.q.GetCachedState(ctx, row.GetCachedStateParams{CacheKey: cacheKey, Now: now})
	if err != nil {
		return nil, r.err(err, "Cached state")
	}
	s := &core.State{}
	decode(j, s)
	if s.Data.IsNull() {
		s.Data = nil
	}
	return s, nil
}
