package main

import (
	"fmt"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

type runRefs struct {
	IDs []string `arg:"" name:"id" predictor:"run" help:"ids, unique prefixes of them, or names"`
}

type flowRunCancelCmd struct{ runRefs }

func (c *flowRunCancelCmd) Run(a *app) error {
	return a.each(c.IDs, func(ref string) (*said, error) { return a.changeRun(ref, "/cancel", map[string]any{}) })
}

type flowRunPauseCmd struct{ runRefs }

func (c *flowRunPauseCmd) Run(a *app) error {
	return a.each(c.IDs, func(ref string) (*said, error) { return a.changeRun(ref, "/suspend", map[string]any{}) })
}

// changeRun posts a verb and tells the state that the run has then.
func (a *app) changeRun(ref, verb string, body any) (*said, error) {
	r, _, err := a.flowRun(ref)
	if err != nil {
		return nil, err
	}
	res, raw, err := ask[*core.OrchestrationResult](a, "POST", "/flow_runs/"+r.ID.String()+verb, body)
	if err != nil {
		return nil, err
	}
	if res.Status == core.Abort || res.Status == core.Reject && (verb != "/cancel" || res.State == nil) {
		return nil, &failure{
			code: exitFailed,
			what: fmt.Sprintf("%s is %s: the server refused", r.Name, r.StateName),
			why:  core.Deref(res.Details.Reason),
		}
	}
	return &said{raw, r.ID.String(), fmt.Sprintf("%s  %s", r.Name, a.out.State(res.State.Type, res.State.Name))}, nil
}

type flowRunSetPriorityCmd struct {
	Priority int64 `arg:"" help:"Priority; higher starts first, new runs have 0"`
	runRefs
}

func (c *flowRunSetPriorityCmd) Run(a *app) error {
	return a.each(c.IDs, func(ref string) (*said, error) {
		r, _, err := a.flowRun(ref)
		if err != nil {
			return nil, err
		}
		path := "/flow_runs/" + r.ID.String()
		if _, err := a.api.call(a.ctx, "PATCH", path, core.FlowRunUpdate{Priority: core.Some(c.Priority)}); err != nil {
			return nil, err
		}
		raw, err := a.api.call(a.ctx, "GET", path, nil)
		return &said{raw, r.ID.String(), fmt.Sprintf("%s  priority %d", r.Name, c.Priority)}, err
	})
}

type flowRunRetryCmd struct {
	runRefs
	watchFlags
	Fresh bool `help:"start fresh: reuse nothing"`
	Watch bool `help:"follow logs and state, exit with the outcome"`
}

func (c *flowRunRetryCmd) Validate() error {
	if !c.Watch {
		return c.withoutWatch()
	}
	return nil
}

func (c *flowRunRetryCmd) Run(a *app) error {
	if c.Watch && len(c.IDs) > 1 {
		return badUsage("--watch follows one run; %d were said", len(c.IDs))
	}
	var before core.Time
	if c.Watch {
		r, _, err := a.flowRun(c.IDs[0])
		if err != nil {
			return err
		}
		if before, err = a.lastLog(r); err != nil {
			return err
		}
	}
	if c.Watch && !a.out.ForPeople() { // the answer is the run as it ends
		if _, err := a.changeRun(c.IDs[0], "/retry", map[string]any{"fresh": c.Fresh}); err != nil {
			return err
		}
	} else if err := a.each(c.IDs, func(ref string) (*said, error) {
		return a.changeRun(ref, "/retry", map[string]any{"fresh": c.Fresh})
	}); err != nil || !c.Watch {
		return err
	}
	r, _, err := a.flowRun(c.IDs[0])
	if err != nil {
		return err
	}
	return a.watchFrom(r, c.watchFlags, before)
}

// lastLog is when the newest line of a run was written: a new attempt's come after it.
func (a *app) lastLog(r *core.FlowRun) (core.Time, error) {
	last, _, err := ask[[]*core.Log](a, "POST", "/logs/filter", map[string]any{"sort": "TIMESTAMP_DESC", "limit": 1,
		"logs": map[string]any{"flow_run_id": map[string]any{"any_": []core.UUID{r.ID}}}})
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0].Timestamp, nil
}

type flowRunDeleteCmd struct {
	runRefs
	yesFlag
}

func (c *flowRunDeleteCmd) Run(a *app) error {
	if err := a.confirm(c.Yes, "Delete "+some(c.IDs, "flow runs")+"?"); err != nil {
		return err
	}
	return a.each(c.IDs, func(ref string) (*said, error) {
		r, raw, err := a.flowRun(ref)
		if err != nil {
			return nil, err
		}
		_, err = a.api.call(a.ctx, "DELETE", "/flow_runs/"+r.ID.String(), nil)
		return &said{raw, r.ID.String(), "Deleted " + r.Name}, err
	})
}

// some names a few things, and counts more.
func some(names []string, what string) string {
	if len(names) > 4 {
		return fmt.Sprintf("%d %s", len(names), what)
	}
	return strings.Join(names, ", ")
}
