package client

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

type listBody struct {
	core.Filters
	Sort   string `json:"sort,omitempty"`
	Limit  *int   `json:"limit,omitempty"`
	Offset int    `json:"offset,omitempty"`
}

func list(f core.Filters, p core.Page) listBody {
	b := listBody{Filters: f, Sort: p.Sort, Offset: p.Offset}
	if p.Limit > 0 {
		b.Limit = &p.Limit
	}
	return b
}

// own is the body of a list with a filter of its own kind under key.
func own(key string, f any, p core.Page) map[string]any {
	b := map[string]any{key: f}
	if p.Sort != "" {
		b["sort"] = p.Sort
	}
	if p.Limit > 0 {
		b["limit"] = p.Limit
	}
	if p.Offset > 0 {
		b["offset"] = p.Offset
	}
	return b
}

func (c *Client) Flows(ctx context.Context, f core.Filters, p core.Page) (out []*core.Flow, err error) {
	return out, c.post(ctx, "/flows/filter", list(f, p), &out)
}

func (c *Client) FlowRuns(ctx context.Context, f core.Filters, p core.Page) (out []*core.FlowRun, err error) {
	return out, c.post(ctx, "/flow_runs/filter", list(f, p), &out)
}

func (c *Client) CountFlowRuns(ctx context.Context, f core.Filters) (n int64, err error) {
	return n, c.post(ctx, "/flow_runs/count", f, &n)
}

func (c *Client) FlowRunStates(ctx context.Context, flowRunID core.UUID) (out []*core.State, err error) {
	return out, c.get(ctx, "/flow_run_states/?flow_run_id="+flowRunID.String(), &out)
}

func (c *Client) TaskRuns(ctx context.Context, f core.Filters, p core.Page) (out []*core.TaskRun, err error) {
	return out, c.post(ctx, "/task_runs/filter", list(f, p), &out)
}

func (c *Client) Deployments(ctx context.Context, f core.Filters, p core.Page) (out []*core.Deployment, err error) {
	return out, c.post(ctx, "/deployments/filter", list(f, p), &out)
}

func (c *Client) WorkPools(ctx context.Context, f *core.WorkPoolFilter, p core.Page) (out []*core.WorkPool, err error) {
	return out, c.post(ctx, "/work_pools/filter", own("work_pools", f, p), &out)
}

func (c *Client) WorkQueues(ctx context.Context, pool string, f *core.WorkQueueFilter, p core.Page) (out []*core.WorkQueue, err error) {
	return out, c.post(ctx, "/work_pools"+path(pool)+"/queues/filter", own("work_queues", f, p), &out)
}

func (c *Client) Workers(ctx context.Context, pool string, f *core.WorkerFilter, p core.Page) (out []*core.Worker, err error) {
	return out, c.post(ctx, "/work_pools"+path(pool)+"/workers/filter", own("workers", f, p), &out)
}

func (c *Client) RunLogs(ctx context.Context, flowRunID core.UUID, offset, limit int) ([]*core.Log, error) {
	of := &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{flowRunID}}}
	return c.Logs(ctx, of, core.Page{Sort: "SEQ_ASC", Offset: offset, Limit: limit})
}

func (c *Client) Logs(ctx context.Context, f *core.LogFilter, p core.Page) (out []*core.Log, err error) {
	return out, c.post(ctx, "/logs/filter", own("logs", f, p), &out)
}

func (c *Client) Artifacts(ctx context.Context, f *core.ArtifactFilter, p core.Page) (out []*core.Artifact, err error) {
	return out, c.post(ctx, "/artifacts/filter", own("artifacts", f, p), &out)
}

func (c *Client) FlowRunInputs(
	ctx context.Context,
	flowRunID core.UUID,
	prefix string,
	exclude []string,
	limit int,
) (out []*core.FlowRunInput, err error) {
	return out, c.post(ctx, run(flowRunID, "/input/filter"), map[string]any{"prefix": prefix, "exclude_keys": exclude, "limit": limit}, &out)
}
