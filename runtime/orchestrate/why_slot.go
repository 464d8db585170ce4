package orchestrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/flowlite/flowlite/runtime/limit"

	"github.com/flowlite/flowlite/runtime/core"
)

// liveTasks is how many task runs of a running run are looked at.
const liveTasks = 50

// whyTasksWait is for a running run that, or a task run of which, waits for a
// slot of a limit; nil if none does. That a task run waits for its tag's limit
// follows from the database: the limit is full, and it holds no slot of it.
func (s *Service) whyTasksWait(ctx context.Context, run *core.FlowRun, w *core.Why) (*core.Why, error) {
	if r := s.limits.WaitsFor(run.ID); r.Limit != "" {
		return s.whyLimit(ctx, w, r, "The run waits")
	}
	tagged, err := s.store.GlobalLimits(ctx, true, core.Page{})
	if err != nil || len(tagged) == 0 && s.limits.NobodyWaits() {
		return nil, err
	}
	limits := map[string]bool{}
	for _, l := range tagged {
		limits[l.Name] = l.Active
	}
	tasks, err := s.store.TaskRuns(ctx, core.Filters{TaskRuns: &core.TaskRunFilter{
		FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}},
		State: &core.StateFilter{
			Type: &core.StateTypeFilter{Any: []core.StateType{core.Pending, core.Running, core.Scheduled}},
		},
	}}, core.Page{Limit: liveTasks})
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		who := "Its task " + t.Name + " waits"
		if r := s.limits.WaitsFor(t.ID); r.Limit != "" {
			if full, err := s.whyLimit(ctx, w, r, who); err != nil || full != nil {
				return full, err
			}
		}
		for _, tag := range t.Tags {
			if !limits[limit.TagPrefix+tag] {
				continue
			}
			if full, err := s.whyLimit(ctx, w, core.SlotWait{Holder: t.ID, Limit: limit.TagPrefix + tag, Slots: 1}, who); err != nil || full != nil {
				return full, err
			}
		}
	}
	return nil, nil
}

// whyLimit is nil if the limit has room, or if the run holds a slot of it.
func (s *Service) whyLimit(ctx context.Context, w *core.Why, r core.SlotWait, who string) (*core.Why, error) {
	name := r.Limit
	l, err := s.store.GlobalLimitByName(ctx, name)
	if core.IsNotFound(err) || err == nil && !l.Active {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	leases, err := s.store.SlotLeases(ctx, l.ID, s.now())
	if err != nil {
		return nil, err
	}
	held, err := s.store.SlotsHeld(ctx, l.ID, s.now())
	if err != nil {
		return nil, err
	}
	held += limit.DecayedSlots(l, s.now())
	for _, x := range leases {
		if x.HolderID == r.Holder {
			return nil, nil
		}
	}
	if held+r.Slots <= l.Limit {
		return nil, nil
	}
	if err := s.holdersOf(ctx, w, leases); err != nil {
		return nil, err
	}
	code, what, hint := "global_limit", "the limit "+name, core.ShellCommand("flowlite", "gcl", "inspect", name)
	if tag := l.Tag(); tag != "" {
		code, what, hint = "tag_limit", "the limit of the tag "+tag, core.ShellCommand("flowlite", "concurrency-limit", "inspect", tag)
	}
	w.Code, w.Hint = code, hint
	w.Message = fmt.Sprintf("%s for a slot of %s: %d of %d are taken%s.", who, what, held, l.Limit, holders(w.Holders))
	return w, nil
}

// holdersOf names the flow runs that hold slots, or whose task runs do.
func (s *Service) holdersOf(ctx context.Context, w *core.Why, leases []*core.SlotLease) error {
	for _, x := range leases {
		id := x.HolderID
		if x.HolderType == "task_run" {
			t, err := s.store.TaskRun(ctx, id)
			if core.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			id = t.FlowRunID
		}
		if id.IsZero() || slices.Contains(w.HeldBy, id) || len(w.HeldBy) == maxHolders {
			continue
		}
		r, err := s.store.FlowRun(ctx, id)
		if core.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		w.HeldBy, w.Holders = append(w.HeldBy, r.ID), append(w.Holders, r.Name)
	}
	return nil
}
