package orchestrate

import (
	"context"
	"path"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// reservedEvents are the events named prefect.* that clients send from within a
// run, by the beginning of their name, and what their resource begins with. All
// others come from servers and workers, and automations trust them.
var reservedEvents = map[string]string{
	"prefect.flow-run.":          "prefect.flow-run.",
	"prefect.task-run.":          "prefect.task-run.",
	"prefect.artifact.":          "prefect.artifact.",
	"prefect.concurrency-limit.": "prefect.concurrency-limit.",
	"prefect.block.":             "prefect.block-document.",
	"prefect.runner.":            "prefect.runner.",
	"prefect.worker.":            "prefect.worker.",
	"prefect.asset.":             "", // any address that is not Prefect's
	"prefect.lineage.":           "",
}

// reserved tells events of Prefect from those that flows invent, also where the
// name only looks like one of Prefect's.
func reserved(e *core.Event) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(e.Event)), "prefect.")
}

// PermitEvents returns the events that the caller may send, and EForbidden for the
// first of the others. Credentials of a flow run allow events of any name that is
// not Prefect's, and those of Prefect's that a client sends about this run or a run
// that it started.
func (s *Service) PermitEvents(ctx context.Context, events []*core.Event) (allowed []*core.Event, refused, err error) {
	if core.CallingRun(ctx).IsZero() {
		return events, nil, nil
	}
	for _, e := range events {
		err := s.permitEvent(ctx, e)
		switch {
		case err == nil:
			allowed = append(allowed, e)
		case core.CodeOf(err) != core.EForbidden:
			return nil, nil, err
		case refused == nil:
			refused = err
		}
	}
	return allowed, refused, nil
}

func (s *Service) permitEvent(ctx context.Context, e *core.Event) error {
	if !reserved(e) {
		return nil
	}
	if isTaskRunEvent(e) {
		if r, err := reportOf(e); err == nil {
			return s.mayReport(ctx, r.TaskRun)
		}
	}
	known := false
	for name, resource := range reservedEvents {
		if strings.HasPrefix(e.Event, name) {
			known = strings.HasPrefix(e.ResourceID(), resource) && (resource != "" || !strings.HasPrefix(e.ResourceID(), "prefect."))
		}
	}
	if !known {
		return core.Errorf(core.EForbidden, "The credentials of a flow run do not allow the event %s of %s; "+
			"give the event a name that does not begin with prefect.", e.Event, core.CutText(e.ResourceID(), 200))
	}
	runs := []core.UUID{core.CallingRun(ctx)}
	own := func(resource map[string]string) error {
		run, err := s.runOf(ctx, resource)
		if err != nil || run.IsZero() {
			return err
		}
		runs = append(runs, run)
		return s.OwnFlowRun(ctx, run)
	}
	for _, resource := range append([]map[string]string{e.Resource}, e.Related...) {
		if err := own(resource); err != nil {
			return err
		}
	}
	if id, err := core.ParseUUID(e.Resource["task_run_id"]); err == nil { // who took a slot
		if err := own(map[string]string{"prefect.resource.id": "prefect.task-run." + id.String()}); err != nil {
			return err
		}
	}
	return s.permitRelated(ctx, e, runs)
}

// runOf is the flow run of what a resource names: of itself, its task run, or its
// artifact; zero if there is none.
func (s *Service) runOf(ctx context.Context, resource map[string]string) (core.UUID, error) {
	name := resource["prefect.resource.id"]
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return core.UUID{}, nil
	}
	id, bad := core.ParseUUID(name[at+1:])
	if bad != nil || id.String() != name[at+1:] {
		for _, kind := range []string{"prefect.flow-run.", "prefect.task-run.", "prefect.artifact."} {
			if strings.HasPrefix(name, kind) {
				return core.UUID{}, core.Errorf(core.EForbidden, "The credentials of a flow run do not allow an event of %s, which has no ID",
					core.CutText(name, 200))
			}
		}
		return core.UUID{}, nil // a name that is no record's
	}
	var err error
	switch name[:at] {
	case "prefect.flow-run":
		return id, nil
	case "prefect.task-run":
		var t *core.TaskRun
		if t, err = s.store.TaskRun(ctx, id); err == nil {
			return t.FlowRunID, nil
		}
	case "prefect.artifact":
		var a *core.Artifact
		if a, err = s.store.Artifact(ctx, id); err == nil {
			return a.FlowRunID, nil
		}
	}
	if core.IsNotFound(err) {
		err = nil
	}
	return core.UUID{}, err
}

// permitRelated returns EForbidden if an event relates to a flow, deployment, pool,
// or queue that is none of its runs': automations of those would take the event for
// theirs.
func (s *Service) permitRelated(ctx context.Context, e *core.Event, runs []core.UUID) error {
	var own map[string]bool
	for _, r := range e.Related {
		name := r["prefect.resource.id"]
		if !strings.HasPrefix(name, "prefect.") || strings.HasPrefix(name, "prefect.tag.") {
			continue // of no record, or a tag, which a run can give itself
		}
		if own == nil {
			var err error
			if own, err = s.surroundings(ctx, runs); err != nil {
				return err
			}
		}
		kind := name[:strings.LastIndexByte(name, '.')]
		if surrounding[kind] && !own[name] {
			return core.Errorf(core.EForbidden, "The credentials of a flow run do not allow the event %s related to %s, which is not its own",
				e.Event, core.CutText(name, 200))
		}
	}
	return nil
}

// surrounding are the kinds of resource that a run belongs to.
var surrounding = map[string]bool{"prefect.flow": true, "prefect.deployment": true, "prefect.work-pool": true, "prefect.work-queue": true}

// surroundings names what the runs belong to.
func (s *Service) surroundings(ctx context.Context, runs []core.UUID) (map[string]bool, error) {
	own := map[string]bool{}
	for _, id := range runs {
		run, err := s.store.FlowRun(ctx, id)
		if core.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		own["prefect.flow."+run.FlowID.String()] = true
		own["prefect.deployment."+run.DeploymentID.String()] = true
		if run.WorkQueueID.IsZero() {
			continue
		}
		own["prefect.work-queue."+run.WorkQueueID.String()] = true
		queue, err := s.store.WorkQueue(ctx, run.WorkQueueID)
		if err == nil {
			own["prefect.work-pool."+queue.WorkPoolID.String()] = true
		} else if !core.IsNotFound(err) {
			return nil, err
		}
	}
	return own, nil
}

// permitResult returns EForbidden if a flow run would replace what it does not own:
// keys of results begin with the flow run that made them. Of other keys, the first
// writer is the owner; the same bytes may come again.
func (s *Service) permitResult(ctx context.Context, key string) (same bool, err error) {
	if core.CallingRun(ctx).IsZero() {
		return false, nil
	}
	first, _, _ := strings.Cut(path.Clean(key), "/")
	if id, err := core.ParseUUID(first); err == nil {
		return false, s.OwnFlowRun(ctx, id)
	}
	_, _, err = s.results.GetUpTo(ctx, key, 0)
	if core.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
