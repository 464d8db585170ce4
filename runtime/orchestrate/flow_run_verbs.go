package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/block"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/schema"
)

// CancelFlowRun asks for the end of a run: at once where nothing executes it,
// else its worker is told and confirms. ABORT if it has ended.
func (s *Service) CancelFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error) {
	return s.CancelFlowRunBy(ctx, id, core.NewID())
}

// CancelFlowRunBy is CancelFlowRun for a request that may be sent again: the
// transition is the same each time.
func (s *Service) CancelFlowRunBy(ctx context.Context, id, transition core.UUID) (*core.OrchestrationResult, error) {
	c := core.StateCreate{Type: core.Cancelling, Details: core.StateDetails{TransitionID: transition}}
	if name := core.Person(ctx); name != "" {
		c.Message = core.Ptr(rules.CancelledBy + name)
	}
	result, err := s.SetFlowRunState(ctx, id, c, false)
	if err != nil || result.Status != core.Reject || result.State == nil || result.State.Type != core.Paused {
		return result, err
	}
	// The rules, which are the peer's, know no way from a pause to CANCELLING. A
	// person who cancels means it: the process that waits is told, or there is none.
	run, err := s.store.FlowRun(ctx, id)
	if err != nil {
		return nil, flowRunError(err, id)
	}
	to := core.Cancelling
	if _, err := s.store.Lease(ctx, id); core.IsNotFound(err) && run.InfrastructurePID == nil {
		to = core.Cancelled
	} else if err != nil && !core.IsNotFound(err) {
		return nil, err
	}
	c.Type = to
	return s.SetFlowRunState(ctx, id, c, true)
}

// SuspendFlowRun pauses a RUNNING run of a deployment and gives its process
// up; finished tasks are replayed when it resumes.
func (s *Service) SuspendFlowRun(ctx context.Context, id core.UUID) (*core.OrchestrationResult, error) {
	return s.SetFlowRunState(ctx, id, core.StateCreate{
		Type: core.Paused, Name: core.NameSuspended,
		Details: core.StateDetails{PauseReschedule: true, PauseKey: core.Ptr(core.NewID().String())},
	}, false)
}

// RetryFlowRun lets a finished run of a deployment run again. What completed
// is reused unless fresh. ABORT if it has not finished or has no deployment.
func (s *Service) RetryFlowRun(ctx context.Context, id core.UUID, fresh bool) (*core.OrchestrationResult, error) {
	var result *core.OrchestrationResult
	err := s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil {
			return flowRunError(err, id)
		}
		now := s.now()
		d := rules.DecideRetry(run, fresh, now)
		if d.State == nil {
			result = d.Result(run.State)
			return nil
		}
		if fresh {
			run.Context = overlay(run.Context, core.ToJSON(map[string]string{"flowlite.fresh_after": now.Time().Format(time.RFC3339Nano)}))
			if err := tx.UpdateFlowRun(ctx, run); err != nil {
				return err
			}
		}
		if err := s.enterFlow(ctx, tx, out, run, &d, core.Scheduled); err != nil {
			return err
		}
		result = d.Result(run.State)
		return nil
	})
	return result, err
}

// ResumeFlowRun lets a PAUSED run go on. Input is checked against the schema
// that the run asked for, and stored for it. ABORT without a state if the run
// is not paused; REJECT if the input does not fit.
func (s *Service) ResumeFlowRun(ctx context.Context, id core.UUID, input core.JSON) (*core.OrchestrationResult, error) {
	var result *core.OrchestrationResult
	err := s.blocks.WriteHydrated(ctx, func(tx core.Tx, out *commit.Outbox, r *block.Rendering) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil {
			if core.IsNotFound(err) {
				return core.NotFound("Flow run")
			}
			return err
		}
		if run.StateType != core.Paused {
			d := rules.Decision{Status: core.Abort, Reason: "Cannot resume a flow run that is not paused."}
			result = d.Result(nil)
			return nil
		}
		details, answer := run.State.Details, input // input stays as it is for when the transaction runs again
		if details.RunInputKeyset != nil {
			fault, err := s.checkResumeInput(ctx, tx, run, r, &answer)
			if err != nil {
				return err
			}
			if fault != "" {
				d := rules.Decision{Status: core.Reject, Reason: fault}
				result = d.Result(run.State)
				result.Details.Type = "abort_details"
				return nil
			}
		}
		c := core.StateCreate{Type: core.Running}
		if details.PauseReschedule {
			c = core.StateCreate{Type: core.Scheduled, Name: core.NameResuming, Details: core.StateDetails{Wakes: details.Wakes}}
		}
		if result, err = s.proposeFlowState(ctx, tx, out, run, c, false); err != nil || result.Status != core.Accept {
			return err
		}
		key := details.RunInputKeyset["response"]
		if key == "" {
			return nil
		}
		now := s.now()
		return tx.InsertFlowRunInput(ctx, &core.FlowRunInput{
			ID: core.NewID(), Created: now, Updated: now, FlowRunID: id, Key: key, Value: string(answer.OrObject()),
		})
	})
	return result, err
}

func (s *Service) checkResumeInput(
	ctx context.Context,
	tx core.FlowRunInputReader,
	run *core.FlowRun,
	r *block.Rendering,
	input *core.JSON,
) (string, error) {
	in, err := r.Hydrated(input.OrObject())
	if core.CodeOf(err) == core.EBadRequest {
		return "Reason: " + err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	*input = in
	form, err := tx.FlowRunInput(ctx, run.ID, run.State.Details.RunInputKeyset["schema"])
	if core.IsNotFound(err) {
		return "Reason: the run's input form is not stored yet; try again in a moment", nil
	}
	if err != nil {
		return "", err
	}
	if faults := schema.Validate(core.JSON(form.Value), in, true); len(faults) > 0 {
		return "Reason: " + faultText(faults), nil
	}
	return "", nil
}
