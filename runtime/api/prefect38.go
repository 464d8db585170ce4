package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// isNewer says whether the client is a Prefect of 3.8 or later, which knows
// response fields that 3.4.9 does not. Only such a client is sent them.
func isNewer(r *http.Request) bool {
	agent := r.Header["User-Agent"]
	if len(agent) == 0 {
		return false
	}
	version, ok := strings.CutPrefix(agent[0], "prefect/")
	if !ok {
		return false
	}
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	m, err2 := strconv.Atoi(major)
	return err == nil && err2 == nil && (m > 3 || m == 3 && n >= 8)
}

// newer is an answer in the form that newer clients know: the same record with
// more fields. Anything that has no newer form stays as it is.
func (a *API) newer(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case *core.State:
		return newerStateOf(v), nil
	case []*core.State:
		return each(v, newerStateOf), nil
	case *core.OrchestrationResult:
		st, err := a.leasedState(ctx, v.State)
		return newerResult{v, st}, err
	case *core.FlowRun:
		st, err := a.leasedState(ctx, v.State)
		return newerFlowRun{v, st}, err
	case []*core.FlowRun:
		return each(v, newerFlowRunOf), nil
	case *pageOf[*core.FlowRun]:
		return pageLike(v, newerFlowRunOf), nil
	case *core.TaskRun:
		return newerTaskRunOf(v), nil
	case []*core.TaskRun:
		return each(v, newerTaskRunOf), nil
	case *pageOf[*core.TaskRun]:
		return pageLike(v, newerTaskRunOf), nil
	case *core.Deployment:
		return newerDeploymentOf(v), nil
	case []*core.Deployment:
		return each(v, newerDeploymentOf), nil
	case *pageOf[*core.Deployment]:
		return pageLike(v, newerDeploymentOf), nil
	case *core.WorkPool:
		return a.newerWorkPool(ctx, v)
	case []*core.WorkPool:
		return eachOr(v, func(p *core.WorkPool) (newerWorkPool, error) { return a.newerWorkPool(ctx, p) })
	case *core.WorkQueue:
		return a.newerWorkQueue(ctx, v)
	case []*core.WorkQueue:
		return eachOr(v, func(q *core.WorkQueue) (newerWorkQueue, error) { return a.newerWorkQueue(ctx, q) })
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

// newerState tells of the lease of a deployment's slot, which whoever executes
// the run renews; null tells that there is nothing to renew. Only the answers
// that an executing client looks at name it.
type newerState struct {
	*core.State
	Details newerDetails `json:"state_details"`
}

type newerDetails struct {
	*core.StateDetails
	LeaseID core.UUID `json:"deployment_concurrency_lease_id"`
}

func newerStateOf(s *core.State) *newerState {
	if s == nil {
		return nil
	}
	return &newerState{s, newerDetails{StateDetails: &s.Details}}
}

func (a *API) leasedState(ctx context.Context, s *core.State) (out *newerState, err error) {
	if out = newerStateOf(s); out != nil {
		out.Details.LeaseID, err = a.Limits.DeploymentLease(ctx, s)
	}
	return out, err
}

type newerResult struct {
	*core.OrchestrationResult
	State *newerState `json:"state"`
}

type newerFlowRun struct {
	*core.FlowRun
	State *newerState `json:"state"`
}

func newerFlowRunOf(r *core.FlowRun) newerFlowRun { return newerFlowRun{r, newerStateOf(r.State)} }

type newerTaskRun struct {
	*core.TaskRun
	State *newerState `json:"state"`
}

func newerTaskRunOf(r *core.TaskRun) newerTaskRun { return newerTaskRun{r, newerStateOf(r.State)} }

type newerDeployment struct {
	*core.Deployment
	QueueID core.UUID `json:"work_queue_id"`
}

func newerDeploymentOf(d *core.Deployment) newerDeployment { return newerDeployment{d, d.WorkQueueID} }

// newerWorkPool and newerWorkQueue tell how many slots of a limit are taken;
// null where there is no limit.
type newerWorkPool struct {
	*core.WorkPool
	Active *int64 `json:"active_slots"`
}

func (a *API) newerWorkPool(ctx context.Context, p *core.WorkPool) (newerWorkPool, error) {
	out := newerWorkPool{WorkPool: p}
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

type newerWorkQueue struct {
	*core.WorkQueue
	Active *int64 `json:"active_slots"`
}

func (a *API) newerWorkQueue(ctx context.Context, q *core.WorkQueue) (newerWorkQueue, error) {
	out := newerWorkQueue{WorkQueue: q}
	if q.ConcurrencyLimit != nil {
		load, err := a.store.PoolLoad(ctx, q.WorkPoolID)
		if err != nil {
			return out, err
		}
		out.Active = core.Ptr(load[q.ID])
	}
	return out, nil
}
