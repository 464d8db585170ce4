package api

import (
	"context"
	"net/http"

	"github.com/flowlite/flowlite/runtime/core"
)

// isPrefect38 says whether the client is a Prefect of 3.8 or later, which knows
// response fields that 3.4.9 does not. Only such a client is sent them.
func isPrefect38(r *http.Request) bool {
	_, v := prefectVersion(r)
	return v[0] > 3 || v[0] == 3 && v[1] >= 8
}

// forPrefect38 returns an answer in the form that Prefect 3.8 knows: the same record
// with more fields. An answer without such a form stays as it is.
func (a *API) forPrefect38(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case *core.State:
		return newStateV38(v), nil
	case []*core.State:
		return each(v, newStateV38), nil
	case *core.OrchestrationResult:
		st, err := a.leasedState(ctx, v.State)
		return resultV38{v, st}, err
	case *core.FlowRun:
		st, err := a.leasedState(ctx, v.State)
		return flowRunV38{v, st}, err
	case []*core.FlowRun:
		return each(v, newFlowRunV38), nil
	case *pageOf[*core.FlowRun]:
		return pageLike(v, newFlowRunV38), nil
	case *core.TaskRun:
		return newTaskRunV38(v), nil
	case []*core.TaskRun:
		return each(v, newTaskRunV38), nil
	case *pageOf[*core.TaskRun]:
		return pageLike(v, newTaskRunV38), nil
	case *core.Deployment:
		return newDeploymentV38(v), nil
	case []*core.Deployment:
		return each(v, newDeploymentV38), nil
	case *pageOf[*core.Deployment]:
		return pageLike(v, newDeploymentV38), nil
	case *core.WorkPool:
		return a.workPoolV38(ctx, v)
	case []*core.WorkPool:
		return eachOr(v, func(p *core.WorkPool) (workPoolV38, error) { return a.workPoolV38(ctx, p) })
	case *core.WorkQueue:
		return a.workQueueV38(ctx, v)
	case []*core.WorkQueue:
		return eachOr(v, func(q *core.WorkQueue) (workQueueV38, error) { return a.workQueueV38(ctx, q) })
	}
	return v, nil
}

func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

func eachOr[A, B any](list []A, f func(A) (B, error)) ([]B, error) {
	out := make([]B, len(list))
	var err error
	for i, v := range list {
		if out[i], err = f(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func pageLike[A, B any](p *pageOf[A], f func(A) B) *pageOf[B] {
	return &pageOf[B]{Results: each(p.Results, f), Count: p.Count, Limit: p.Limit, Pages: p.Pages, Page: p.Page}
}

// stateV38 tells of the lease of a deployment's slot, which whoever executes
// the run renews; null tells that there is nothing to renew. Only the answers
// that an executing client looks at name it.
type stateV38 struct {
	*core.State
	Details stateDetailsV38 `json:"state_details"`
}

type stateDetailsV38 struct {
	*core.StateDetails
	LeaseID core.UUID `json:"deployment_concurrency_lease_id"`
}

func newStateV38(s *core.State) *stateV38 {
	if s == nil {
		return nil
	}
	return &stateV38{s, stateDetailsV38{StateDetails: &s.Details}}
}

func (a *API) leasedState(ctx context.Context, s *core.State) (out *stateV38, err error) {
	if out = newStateV38(s); out != nil {
		out.Details.LeaseID, err = a.Limits.DeploymentLease(ctx, s)
	}
	return out, err
}

type resultV38 struct {
	*core.OrchestrationResult
	State *stateV38 `json:"state"`
}

type flowRunV38 struct {
	*core.FlowRun
	State *stateV38 `json:"state"`
}

func newFlowRunV38(r *core.FlowRun) flowRunV38 { return flowRunV38{r, newStateV38(r.State)} }

type taskRunV38 struct {
	*core.TaskRun
	State *stateV38 `json:"state"`
}

func newTaskRunV38(r *core.TaskRun) taskRunV38 { return taskRunV38{r, newStateV38(r.State)} }

type deploymentV38 struct {
	*core.Deployment
	QueueID core.UUID `json:"work_queue_id"`
}

func newDeploymentV38(d *core.Deployment) deploymentV38 { return deploymentV38{d, d.WorkQueueID} }

// workPoolV38 and workQueueV38 tell how many slots of a limit are taken;
// null where there is no limit.
type workPoolV38 struct {
	*core.WorkPool
	Active *int64 `json:"active_slots"`
}

func (a *API) workPoolV38(ctx context.Context, p *core.WorkPool) (workPoolV38, error) {
	out := workPoolV38{WorkPool: p}
	if p.ConcurrencyLimit != nil {
		load, err := a.store.PoolLoad(ctx, p.ID)
		if err != nil {
			return out, err
		}
		out.Active = new(int64)
		for _, n := range load {
			*out.Active += n
		}
	}
	return out, nil
}

type workQueueV38 struct {
	*core.WorkQueue
	Active *int64 `json:"active_slots"`
}

func (a *API) workQueueV38(ctx context.Context, q *core.WorkQueue) (workQueueV38, error) {
	out := workQueueV38{WorkQueue: q}
	if q.ConcurrencyLimit != nil {
		load, err := a.store.PoolLoad(ctx, q.WorkPoolID)
		if err != nil {
			return out, err
		}
		out.Active = core.Ptr(load[q.ID])
	}
	return out, nil
}
