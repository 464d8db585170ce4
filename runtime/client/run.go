package client

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

func (c *Client) CreateFlow(ctx context.Context, f core.FlowCreate) (out *core.Flow, err error) {
	return out, c.post(ctx, "/flows/", f, &out)
}

func (c *Client) Flow(ctx context.Context, id core.UUID) (out *core.Flow, err error) {
	return out, c.get(ctx, "/flows/"+id.String(), &out)
}

func (c *Client) CreateFlowRun(ctx context.Context, r core.FlowRunCreate) (out *core.FlowRun, err error) {
	return out, c.post(ctx, "/flow_runs/", r, &out)
}

func (c *Client) FlowRun(ctx context.Context, id core.UUID) (out *core.FlowRun, err error) {
	return out, c.get(ctx, run(id, ""), &out)
}

func run(id core.UUID, rest string) string { return "/flow_runs/" + id.String() + rest }

func (c *Client) UpdateFlowRun(ctx context.Context, id core.UUID, u core.FlowRunUpdate) error {
	return c.call(ctx, "PATCH", run(id, ""), u, nil)
}

type stateChange struct {
	State core.StateCreate `json:"state"`
	Force bool             `json:"force"`
}

// SetFlowRunState names its transition, so that it can be sent again after a
// break: the server rejects a transition that it has made, with the state that
// came of it.
func (c *Client) SetFlowRunState(
	ctx context.Context,
	id core.UUID,
	s core.StateCreate,
	force bool,
) (out *core.OrchestrationResult, err error) {
	if s.Details.TransitionID.IsZero() {
		s.Details.TransitionID = core.NewID()
	}
	if err := c.post(ctx, run(id, "/set_state"), stateChange{s, force}, &out); err != nil {
		return nil, err
	}
	if out.Status == core.Reject && out.State != nil && out.State.Type == s.Type && out.State.Details.TransitionID == s.Details.TransitionID {
		out.Status, out.Details = core.Accept, core.ResultDetails{Type: "accept_details"}
	}
	return out, nil
}

func (c *Client) WaitFlowRun(ctx context.Context, id, stateID core.UUID, wait core.Seconds) (out *core.FlowRun, err error) {
	return out, c.get(ctx, run(id, "/wait?state_id="+stateID.String()+"&wait="+seconds(wait)), &out)
}

func (c *Client) TaskRunsOf(ctx context.Context, flowRunID, after core.UUID, limit int) (out []*core.TaskRun, err error) {
	return out, c.get(ctx, run(flowRunID, "/task_runs?after="+after.String()+"&limit="+strconv.Itoa(limit)), &out)
}

func (c *Client) CreateTaskRun(ctx context.Context, t core.TaskRunCreate) (out *core.TaskRun, err error) {
	return out, c.post(ctx, "/task_runs/", t, &out)
}

func (c *Client) CachedState(ctx context.Context, cacheKey string) (out *core.State, err error) {
	return out, c.get(ctx, "/task_run_cache?key="+url.QueryEscape(cacheKey), &out)
}

func (c *Client) PutResult(ctx context.Context, key string, data []byte) error {
	if data == nil {
		data = []byte{}
	}
	_, err := c.send(ctx, request{"PUT", "/results/" + keyPath(key), "application/octet-stream", data, true})
	return err
}

func (c *Client) Result(ctx context.Context, key string) ([]byte, error) {
	b, err := c.send(ctx, request{method: "GET", path: "/results/" + keyPath(key), repeatable: true})
	return b, err
}

func keyPath(key string) string { return strings.TrimPrefix(path(strings.Split(key, "/")...), "/") }

func (c *Client) CreateFlowRunInput(ctx context.Context, flowRunID core.UUID, key, value, sender string) error {
	body := map[string]any{"key": key, "value": value}
	if sender != "" {
		body["sender"] = sender
	}
	return c.post(ctx, run(flowRunID, "/input"), body, nil)
}

// FlowRunInput is the one answer that is plain text.
func (c *Client) FlowRunInput(ctx context.Context, flowRunID core.UUID, key string) (string, error) {
	b, err := c.send(ctx, request{method: "GET", path: run(flowRunID, "/input") + path(key), repeatable: true})
	return string(b), err
}

func (c *Client) WriteLogs(ctx context.Context, logs []core.LogCreate) error {
	if len(logs) == 0 {
		return nil
	}
	return c.post(ctx, "/logs/", logs, nil)
}

func (c *Client) EmitEvents(ctx context.Context, events []*core.Event) error {
	if len(events) == 0 {
		return nil
	}
	for _, e := range events {
		if e.ID.IsZero() {
			e.ID = core.NewID()
		}
		if e.Occurred.IsZero() {
			e.Occurred = core.Now()
		}
		if e.Related == nil {
			e.Related = []map[string]string{}
		}
		e.Payload = e.Payload.OrObject()
	}
	return c.post(ctx, "/events", events, nil)
}

func (c *Client) CreateArtifact(ctx context.Context, a core.ArtifactCreate) (out *core.Artifact, err error) {
	return out, c.post(ctx, "/artifacts/", a, &out)
}

func (c *Client) UpdateArtifact(ctx context.Context, id core.UUID, u core.ArtifactUpdate) error {
	return c.call(ctx, "PATCH", "/artifacts/"+id.String(), u, nil)
}

func (c *Client) VariableByName(ctx context.Context, name string) (out *core.Variable, err error) {
	return out, c.get(ctx, "/variables/name"+path(name), &out)
}

func (c *Client) BlockDocument(ctx context.Context, id core.UUID, secrets bool) (out *core.BlockDocument, err error) {
	return out, c.get(ctx, "/block_documents/"+id.String()+"?include_secrets="+strconv.FormatBool(secrets), &out)
}

func (c *Client) BlockDocumentByName(ctx context.Context, typeSlug, name string, secrets bool) (out *core.BlockDocument, err error) {
	return out, c.get(
		ctx,
		"/block_types/slug"+path(typeSlug)+"/block_documents/name"+path(name)+"?include_secrets="+strconv.FormatBool(secrets),
		&out,
	)
}

func (c *Client) AcquireSlots(ctx context.Context, r core.SlotRequest) (out *core.SlotGrant, err error) {
	body := map[string]any{"slots": r.Slots, "names": r.Names}
	if r.Mode != "" {
		body["mode"] = r.Mode
	}
	if r.LeaseDuration > 0 {
		body["lease_duration"] = r.LeaseDuration
	}
	if !r.Holder.IsNull() {
		body["holder"] = r.Holder
	}
	return out, c.post(ctx, "/v2/concurrency_limits/increment-with-lease", body, &out)
}

func (c *Client) RenewSlots(ctx context.Context, leaseID core.UUID, seconds float64) error {
	return c.post(ctx, "/v2/concurrency_limits/leases/"+leaseID.String()+"/renew", map[string]float64{"lease_duration": seconds}, nil)
}

func (c *Client) ReleaseSlots(ctx context.Context, leaseID core.UUID) error {
	return c.post(ctx, "/v2/concurrency_limits/decrement-with-lease", map[string]core.UUID{"lease_id": leaseID}, nil)
}
