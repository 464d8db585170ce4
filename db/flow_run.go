package db

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

func (r *reader) FlowRun(ctx context.Context, id core.UUID) (*core.FlowRun, error) {
	f, err := r.q.GetFlowRun(ctx, row.GetFlowRunParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Flow run")
	}
	return flowRunOf(&f), nil
}

func (r *reader) FlowRunByKey(ctx context.Context, flowID core.UUID, key string) (*core.FlowRun, error) {
	f, err := r.q.GetFlowRunByKey(ctx, row.GetFlowRunByKeyParams{FlowID: flowID, IdempotencyKey: &key})
	if err != nil {
		return nil, r.err(err, "Flow run")
	}
	return flowRunOf(&f), nil
}

func (r *reader) FlowRunsByIDs(ctx context.Context, ids []core.UUID) ([]*core.FlowRun, error) {
	return byIDs(ids, func(ids []core.UUID) ([]row.FlowRunFull, error) {
		rows, err := r.q.ListFlowRunsByIDs(ctx, row.ListFlowRunsByIDsParams{Ids: ids})
		return rows, r.err(err, "Flow run")
	}, flowRunOf, func(f *row.FlowRunFull) core.UUID { return f.ID })
}

func (r *reader) FlowRuns(ctx context.Context, f core.Filters, p core.Page) ([]*core.FlowRun, error) {
	ids, err := r.flowRunIDs(ctx, f, p)
	if err != nil {
		return nil, err
	}
	return r.FlowRunsByIDs(ctx, ids)
}

func (r *reader) FlowRunMarks(ctx context.Context, of []core.Filters, p core.Page) ([][]*core.FlowRun, error) {
	pages := make([][]core.UUID, len(of))
	var all []core.UUID
	for i, f := range of {
		ids, err := r.flowRunIDs(ctx, f, p)
		if err != nil {
			return nil, err
		}
		pages[i], all = ids, append(all, ids...)
	}
	marks, err := byIDs(all, func(ids []core.UUID) ([]row.ListFlowRunMarksByIDsRow, error) {
		rows, err := r.q.ListFlowRunMarksByIDs(ctx, row.ListFlowRunMarksByIDsParams{Ids: ids})
		return rows, r.err(err, "Flow run")
	}, func(x *row.ListFlowRunMarksByIDsRow) *core.FlowRun {
		return &core.FlowRun{ID: x.ID, StateType: core.StateType(x.StateType), StateName: x.StateName, StartTime: x.StartTime, EndTime: x.EndTime}
	}, func(x *row.ListFlowRunMarksByIDsRow) core.UUID { return x.ID })
	if err != nil {
		return nil, err
	}
	known := make(map[core.UUID]*core.FlowRun, len(marks))
	for _, m := range marks {
		known[m.ID] = m
	}
	out := make([][]*core.FlowRun, len(of))
	for i, ids := range pages {
		for _, id := range ids {
			if m := known[id]; m != nil {
				out[i] = append(out[i], m)
			}
		}
	}
	return out, nil
}

func (r *reader) flowRunIDs(ctx context.Context, f core.Filters, p core.Page) ([]core.UUID, error) {
	rare, err := r.rareTags(ctx, f, queries.Due(f))
	if err != nil {
		return nil, err
	}
	if q, ok := queries.NewestFlowRuns(r.d, f, p, rare); ok {
		ids, err := r.ids(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(ids) == p.Limit {
			return ids, nil
		}
	}
	return r.ids(ctx, queries.FlowRuns(r.d, f, &p, rare))
}

func (r *reader) CountFlowRuns(ctx context.Context, f core.Filters) (int64, error) {
	rare, err := r.rareTags(ctx, f, queries.Due(f))
	if err != nil {
		return 0, err
	}
	return r.count(ctx, queries.FlowRuns(r.d, f, nil, rare))
}

func (r *reader) LiveFlowRuns(ctx context.Context) ([]core.LiveFlowRuns, error) {
	rows, err := r.q.CountLiveRuns(ctx)
	out := make([]core.LiveFlowRuns, len(rows))
	for i, x := range rows {
		out[i] = core.LiveFlowRuns{
			Flow: x.Flow, Pool: x.Pool, State: core.StateType(x.StateType), Name: x.StateName, Runs: x.Runs, Due: earliest(x.Due),
		}
	}
	return out, r.err(err, "Flow run")
}

// earliest is the result of MIN over times, whose type sqlc does not know.
func earliest(v any) core.Time {
	switch v := v.(type) {
	case int64:
		return core.Time(v)
	case time.Time:
		return core.TimeFrom(v)
	}
	return 0
}

func (r *reader) CountFlowRunsUpTo(ctx context.Context, f core.Filters, most int64) (int64, error) {
	rare, err := r.rareTags(ctx, f, queries.Due(f))
	if err != nil {
		return 0, err
	}
	return r.count(ctx, queries.FlowRunsUpTo(r.d, f, most, rare))
}

// rareTags looks how rare the tags are that a filter asks for, among the flow
// runs that were due in a span.
func (r *reader) rareTags(ctx context.Context, f core.Filters, due *core.TimeFilter) (rare queries.Rare, err error) {
	if f.FlowRuns == nil || f.FlowRuns.Tags == nil {
		return nil, nil
	}
	for _, tag := range slices.Concat(f.FlowRuns.Tags.All, f.FlowRuns.Tags.Any) {
		n, err := r.count(ctx, queries.RareTag(r.d, tag, due))
		if err != nil {
			return nil, err
		}
		if n < queries.CommonTag {
			if rare == nil {
				rare = queries.Rare{}
			}
			rare[tag] = true
		}
	}
	return rare, nil
}

func (r *reader) FlowRunHistory(ctx context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error) {
	return r.history(ctx, "flow_run", q)
}

func (r *reader) FlowRunLateness(ctx context.Context, f core.Filters) (avg *float64, err error) {
	err = r.dyn.rows(ctx, queries.Lateness(r.d, f, core.Now()), func(scan func(...any) error) error { return scan(&avg) })
	return avg, r.err(err, "Flow run")
}

func (r *reader) FlowRunState(ctx context.Context, id core.UUID) (*core.State, error) {
	s, err := r.q.GetFlowRunState(ctx, row.GetFlowRunStateParams{ID: id})
	if err != nil {
		return nil, r.err(err, "Flow run state")
	}
	return flowRunStateOf(&s), nil
}

func (r *reader) FlowRunStates(ctx context.Context, flowRunID core.UUID) ([]*core.State, error) {
	rows, err := r.q.ListFlowRunStates(ctx, row.ListFlowRunStatesParams{FlowRunID: flowRunID})
	return each(rows, r.err(err, "Flow run state"), flowRunStateOf)
}

func (r *reader) FlowRunChildren(ctx context.Context, flowRunID core.UUID) ([]*core.FlowRun, error) {
	rows, err := r.q.FlowRunChildren(ctx, row.FlowRunChildrenParams{FlowRunID: flowRunID})
	return each(rows, r.err(err, "Flow run"), flowRunOf)
}

func (r *reader) PlannedRuns(ctx context.Context, deploymentID core.UUID, now core.Time) ([]*core.FlowRun, error) {
	rows, err := r.q.PlannedRuns(ctx, row.PlannedRunsParams{DeploymentID: deploymentID, Now: now})
	return each(rows, r.err(err, "Flow run"), flowRunOf)
}

func (r *reader) SlotRuns(ctx context.Context, deploymentID core.UUID, first, last core.Time) ([]core.SlotRun, error) {
	rows, err := r.q.SlotRuns(ctx, row.SlotRunsParams{DeploymentID: deploymentID, FirstTime: first, LastTime: last})
	out := make([]core.SlotRun, len(rows))
	for i, x := range rows {
		out[i] = core.SlotRun{ID: x.ID, At: x.ExpectedStartTime, Slot: core.Deref(x.Slot)}
		if by := ptrJSON[core.CreatedBy](x.CreatedBy); by != nil {
			out[i].ScheduleID, out[i].Shown = by.ID, core.Deref(by.DisplayValue)
		}
	}
	return out, r.err(err, "Flow run")
}

func (r *reader) DueFlowRuns(ctx context.Context, queueID core.UUID, before core.Time, limit int) ([]*core.FlowRun, error) {
	rows, err := r.q.DueFlowRuns(ctx, row.DueFlowRunsParams{WorkQueueID: queueID, DueTime: before, Lim: lim(limit)})
	return each(rows, r.err(err, "Flow run"), flowRunOf)
}

func (r *reader) Claimable(
	ctx context.Context, queueID core.UUID, can core.Capability, before core.Time, limit int,
) (runs []core.ClaimableRun, err error) {
	q := queries.ClaimableFlowRuns(r.d, queueID, can, before, lim(limit))
	err = r.dyn.rows(ctx, q, func(scan func(...any) error) error {
		var c core.ClaimableRun
		err := scan(&c.ID, &c.DeploymentID)
		runs = append(runs, c)
		return err
	})
	return runs, r.err(err, "Flow run")
}

func (r *reader) ClaimableFlowRuns(
	ctx context.Context, queueID core.UUID, can core.Capability, before core.Time, limit int,
) ([]*core.FlowRun, error) {
	runs, err := r.Claimable(ctx, queueID, can, before, limit)
	if err != nil || len(runs) == 0 {
		return []*core.FlowRun{}, err
	}
	ids := make([]core.UUID, len(runs))
	for i, c := range runs {
		ids[i] = c.ID
	}
	return r.FlowRunsByIDs(ctx, ids)
}

func (r *reader) DueFlowRunsOfDeployments(
	ctx context.Context,
	deployments []core.UUID,
	before core.Time,
	limit int,
) ([]*core.FlowRun, error) {
	if len(deployments) == 0 {
		return []*core.FlowRun{}, nil
	}
	rows, err := r.q.DueFlowRunsOfDeployments(ctx, row.DueFlowRunsOfDeploymentsParams{DueTime: before, Lim: lim(limit), Ids: pad(deployments)})
	// SQLite's text has no LIMIT: sqlc binds a parameter after a slice wrongly.
	return each(rows[:min(len(rows), int(lim(limit)))], r.err(err, "Flow run"), flowRunOf)
}

func (r *reader) LateFlowRuns(ctx context.Context, before core.Time, limit int) ([]core.UUID, error) {
	ids, err := r.q.LateFlowRuns(ctx, row.LateFlowRunsParams{DueTime: before, Lim: lim(limit)})
	return ids, r.err(err, "Flow run")
}

func (r *reader) PausedPast(ctx context.Context, now core.Time, limit int) ([]core.UUID, error) {
	ids, err := r.q.PausedPast(ctx, row.PausedPastParams{Now: now, Lim: lim(limit)})
	return ids, r.err(err, "Flow run")
}

func (r *reader) CancelledSince(ctx context.Context, since core.Time, limit int) ([]core.UUID, error) {
	ids, err := r.q.CancelledSince(ctx, row.CancelledSinceParams{SinceTime: since, Lim: lim(limit)})
	return ids, r.err(err, "Flow run")
}

func (r *reader) UnleasedFlowRuns(ctx context.Context, after core.UUID, limit int) ([]core.UUID, error) {
	if after.IsZero() {
		after[len(after)-1] = 1 // zero is NULL in the database, and nothing is above that
	}
	ids, err := r.q.UnleasedFlowRuns(ctx, row.UnleasedFlowRunsParams{AfterID: after, Lim: lim(limit)})
	return ids, r.err(err, "Flow run")
}

func inputOf(x *row.FlowRunInput) *core.FlowRunInput {
	return &core.FlowRunInput{
		ID:        x.ID,
		Created:   x.Created,
		Updated:   x.Updated,
		FlowRunID: x.FlowRunID,
		Key:       x.Key,
		Value:     x.Value,
		Sender:    x.Sender,
	}
}

func (r *reader) FlowRunInput(ctx context.Context, flowRunID core.UUID, key string) (*core.FlowRunInput, error) {
	x, err := r.q.GetFlowRunInput(ctx, row.GetFlowRunInputParams{FlowRunID: flowRunID, Key: key})
	if err != nil {
		return nil, r.err(err, "Flow run input")
	}
	return inputOf(&x), nil
}

func (r *reader) FlowRunInputs(
	ctx context.Context,
	flowRunID core.UUID,
	prefix string,
	exclude []string,
	limit int,
) ([]*core.FlowRunInput, error) {
	rows, err := r.q.ListFlowRunInputs(ctx, row.ListFlowRunInputsParams{FlowRunID: flowRunID})
	if err != nil {
		return nil, r.err(err, "Flow run input")
	}
	out := []*core.FlowRunInput{}
	for i := range rows {
		if strings.HasPrefix(rows[i].Key, prefix) && !slices.Contains(exclude, rows[i].Key) && len(out) < int(lim(limit)) {
			out = append(out, inputOf(&rows[i]))
		}
	}
	return out, nil
}

func (t *tx) InsertFlowRunInput(ctx context.Context, x *core.FlowRunInput) error {
	if err := core.MaxFlowRunInputKey.Check(x.Key); err != nil {
		return err
	}
	return t.err(t.q.InsertFlowRunInput(ctx, row.InsertFlowRunInputParams{
		ID: x.ID, Created: x.Created, Updated: x.Updated, FlowRunID: x.FlowRunID, Key: x.Key, Value: x.Value, Sender: x.Sender,
	}), "Flow run input")
}

func (t *tx) DeleteFlowRunInput(ctx context.Context, flowRunID core.UUID, key string) error {
	n, err := t.q.DeleteFlowRunInput(ctx, row.DeleteFlowRunInputParams{FlowRunID: flowRunID, Key: key})
	return t.one(n, err, "Flow run input")
}
