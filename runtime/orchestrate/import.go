package orchestrate

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// ImportRuns stores runs that ended on another server, under the ids and times
// that they had there, and returns those that were not known yet. They are the
// past: no rule is asked and no event is told. EInvalid for a run that has not
// ended, EConflict if its flow does not exist.
func (s *Service) ImportRuns(ctx context.Context, past []core.PastRun) (created []core.UUID, err error) {
	for _, p := range past {
		if err := checkPast(p); err != nil {
			return nil, err
		}
	}
	err = s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		created = []core.UUID{}
		for _, p := range past {
			fresh, err := s.importRun(ctx, tx, p)
			if err != nil {
				return err
			}
			if fresh {
				created = append(created, p.FlowRun.ID)
				out.Run(p.FlowRun.ID)
			}
		}
		return nil
	})
	return created, err
}

func checkPast(p core.PastRun) error {
	r := p.FlowRun
	switch {
	case r == nil || r.ID.IsZero() || r.FlowID.IsZero():
		return core.InvalidField("flow_run", "a run needs its id and flow_id")
	case r.State == nil || !r.State.Type.Final():
		return core.InvalidField("flow_run", "run "+r.ID.String()+" has not ended; only what has ended is imported")
	}
	for _, st := range p.States {
		if st == nil || !st.Type.Valid() || st.ID.IsZero() {
			return core.InvalidField("states", "a state of run "+r.ID.String()+" has no id or no known type")
		}
	}
	for _, t := range p.TaskRuns {
		if t == nil || t.ID.IsZero() || t.State == nil || !t.State.Type.Valid() {
			return core.InvalidField("task_runs", "a task run of run "+r.ID.String()+" has no id or no state")
		}
	}
	return nil
}

func (s *Service) importRun(ctx context.Context, tx importTx, p core.PastRun) (fresh bool, err error) {
	if _, err := tx.Flow(ctx, p.FlowRun.FlowID); core.IsNotFound(err) {
		return false, integrity("flow", p.FlowRun.FlowID)
	} else if err != nil {
		return false, err
	}
	if _, err := tx.FlowRun(ctx, p.FlowRun.ID); !core.IsNotFound(err) {
		return false, err
	}
	states := slices.DeleteFunc(slices.Clone(p.States), func(st *core.State) bool { return st.ID == p.FlowRun.State.ID })
	slices.SortStableFunc(states, func(a, b *core.State) int { return int(a.Timestamp - b.Timestamp) })
	run := *p.FlowRun
	run.NextScheduledStartTime = 0
	if fresh, err = tx.InsertFlowRun(ctx, &run, states...); err != nil || !fresh {
		return fresh, err
	}
	for _, t := range p.TaskRuns {
		t.FlowRunID = run.ID
		t.State.Details.TaskRunID = t.ID
		if err := tx.RecordTaskRun(ctx, &core.TaskRunReport{TaskRun: t, States: []*core.State{t.State}}); err != nil {
			return false, err
		}
	}
	return true, nil
}
