package db

import (
	"context"
	"encoding/json"

	"github.com/flowlite/flowlite/db/row"
	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// overdue: a worker is gone when three heartbeats are missing.
func overdue(w *row.Worker, now core.Time) bool {
	every := core.Deref(w.HeartbeatIntervalSeconds)
	if every <= 0 {
		every = 30
	}
	return w.LastHeartbeatTime+core.Time(3*every*1e6) <= now
}

func storedWorker(r *row.Worker) *core.Worker {
	return &core.Worker{
		ID: r.ID, Created: r.Created, Updated: r.Updated, Name: r.Name, WorkPoolID: r.WorkPoolID,
		LastHeartbeatTime: r.LastHeartbeatTime, HeartbeatIntervalSeconds: r.HeartbeatIntervalSeconds, Status: r.Status,
		Flows: flowsOf(r.Flows),
	}
}

// flowsOf keeps nil, which says that the worker did not announce its flows.
func flowsOf(j core.JSON) (names []string) {
	_ = json.Unmarshal(j, &names)
	return names
}

func workerOf(r *row.Worker) *core.Worker {
	w := storedWorker(r)
	if w.Status == core.Online && overdue(r, core.Now()) {
		w.Status = core.Offline
	}
	return w
}

func (r *reader) Worker(ctx context.Context, poolID core.UUID, name string) (*core.Worker, error) {
	x, err := r.q.GetWorker(ctx, row.GetWorkerParams{WorkPoolID: poolID, Name: name})
	if err != nil {
		return nil, r.err(err, "Worker")
	}
	return workerOf(&x), nil
}

func (r *reader) Workers(ctx context.Context, poolID core.UUID, f *core.WorkerFilter, p core.Page) ([]*core.Worker, error) {
	ids, err := r.ids(ctx, queries.Workers(r.d, poolID, f, &p))
	if err != nil {
		return nil, err
	}
	return byIDs(ids, func(ids []core.UUID) ([]row.Worker, error) {
		rows, err := r.q.ListWorkersByIDs(ctx, row.ListWorkersByIDsParams{Ids: ids})
		return rows, r.err(err, "Worker")
	}, workerOf, func(x *row.Worker) core.UUID { return x.ID })
}

func (r *reader) StaleWorkers(ctx context.Context, now core.Time) ([]*core.Worker, error) {
	rows, err := r.q.OnlineWorkers(ctx)
	if err != nil {
		return nil, r.err(err, "Worker")
	}
	var stale []*core.Worker
	for i := range rows {
		if overdue(&rows[i], now) {
			stale = append(stale, storedWorker(&rows[i]))
		}
	}
	return stale, nil
}

func (t *tx) UpsertWorker(ctx context.Context, w *core.Worker) error {
	if err := core.MaxWorkerName.Check(w.Name); err != nil {
		return err
	}
	var flows core.JSON
	if w.Flows != nil {
		flows = core.ToJSON(w.Flows)
	}
	stored, err := t.q.UpsertWorker(ctx, row.UpsertWorkerParams{
		ID: w.ID, Created: w.Created, Updated: w.Updated, Name: w.Name, WorkPoolID: w.WorkPoolID,
		LastHeartbeatTime: w.LastHeartbeatTime, HeartbeatIntervalSeconds: w.HeartbeatIntervalSeconds, Status: w.Status,
		Flows: flows,
	})
	if err == nil {
		*w = *storedWorker(&stored)
	}
	return t.err(err, "Worker")
}

func (t *tx) DeleteWorker(ctx context.Context, poolID core.UUID, name string) error {
	n, err := t.q.DeleteWorker(ctx, row.DeleteWorkerParams{WorkPoolID: poolID, Name: name})
	return t.one(n, err, "Worker")
}

func (r *reader) CountWorkers(ctx context.Context) ([]core.WorkerCount, error) {
	rows, err := r.q.CountWorkers(ctx)
	out := make([]core.WorkerCount, len(rows))
	for i, x := range rows {
		out[i] = core.WorkerCount{Pool: x.Pool, Status: x.Status, Workers: x.Workers}
	}
	return out, r.err(err, "Worker")
}
