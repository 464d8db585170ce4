package api

import (
	"context"

	"github.com/flowlite/flowlite/runtime/core"
)

// leases are ours: the long poll of a flowlite worker and the leases of its runs.
func (a *API) leases() group {
	return group{"", []op{
		post("/work_pools/{name}/poll", func(ctx context.Context, in *poolChange[core.PollRequest]) (*core.PollResponse, error) {
			in.Body.Pool = in.Name
			in.Body.Wait = min(max(in.Body.Wait, 0), 30)
			out, err := a.Runs.Poll(ctx, in.Body)
			if err != nil {
				return nil, a.noPool(in.Name, err)
			}
			if len(out.Claims) == 0 && len(out.Cancel) == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx) // the server stops: that is no "nothing to do"
			}
			if out.Claims == nil {
				out.Claims = []core.Claim{}
			}
			if out.Cancel == nil {
				out.Cancel = []core.UUID{}
			}
			return out, nil
		}, need("holder")),
		post("/work_pools/{name}/leases/renew", func(ctx context.Context, in *poolChange[holding]) (*held, error) {
			ids, err := rows(a.Runs.RenewLeases(ctx, in.Body.Holder))
			return &held{ids}, err
		}, need("holder")).runs(),
		post("/flow_runs/{id}/lease", func(ctx context.Context, in *change[holding]) (*core.Lease, error) {
			return a.Runs.LeaseRun(ctx, in.ID, in.Body.Holder)
		}, need("holder")).ownRun(),
	}}
}

type holding struct {
	Holder core.UUID `json:"holder"`
}

type held struct {
	Held []core.UUID `json:"held"`
}
