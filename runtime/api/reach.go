package api

import (
	"context"
	"net/http"
	"time"

	"github.com/flowlite/flowlite/runtime/access"
	"github.com/flowlite/flowlite/runtime/core"
)

// reach is what the credentials of a flow run can do with an operation. The zero
// value is nothing: a new operation is closed to runs until its line in the table
// of routes opens it.
type reach string

const (
	anyReach      reach = "any"          // reads, or creates what a run may create
	runReach      reach = "own run"      // {id} is the run itself, or a run that it started
	taskReach     reach = "own task run" // {id} is a task run of such a run, or of no run
	artifactReach reach = "own artifact" // {id} is an artifact of such a run, or of no run
)

func (o op) runs() op        { o.reach = anyReach; return o }
func (o op) ownRun() op      { o.reach = runReach; return o }
func (o op) ownTaskRun() op  { o.reach = taskReach; return o }
func (o op) ownArtifact() op { o.reach = artifactReach; return o }

// call returns the context of what a caller does, or EForbidden if the operation is
// out of its reach.
func (a *API) call(ctx context.Context, r *http.Request, o *op, c access.Caller) (context.Context, error) {
	if c.Name != "" {
		ctx = core.WithPerson(ctx, c.Name)
	}
	if !c.IsRun() {
		return ctx, nil
	}
	ctx = core.WithCallingRun(ctx, c.Run)
	switch id, err := core.ParseUUID(r.PathValue("id")); {
	case o.reach == "":
		return nil, core.Errorf(core.EForbidden, "The credentials of a flow run do not allow %s %s. "+
			"To allow a flow more, set PREFECT_API_AUTH_STRING or FLOWLITE_AUTH_STRING in the env of its job variables, from a secret",
			r.Method, r.URL.Path)
	case o.reach != anyReach && err == nil:
		if err := a.owns(ctx, o.reach, id); err != nil {
			return nil, err
		}
	}
	if o.raw != nil {
		ctx = a.whileRunning(ctx, c)
	}
	return ctx, nil
}

// recheck is how often connections that last look whether their run has ended.
const recheck = 15 * time.Second

// whileRunning returns a context that ends with the credentials of the caller.
func (a *API) whileRunning(ctx context.Context, c access.Caller) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(recheck)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				end(nil)
				return
			case <-tick.C:
				if err := a.Access.Check(ctx, c); core.CodeOf(err) == core.EUnauth {
					end(err)
					return
				}
			}
		}
	}()
	return ctx
}

// owns returns EForbidden if a calling run changes what belongs to a run that it did
// not start. What does not exist belongs to nobody; the operation says so.
func (a *API) owns(ctx context.Context, kind reach, id core.UUID) error {
	if id.IsZero() || core.CallingRun(ctx).IsZero() {
		return nil
	}
	var err error
	switch kind {
	case taskReach:
		var t *core.TaskRun
		if t, err = a.store.TaskRun(ctx, id); err == nil {
			id = t.FlowRunID
		}
	case artifactReach:
		var t *core.Artifact
		if t, err = a.store.Artifact(ctx, id); err == nil {
			id = t.FlowRunID
		}
	}
	if core.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.Runs.OwnFlowRun(ctx, id)
}
