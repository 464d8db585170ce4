package orchestrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// Why says why a run is not running. ENotFound.
func (s *Service) Why(ctx context.Context, id core.UUID) (*core.Why, error) {
	run, err := s.store.FlowRun(ctx, id)
	if err != nil {
		return nil, err
	}
	w := &core.Why{FlowRunID: id, State: run.StateType, StateName: run.StateName, HeldBy: []core.UUID{}, Holders: []string{}}
	say := func(code, hint, format string, args ...any) (*core.Why, error) {
		w.Code, w.Hint, w.Message = code, hint, fmt.Sprintf(format, args...)
		return w, nil
	}
	text := ""
	if run.State != nil && core.Deref(run.State.Message) != "" {
		text = ": " + *run.State.Message
	}
	switch {
	case run.StateType.Final():
		hint := ""
		if run.StateType == core.Failed || run.StateType == core.Crashed {
			hint = "flowlite flow-run logs " + id.String()
		}
		return say("finished", hint, "The run has ended as %s%s.", run.StateName, text)
	case run.StateType == core.Running:
		if full, err := s.whyTasksWait(ctx, run, w); err != nil || full != nil {
			return full, err
		}
		return say("running", "flowlite flow-run logs -f "+id.String(), "The run is running since %s.", run.StateTimestamp)
	case run.StateType == core.Cancelling:
		return say("cancelling", "", "The run was asked to stop, and its process has not ended yet.")
	case run.StateType == core.Paused:
		w.Until = run.State.Details.PauseTimeout
		hint := "flowlite flow-run resume " + id.String()
		if run.State.Details.RunInputKeyset != nil {
			return say("waiting_for_input", hint, "The run waits for somebody's input%s.", s.asked(ctx, run))
		}
		return say("paused", hint, "The run is paused until somebody resumes it.")
	case !run.ParentTaskRunID.IsZero() && run.WorkQueueID.IsZero() && !run.NextScheduledStartTime.After(s.now()):
		return s.whyParent(ctx, run, w)
	case run.StateType == core.Pending:
		lease, err := s.store.Lease(ctx, id)
		switch {
		case err == nil && lease.Worker != "":
			return say("starting", "", "Worker %s has taken the run and is starting it.", lease.Worker)
		case err != nil && !core.IsNotFound(err):
			return nil, err
		}
		return say("starting", "", "The run was made and is about to start.")
	case run.StateName == core.NameAwaitingRetry && core.Deref(run.EmpiricalPolicy.RetryType) == "in_process":
		w.Until = run.NextScheduledStartTime
		return say("awaiting_retry", "", "An attempt failed; the next one starts at %s.", run.NextScheduledStartTime)
	case run.StateName == core.NameAwaitingMessage && len(run.State.Details.Topics) > 0 && run.NextScheduledStartTime.After(s.now()):
		w.Until = run.NextScheduledStartTime
		topics := run.State.Details.Topics
		return say("waiting_for_message", core.ShellCommand("flowlite", "flow-run", "send", id.String(), topics[0])+" JSON",
			"The run waits for a message to %s.", strings.Join(topics, " or "))
	case run.NextScheduledStartTime.After(s.now()) && run.StateName != core.NameAwaitingConcurrencySlot:
		w.Until = run.NextScheduledStartTime
		return say("scheduled", "", "The run is scheduled for %s.", run.NextScheduledStartTime)
	case run.WorkQueueID.IsZero() && run.DeploymentID.IsZero():
		return say("no_deployment", "flowlite deploy ENTRYPOINT -n NAME -p POOL", "The run belongs to no deployment, so no worker will take it.")
	case run.WorkQueueID.IsZero():
		return say(
			"no_deployment",
			"flowlite deploy ENTRYPOINT -n NAME -p POOL",
			"The run's deployment has no work pool, so no worker will take it unless its own process serves it.",
		)
	}
	return s.whyNotTaken(ctx, run, w, text, say)
}

// sayWhy completes a Why: its code, the command that helps, and the text.
type sayWhy func(code, hint, format string, args ...any) (*core.Why, error)

// whyNotTaken is for runs that are due in a queue.
func (s *Service) whyNotTaken(ctx context.Context, run *core.FlowRun, w *core.Why, text string,
	say sayWhy) (*core.Why, error) {
	pool, err := s.store.WorkPool(ctx, run.WorkPoolID)
	if err != nil {
		return nil, err
	}
	queue, err := s.store.WorkQueue(ctx, run.WorkQueueID)
	if err != nil {
		return nil, err
	}
	if pool.IsPaused {
		return say("pool_paused", core.ShellCommand("flowlite", "work-pool", "resume", pool.Name), "The work pool %s is paused.", pool.Name)
	}
	if queue.IsPaused {
		return say(
			"queue_paused",
			core.ShellCommand("flowlite", "work-queue", "resume", queue.Name, "-p", pool.Name),
			"The work queue %s of pool %s is paused.",
			queue.Name,
			pool.Name,
		)
	}
	if why, err := s.whyFull(ctx, w, pool, queue, say); why != nil || err != nil {
		return why, err
	}
	var d *core.Deployment
	if !run.DeploymentID.IsZero() {
		if d, err = s.store.Deployment(ctx, run.DeploymentID); err != nil && !core.IsNotFound(err) {
			return nil, err
		}
		if err == nil {
			if why, err := s.whyDeploymentFull(ctx, w, d, say); why != nil || err != nil {
				return why, err
			}
		}
	}
	return s.whyNoWorker(ctx, run, d, pool, text, say)
}

// whyFull is about the limits of the work pool and the work queue; nil if both have room.
func (s *Service) whyFull(ctx context.Context, w *core.Why, pool *core.WorkPool, queue *core.WorkQueue, say sayWhy) (*core.Why, error) {
	live := []core.StateType{core.Pending, core.Running}
	load, err := s.store.PoolLoad(ctx, pool.ID)
	if err != nil {
		return nil, err
	}
	if l := pool.ConcurrencyLimit; l != nil && sum(load) >= *l {
		inPool := core.Filters{WorkPools: &core.WorkPoolFilter{Name: &core.TextFilter{Any: []string{pool.Name}}}}
		if err := s.heldBy(ctx, w, inPool, live); err != nil {
			return nil, err
		}
		return say(
			"pool_limit",
			core.ShellCommand("flowlite", "work-pool", "inspect", pool.Name),
			"The work pool %s runs %d of at most %d runs%s.",
			pool.Name,
			sum(load),
			*l,
			holders(w.Holders),
		)
	}
	if l := queue.ConcurrencyLimit; l != nil && load[queue.ID] >= *l {
		inQueue := core.Filters{WorkQueues: &core.WorkQueueFilter{ID: &core.IDFilter{Any: []core.UUID{queue.ID}}}}
		if err := s.heldBy(ctx, w, inQueue, live); err != nil {
			return nil, err
		}
		return say(
			"queue_limit",
			core.ShellCommand("flowlite", "work-queue", "inspect", queue.Name, "-p", pool.Name),
			"The work queue %s runs %d of at most %d runs%s.",
			queue.Name,
			load[queue.ID],
			*l,
			holders(w.Holders),
		)
	}
	return nil, nil
}

// whyDeploymentFull is about the limit of the deployment; nil if it has room.
func (s *Service) whyDeploymentFull(ctx context.Context, w *core.Why, d *core.Deployment, say sayWhy) (*core.Why, error) {
	if d.GlobalConcurrencyLimit == nil || !d.GlobalConcurrencyLimit.Active {
		return nil, nil
	}
	taken, err := s.slotsOf(ctx, s.store, d, s.now())
	if err != nil {
		return nil, err
	}
	limit := d.GlobalConcurrencyLimit.Limit
	if taken < limit {
		return nil, nil
	}
	if err := s.heldBy(ctx, w, core.Filters{FlowRuns: occupyingRuns(d.ID)}, nil); err != nil {
		return nil, err
	}
	return say("deployment_limit", core.ShellCommand("flowlite", "deployment", "inspect", d.FullName()),
		"The deployment %s runs %d of at most %d runs%s.", d.FullName(), taken, limit, holders(w.Holders))
}

// whyNoWorker is about the workers of the pool: none is online, none can execute the
// run, or all are busy.
func (s *Service) whyNoWorker(ctx context.Context, run *core.FlowRun, d *core.Deployment, pool *core.WorkPool, text string,
	say sayWhy) (*core.Why, error) {
	online, err := s.store.Workers(ctx, pool.ID, &core.WorkerFilter{Status: &core.TextFilter{Any: []string{core.Online}}}, core.Page{})
	if err != nil {
		return nil, err
	}
	switch {
	case len(online) == 0 && pool.OwnWorkers():
		return say("no_worker", pool.WorkerCommand(), "No worker is polling the work pool %s.", pool.Name)
	case len(online) == 0:
		return say("no_worker", pool.WorkerCommand(), "No worker is polling the work pool %s. %s", pool.Name, pool.Executors())
	}
	if core.NeedsFlow(pool, d, run) {
		flow, err := s.store.Flow(ctx, run.FlowID)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(online, func(w *core.Worker) bool { return w.Flows == nil || slices.Contains(w.Flows, flow.Name) }) {
			return say("no_worker_with_flow", "", "No online worker of pool %s has the flow %s (%d online). The deployment has no entrypoint, "+
				"so only a program that contains the flow can execute it: start that program.", pool.Name, flow.Name, len(online))
		}
	}
	return say(
		"worker_busy",
		pool.WorkerCommand(),
		"No worker of pool %s has taken the run yet (%d online): they are busy or serve other queues%s",
		pool.Name,
		len(online),
		cmp.Or(text, "."),
	)
}

// heldBy lists the runs that take up a limit.
func (s *Service) heldBy(ctx context.Context, w *core.Why, f core.Filters, types []core.StateType) error {
	if f.FlowRuns == nil {
		f.FlowRuns = &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}}
	}
	runs, err := s.store.FlowRuns(ctx, f, core.Page{Limit: maxHolders})
	for _, r := range runs {
		w.HeldBy, w.Holders = append(w.HeldBy, r.ID), append(w.Holders, r.Name)
	}
	return err
}

// maxHolders is how many of a limit's holders are named.
const maxHolders = 20

func holders(names []string) string {
	if len(names) == 0 {
		return ""
	}
	text := " (held by " + strings.Join(names[:min(len(names), 3)], ", ")
	if len(names) > 3 {
		text += fmt.Sprintf(" and %d more", len(names)-3)
	}
	return text + ")"
}

// asked says what a paused run asks for.
func (s *Service) asked(ctx context.Context, run *core.FlowRun) string {
	in, err := s.store.FlowRunInput(ctx, run.ID, run.State.Details.RunInputKeyset["schema"])
	if err != nil {
		return ""
	}
	if title, _ := core.JSON(in.Value).Map()["title"].(string); title != "" {
		return ": " + title
	}
	return ""
}

// whyParent is for runs that their parent starts, and no worker.
func (s *Service) whyParent(ctx context.Context, run *core.FlowRun, w *core.Why) (*core.Why, error) {
	w.Code, w.Message = "parent", "The run is a part of another, which is no longer there, so nothing will start it."
	task, err := s.store.TaskRun(ctx, run.ParentTaskRunID)
	if core.IsNotFound(err) || err == nil && task.FlowRunID.IsZero() {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	parent, err := s.store.FlowRun(ctx, task.FlowRunID)
	if core.IsNotFound(err) {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	w.HeldBy, w.Holders, w.Hint = []core.UUID{parent.ID}, []string{parent.Name}, "flowlite flow-run why "+parent.ID.String()
	w.Message = fmt.Sprintf("The run is a part of %s, which is %s and starts it.", parent.Name, parent.StateName)
	if parent.StateType.Final() {
		w.Hint, w.Message = "", fmt.Sprintf(
			"The run is a part of %s, which has ended as %s and will not start it.",
			parent.Name,
			parent.StateName,
		)
	}
	return w, nil
}
