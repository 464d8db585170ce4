package orchestrate

import (
	"context"
	"errors"

	"github.com/flowlite/flowlite/runtime/limit"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/rules"

	"github.com/flowlite/flowlite/runtime/core"
)

// SetFlowRunState proposes a state. The rules may accept it, write another
// state, or keep the current one; the result says which. Force asks hardly any
// rule. Returns ENotFound for an unknown run and ELeaseLost for the token of a
// holder that lost the run.
func (s *Service) SetFlowRunState(ctx context.Context, id core.UUID, c core.StateCreate, force bool) (*core.OrchestrationResult, error) {
	if err := checkState(c); err != nil {
		return nil, err
	}
	c.Message = s.blocks.MaskMessage(ctx, c.Message)
	p := &proposal{id: id, state: c, force: force, token: core.RunToken(ctx)}
	if p.joins() && s.store.Shared() {
		if err := s.proposals.Do(ctx, p); err != nil {
			return nil, err
		}
		if !p.alone {
			return p.result, p.err
		}
	}
	if err := s.writeProposal(ctx, p); err != nil {
		return nil, err
	}
	return p.result, nil
}

func checkState(c core.StateCreate) error {
	if c.Type.Valid() {
		return nil
	}
	return &core.Error{
		Code: core.EInvalid,
		Message: "The state type " + string(
			c.Type,
		) + " does not exist; use one of SCHEDULED, PENDING, RUNNING, PAUSED, CANCELLING, COMPLETED, FAILED, CANCELLED, CRASHED.",
		Fields: []core.FieldError{
			{
				Type:  "enum",
				Loc:   []any{"body", "state", "type"},
				Msg:   "Input should be 'SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED' or 'CANCELLING'",
				Input: string(c.Type),
			},
		},
	}
}

func flowRunError(err error, id core.UUID) error {
	if core.IsNotFound(err) {
		return core.Errorf(core.ENotFound, "Flow run with id %s not found", id)
	}
	return err
}

// proposeFlowState is SetFlowRunState on a locked run.
func (s *Service) proposeFlowState(
	ctx context.Context,
	tx proposalTx,
	out *commit.Outbox,
	run *core.FlowRun,
	c core.StateCreate,
	force bool,
) (*core.OrchestrationResult, error) {
	proposed := c.State(s.now())
	asked := rules.Flow
	if force {
		asked = rules.ForcedFlow
	}
	f := rules.Facts{Now: proposed.Timestamp}
	if !force {
		// A repeated request is answered as the first was, even after the run
		// was released: the answer may have been lost on its way.
		if d := rules.DecideFlow(run, proposed, f, rules.Repeated); d.State == nil {
			return d.Result(run.State), nil
		}
	}
	if err := s.checkToken(ctx, tx, run); err != nil {
		return nil, err
	}
	if !force && rules.NeedsSlot(run, proposed.Type) {
		if err := s.loadSlots(ctx, tx, run, &f); err != nil {
			return nil, err
		}
	}
	d := rules.DecideFlow(run, proposed, f, asked)
	if d.State == nil {
		return d.Result(run.State), nil
	}
	if f.Deployment != nil && d.Status == core.Accept {
		if err := s.limits.KeepSlot(ctx, tx, run, f.Deployment, c.RenewsSlot); err != nil {
			return nil, err
		}
	}
	if err := s.enterFlow(ctx, tx, out, run, &d, c.Type); err != nil {
		return nil, err
	}
	return d.Result(run.State), nil
}

// loadSlots reads what rule 6 asks. The limit's row is locked, so that on
// Postgres two claims cannot both take the last slot.
func (s *Service) loadSlots(ctx context.Context, tx slotTx, run *core.FlowRun, f *rules.Facts) error {
	d, err := tx.Deployment(ctx, run.DeploymentID)
	if core.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	f.Deployment = d
	if !hasSlots(d) {
		return nil
	}
	return s.countSlots(ctx, tx, f)
}

func hasSlots(d *core.Deployment) bool {
	return d.GlobalConcurrencyLimit != nil && d.GlobalConcurrencyLimit.Active
}

func (s *Service) countSlots(ctx context.Context, tx slotTx, f *rules.Facts) (err error) {
	d := f.Deployment
	if _, err = tx.LockGlobalLimits(ctx, []string{d.GlobalConcurrencyLimit.Name}); err != nil {
		return err
	}
	f.Occupied, err = s.slotsOf(ctx, tx, d, f.Now)
	return err
}

// slotsOf counts the slots taken of a deployment's limit: the live runs of all
// deployments that share it, which cannot leak as a counter would, and what
// somebody took of the limit by its name.
func (s *Service) slotsOf(ctx context.Context, r slotReader, d *core.Deployment, now core.Time) (int64, error) {
	l := d.GlobalConcurrencyLimit
	if l == nil {
		return 0, nil
	}
	held, err := r.SlotsHeld(ctx, l.ID, now)
	return held + limit.DecayedSlots(l, now), err
}

func occupyingRuns(deploymentID core.UUID) *core.FlowRunFilter {
	return &core.FlowRunFilter{
		DeploymentID: &core.IDFilter{Any: []core.UUID{deploymentID}},
		State:        &core.StateFilter{Type: &core.StateTypeFilter{Any: []core.StateType{core.Pending, core.Running, core.Cancelling}}},
	}
}

// enterFlow writes what was decided, with all that follows from it.
func (s *Service) enterFlow(
	ctx context.Context,
	tx stateTx,
	out *commit.Outbox,
	run *core.FlowRun,
	d *rules.Decision,
	asked core.StateType,
) error {
	t := transitions{s: s}
	if err := t.enter(ctx, tx, out, run, d, asked); err != nil {
		return err
	}
	return t.write(ctx, tx)
}

// transitions are those of several flow runs in one transaction: what they write is
// collected, and written at once.
type transitions struct {
	s     *Service
	runs  []*core.FlowRun
	ended []core.UUID // runs whose leases end
}

// enter does what was decided, but for the run's own rows; see write. A run enters one
// state between two writes.
func (t *transitions) enter(
	ctx context.Context,
	tx parentTx,
	out *commit.Outbox,
	run *core.FlowRun,
	d *rules.Decision,
	asked core.StateType,
) error {
	before, held := run.State, run.State != nil && rules.HoldsLease(run.State, run.EmpiricalPolicy)
	if d.Reset {
		run.Recoveries = 0
	}
	rules.ApplyFlowState(run, d.State, d.Policy)
	t.runs = append(t.runs, run)
	if held && !rules.HoldsLease(run.State, run.EmpiricalPolicy) {
		t.ended = append(t.ended, run.ID)
	}
	return t.s.emitFlowTransition(ctx, tx, out, run, before, t.s.flowRunEvent(ctx, tx, run, before, asked))
}

// write may be repeated: it writes what was entered since the last time.
func (t *transitions) write(ctx context.Context, tx stateTx) error {
	if len(t.runs) > 0 {
		if err := tx.SetFlowRunStates(ctx, t.runs); err != nil {
			return err
		}
	}
	if len(t.ended) > 0 {
		if err := tx.DeleteLeases(ctx, t.ended); err != nil {
			return err
		}
	}
	t.runs, t.ended = nil, nil
	return nil
}

// emitFlowTransition puts the events of transitions, the state's copy on the parent's
// placeholder task, and the wake-ups into the transaction and its outbox.
func (s *Service) emitFlowTransition(
	ctx context.Context,
	tx parentTx,
	out *commit.Outbox,
	run *core.FlowRun,
	before *core.State,
	events ...*core.Event,
) error {
	out.OwnEvent(events...)
	out.Run(run.ID)
	out.Entered(s.transition(ctx, tx, run, before))
	freed := before != nil && rules.Occupies(before.Type) && !rules.Occupies(run.StateType)
	if freed || run.StateType == core.Scheduled || run.StateType == core.Cancelling {
		out.Pool(run.WorkPoolID)
	}
	if run.ParentTaskRunID.IsZero() {
		return nil
	}
	return s.copyToParent(ctx, tx, out, run)
}

// transition describes the state that run has just entered, for whoever counts.
func (s *Service) transition(ctx context.Context, r nameReader, run *core.FlowRun, before *core.State) core.FlowRunTransition {
	t := core.FlowRunTransition{Flow: s.flowNames(ctx, r, run.FlowID).name, Pool: core.Deref(run.WorkPoolName), To: run.StateType}
	if run.StateType == core.Running && run.RunCount == 1 && before != nil && before.Type != core.Paused && run.StartTime != 0 {
		t.Queued = max(0, core.Seconds(run.StartTime.Sub(run.ExpectedStartTime).Seconds()))
	}
	if run.StateType.Final() && run.StartTime != 0 && run.EndTime != 0 {
		t.Ran = core.Seconds(run.EndTime.Sub(run.StartTime).Seconds())
	}
	return t
}

// copyToParent gives the placeholder task of a sub-flow the sub-flow's state.
func (s *Service) copyToParent(ctx context.Context, tx parentTx, out *commit.Outbox, run *core.FlowRun) error {
	task, err := tx.LockTaskRun(ctx, run.ParentTaskRunID)
	if core.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c := *run.State
	c.ID, c.Timestamp = core.NewID(), run.State.Timestamp
	c.Details.ChildFlowRunID = run.ID
	rules.ApplyTaskState(task, &c)
	out.Run(task.FlowRunID)
	return tx.SetTaskRunState(ctx, task)
}

// checkToken refuses the writes of a caller that shows a fencing token which
// is neither the run's nor that of a run above it: a sub-flow executes within
// its parent's process, under its parent's lease.
func (s *Service) checkToken(ctx context.Context, r tokenTx, run *core.FlowRun) error {
	token := core.RunToken(ctx)
	if token.IsZero() {
		return nil
	}
	for id, parent := run.ID, run.ParentTaskRunID; ; {
		leases, err := r.LockLeases(ctx, []core.UUID{id})
		switch {
		case err != nil:
			return err
		case len(leases) > 0 && leases[0].Token == token:
			return nil
		case parent.IsZero():
			return leaseLost(run.ID)
		}
		task, err := r.TaskRun(ctx, parent)
		if err == nil {
			var above *core.FlowRun
			above, err = r.FlowRun(ctx, task.FlowRunID)
			if err == nil {
				id, parent = above.ID, above.ParentTaskRunID
			}
		}
		if core.IsNotFound(err) {
			return leaseLost(run.ID)
		}
		if err != nil {
			return err
		}
	}
}

var errLeaseLost = errors.New("fencing token is not the run's")

func leaseLost(id core.UUID) error {
	return &core.Error{Code: core.ELeaseLost, Err: errLeaseLost,
		Message: "Flow run " + id.String() + " was given to another process, or was stopped; this one must end."}
}
