package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

// workPoolQueues are the queues of a pool, by name.
func (a *API) workPoolQueues() group {
	return group{"/work_pools/{name}/queues", []op{
		route("POST", "", http.StatusCreated, func(ctx context.Context, in *poolChange[core.WorkQueueCreate]) (*core.WorkQueue, error) {
			return a.Runs.CreateWorkQueue(ctx, in.Name, in.Body)
		}, need("name")),
		get("/{queue}", func(ctx context.Context, in *queueOf) (*core.WorkQueue, error) {
			return a.poolQueue(ctx, in.Name, in.Queue)
		}).runs(),
		done("PATCH", "/{queue}", func(ctx context.Context, in *struct {
			Name  string `path:"name"`
			Queue string `path:"queue"`
			Body  core.WorkQueueUpdate
		}) error {
			q, err := a.poolQueue(ctx, in.Name, in.Queue)
			if err != nil {
				return err
			}
			return a.Runs.UpdateWorkQueue(ctx, q.ID, in.Body)
		}),
		done("DELETE", "/{queue}", func(ctx context.Context, in *queueOf) error {
			q, err := a.poolQueue(ctx, in.Name, in.Queue)
			if err != nil {
				return err
			}
			return a.Runs.DeleteWorkQueue(ctx, q.ID)
		}),
		post("/filter", func(ctx context.Context, in *poolChange[workQueueQuery]) ([]*core.WorkQueue, error) {
			return a.filterQueues(ctx, in.Name, in.Body)
		}, strict).runs(),
	}}
}

// workQueues are the same queues by id, as old clients and the event emitter read them.
func (a *API) workQueues() group {
	return group{"/work_queues", []op{
		route("POST", "/", http.StatusCreated, func(ctx context.Context, in *withBody[core.WorkQueueCreate]) (*core.WorkQueue, error) {
			return a.Runs.CreateWorkQueue(ctx, core.DefaultAgentPool, in.Body)
		}, need("name")),
		update("Work queue", a.Runs.UpdateWorkQueue),
		read("work queue", a.store.WorkQueue).runs(),
		remove("work queue", a.Runs.DeleteWorkQueue),
		post("/filter", func(ctx context.Context, in *withBody[workQueueQuery]) ([]*core.WorkQueue, error) {
			return a.filterQueues(ctx, "", in.Body)
		}, strict).runs(),
		post("/{id}/get_runs", a.queueRuns, optional, model("Work queue")),
		// The two paths /name/{name} and /{id}/status overlap, so one pattern takes both.
		get("/{a}/{b}", func(ctx context.Context, in *struct {
			A string `path:"a"`
			B string `path:"b"`
		}) (any, error) {
			if in.A == "name" {
				return a.legacyQueue(ctx, in.B)
			}
			id, err := core.ParseUUID(in.A)
			if err != nil || in.B != "status" {
				return nil, errNoRoute
			}
			return a.queueStatus(ctx, id)
		}).runs(),
	}}
}

type queueOf struct {
	Name  string `path:"name"`
	Queue string `path:"queue"`
}

type workQueueQuery struct {
	WorkQueues *core.WorkQueueFilter `json:"work_queues"`
	pageQuery
}

func (a *API) poolQueue(ctx context.Context, pool, queue string) (*core.WorkQueue, error) {
	p, err := a.workPool(ctx, &byName{pool})
	if err != nil {
		return nil, err
	}
	q, err := a.store.WorkQueueByName(ctx, p.ID, queue)
	if core.IsNotFound(err) {
		return nil, core.NotFound("Worker queue not found: work pool " + pool + ", queue " + queue + ":")
	}
	return q, err
}

func (a *API) filterQueues(ctx context.Context, pool string, q workQueueQuery) ([]*core.WorkQueue, error) {
	page, none, err := q.page(nil)
	if err != nil || none {
		return []*core.WorkQueue{}, err
	}
	var poolID core.UUID
	if pool != "" {
		p, err := a.workPool(ctx, &byName{pool})
		if err != nil {
			return nil, err
		}
		poolID = p.ID
	}
	return rows(a.store.WorkQueues(ctx, poolID, q.WorkQueues, page))
}

func (a *API) legacyQueue(ctx context.Context, name string) (*core.WorkQueue, error) {
	pool, err := a.store.WorkPoolByName(ctx, core.DefaultAgentPool)
	if err != nil {
		return nil, named("work queue", err)
	}
	q, err := a.store.WorkQueueByName(ctx, pool.ID, name)
	return q, named("work queue", err)
}

func (a *API) queueRuns(ctx context.Context, in *change[struct {
	Before core.Time `json:"scheduled_before"`
	Limit  *whole    `json:"limit"`
}]) ([]*core.FlowRun, error) {
	page, none, err := pageQuery{Limit: in.Body.Limit}.page(nil)
	if err != nil || none {
		return []*core.FlowRun{}, err
	}
	if _, err := a.store.WorkQueue(ctx, in.ID); err != nil {
		return nil, err
	}
	return rows(a.store.ClaimableFlowRuns(ctx, in.ID, core.Capability{}, in.Body.Before, page.Limit))
}

type queueHealth struct {
	Healthy       bool        `json:"healthy"`
	LateRunsCount int64       `json:"late_runs_count"`
	LastPolled    core.Time   `json:"last_polled"`
	Policy        queuePolicy `json:"health_check_policy"`
}

type queuePolicy struct {
	LateRuns        int64 `json:"maximum_late_runs"`
	SecondsUnpolled int64 `json:"maximum_seconds_since_last_polled"`
}

func (a *API) queueStatus(ctx context.Context, id core.UUID) (*queueHealth, error) {
	q, err := a.store.WorkQueue(ctx, id)
	if err != nil {
		return nil, named("Work queue with id "+id.String(), err)
	}
	late, err := a.store.CountFlowRuns(ctx, core.Filters{
		WorkQueues: &core.WorkQueueFilter{ID: &core.IDFilter{Any: []core.UUID{id}}},
		FlowRuns:   &core.FlowRunFilter{State: &core.StateFilter{Name: &core.TextFilter{Any: []string{core.NameLate}}}},
	})
	h := &queueHealth{LateRunsCount: late, LastPolled: q.LastPolled, Policy: queuePolicy{0, 60}}
	h.Healthy = late == 0 && !q.LastPolled.IsZero() && core.Now().Sub(q.LastPolled).Seconds() <= 60
	return h, err
}
