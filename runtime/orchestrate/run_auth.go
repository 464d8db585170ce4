package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	// runAuthGrace is how long a run's credentials outlast its lease: the last logs
	// and events are sent after the final state.
	runAuthGrace = time.Minute
	// maxAncestors bounds the search for the run that started another.
	maxAncestors = 100

	createdByRun = "FLOW-RUN"
)

// HasRunAuth reports whether the credentials that a run was given together with
// a lease are still good: as long as nobody else holds the run's lease, and if
// nobody holds it, for a minute after the run's last change of state.
func (s *Service) HasRunAuth(ctx context.Context, flowRun, lease core.UUID) (bool, error) {
	l, err := s.store.Lease(ctx, flowRun)
	if err == nil {
		return l.Token == lease, nil
	}
	if !core.IsNotFound(err) {
		return false, err
	}
	run, err := s.store.FlowRun(ctx, flowRun)
	if core.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return run.State != nil && s.now().Sub(run.State.Timestamp) < runAuthGrace, nil
}

// OwnFlowRun returns EForbidden if the caller has only the credentials of a flow run,
// and has neither that run nor one below it before it. What does not exist belongs to
// nobody: no flow run, and one that was deleted.
func (s *Service) OwnFlowRun(ctx context.Context, flowRun core.UUID) error {
	caller := core.CallingRun(ctx)
	if caller.IsZero() || flowRun.IsZero() || flowRun == caller {
		return nil
	}
	if _, err := s.store.FlowRun(ctx, flowRun); err != nil {
		if core.IsNotFound(err) {
			err = nil
		}
		return err
	}
	within, err := s.isWithin(ctx, caller, flowRun)
	if err == nil && !within {
		err = core.Errorf(core.EForbidden, "The credentials of flow run %s do not allow changes to flow run %s, which it did not start",
			caller, flowRun)
	}
	return err
}

// mayReport is OwnFlowRun for what an event says of a task run.
func (s *Service) mayReport(ctx context.Context, t *core.TaskRun) error {
	if core.CallingRun(ctx).IsZero() {
		return nil
	}
	if err := s.OwnFlowRun(ctx, t.FlowRunID); err != nil {
		return err
	}
	known, err := s.store.TaskRun(ctx, t.ID)
	if core.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if known.FlowRunID.IsZero() && !t.FlowRunID.IsZero() {
		return core.Errorf(core.EForbidden, "The credentials of flow run %s do not allow changes to task run %s, which belongs to no flow run",
			core.CallingRun(ctx), t.ID)
	}
	return s.OwnFlowRun(ctx, known.FlowRunID)
}

// isWithin reports whether a flow run is the run root, or was started by it,
// directly or through others.
func (s *Service) isWithin(ctx context.Context, root, flowRun core.UUID) (bool, error) {
	for range maxAncestors {
		if flowRun == root {
			return true, nil
		}
		run, err := s.store.FlowRun(ctx, flowRun)
		if core.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		switch by := run.CreatedBy; {
		case !run.ParentTaskRunID.IsZero():
			task, err := s.store.TaskRun(ctx, run.ParentTaskRunID)
			if core.IsNotFound(err) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			flowRun = task.FlowRunID
		case by != nil && core.Deref(by.Type) == createdByRun:
			flowRun = by.ID
		default:
			return false, nil
		}
	}
	return false, nil
}

// creator names the run whose credentials created another one, or the person who
// did, unless that has a parent that tells.
func creator(ctx context.Context, tx creatorReader, run *core.FlowRun) (*core.CreatedBy, error) {
	id := core.CallingRun(ctx)
	if !run.ParentTaskRunID.IsZero() {
		return nil, nil
	}
	if id.IsZero() {
		if name := core.Person(ctx); name != "" {
			return &core.CreatedBy{Type: core.Ptr("USER"), DisplayValue: &name}, nil
		}
		return nil, nil
	}
	by := &core.CreatedBy{ID: id, Type: core.Ptr(createdByRun)}
	caller, err := tx.FlowRun(ctx, id)
	if err == nil {
		by.DisplayValue = &caller.Name
	} else if core.IsNotFound(err) {
		err = nil
	}
	return by, err
}
