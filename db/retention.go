package db

import (
	"context"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/runtime/core"
)

// minID stands before all ids; the zero id would be NULL.
var minID = core.UUID{15: 1}

func (r *reader) EndedFlowRuns(
	ctx context.Context,
	state core.StateType,
	before core.Time,
	after core.EndedFlowRun,
	limit int,
) ([]core.EndedFlowRun, error) {
	if after.ID.IsZero() {
		after = core.EndedFlowRun{ID: minID, ExpectedStartTime: 1}
	}
	rows, err := r.q.EndedFlowRuns(
		ctx,
		row.EndedFlowRunsParams{
			StateType:  string(state),
			CutoffTime: before,
			FromTime:   after.ExpectedStartTime,
			AfterID:    after.ID,
			Lim:        lim(limit),
		},
	)
	var out []core.EndedFlowRun
	for _, x := range rows {
		out = append(out, core.EndedFlowRun{ID: x.ID, ExpectedStartTime: x.ExpectedStartTime})
	}
	return out, r.err(err, "Flow run")
}

func (r *reader) EndedTaskRuns(ctx context.Context, before core.Time, after core.UUID, limit int) ([]core.UUID, error) {
	if after.IsZero() {
		after = minID
	}
	ids, err := r.q.EndedTaskRuns(ctx, row.EndedTaskRunsParams{AfterID: after, CutoffTime: before, Lim: lim(limit)})
	return ids, r.err(err, "Task run")
}

func (r *reader) LogsUpTo(ctx context.Context, before core.Time, after int64, limit int) (last int64, old int, err error) {
	rows, err := r.q.LogsFrom(ctx, row.LogsFromParams{After: after, Lim: lim(limit)})
	for _, x := range rows {
		last = x.ID
		if x.Created < before {
			old++
		}
	}
	return last, old, r.err(err, "Log")
}

func (t *tx) DeleteLogs(ctx context.Context, before core.Time, after, upTo int64) (int64, error) {
	n, err := t.q.DeleteLogs(ctx, row.DeleteLogsParams{After: after, Upto: upTo, CutoffTime: before})
	return n, t.err(err, "Log")
}

// rowsOfTask is how many rows go with a task run: its own and those of its states.
const rowsOfTask = 3

func (t *tx) TrimFlowRun(ctx context.Context, id core.UUID, limit int) (rows int, done bool, err error) {
	logs, err := t.q.DeleteSomeFlowRunLogs(ctx, row.DeleteSomeFlowRunLogsParams{FlowRunID: id, Lim: lim(limit)})
	if rows = int(logs); err != nil || rows >= limit {
		return rows, false, t.err(err, "Log")
	}
	artifacts, err := t.q.ArtifactsOfFlowRun(ctx, row.ArtifactsOfFlowRunParams{FlowRunID: id, Lim: lim(limit - rows)})
	if err != nil {
		return rows, false, t.err(err, "Artifact")
	}
	for _, a := range artifacts {
		if err := t.DeleteArtifact(ctx, a); err != nil {
			return rows, false, err
		}
	}
	if rows += len(artifacts); rows >= limit {
		return rows, false, nil
	}
	entries, err := t.deleteSomeEntries(ctx, id, limit-rows)
	if rows += entries; err != nil || rows >= limit {
		return rows, false, err
	}
	calls, err := t.q.DeleteSomeFlowRunStatusCalls(ctx, row.DeleteSomeFlowRunStatusCallsParams{FlowRunID: id, Lim: lim(limit - rows)})
	if rows += int(calls); err != nil || rows >= limit {
		return rows, false, t.err(err, "Status")
	}
	most := (limit-rows)/rowsOfTask + 1
	tasks, err := t.q.DeleteSomeTaskRuns(ctx, row.DeleteSomeTaskRunsParams{FlowRunID: id, Lim: lim(most)})
	rows += rowsOfTask * int(tasks)
	if err != nil || int(tasks) == most {
		return rows, false, t.err(err, "Task run")
	}
	if err := t.DeleteSlotLeasesOfHolder(ctx, id); err != nil {
		return rows, false, err
	}
	return rows + rowsOfTask, true, t.DeleteFlowRun(ctx, id)
}

// deleteSomeEntries deletes entries of the streams of a run, the oldest first.
func (t *tx) deleteSomeEntries(ctx context.Context, id core.UUID, limit int) (rows int, err error) {
	streams, err := t.Streams(ctx, id)
	for _, s := range streams {
		first, err := t.StreamEntries(ctx, id, s.Key, 0, 1)
		if err != nil || len(first) == 0 {
			return rows, err
		}
		n, err := t.q.DeleteFlowRunStreamEntries(ctx, row.DeleteFlowRunStreamEntriesParams{FlowRunID: id, Key: s.Key,
			BeforeNumber: first[0].Number + int64(limit-rows)})
		if rows += int(n); err != nil || rows >= limit {
			return rows, t.err(err, "Stream")
		}
	}
	return rows, err
}

func (t *tx) TrimTaskRun(ctx context.Context, id core.UUID, limit int) (rows int, done bool, err error) {
	logs, err := t.q.DeleteSomeTaskRunLogs(ctx, row.DeleteSomeTaskRunLogsParams{TaskRunID: id, Lim: lim(limit)})
	if rows = int(logs); err != nil || rows >= limit {
		return rows, false, t.err(err, "Log")
	}
	artifacts, err := t.q.ArtifactsOfTaskRun(ctx, row.ArtifactsOfTaskRunParams{TaskRunID: id, Lim: lim(limit - rows)})
	if err != nil {
		return rows, false, t.err(err, "Artifact")
	}
	for _, a := range artifacts {
		if err := t.DeleteArtifact(ctx, a); err != nil {
			return rows, false, err
		}
	}
	if rows += len(artifacts); rows >= limit {
		return rows, false, nil
	}
	return rows + rowsOfTask, true, t.DeleteTaskRun(ctx, id)
}
