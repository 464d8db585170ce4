package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

type watchFlags struct {
	WatchTimeout time.Duration `help:"stop watching after this long and exit 124; the run goes on"`
	NoWaitPaused bool          `help:"exit 12 when the run is paused"`
}

// watch follows a run until it is final and ends with the outcome's exit code.
func (a *app) watch(r *core.FlowRun, f watchFlags) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	if f.WatchTimeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, f.WatchTimeout)
		defer cancel()
	}
	logs := make(chan struct{})
	go func() {
		defer close(logs)
		for l, err := range a.api.patient.StreamLogs(ctx, r.ID, 0) {
			if err != nil {
				return
			}
			a.progress("%s", a.logLine(l))
		}
	}()
	r, err := a.follow(ctx, r, f)
	switch {
	case a.ctx.Err() != nil:
		a.out.Note("detached; the run goes on. Follow it with `flowlite flow-run watch %s`, cancel it with `flowlite flow-run cancel %[1]s`", r.Name)
		return outcome(exitInterrupted)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure{code: exitTimeout, what: fmt.Sprintf("%s is still %s after %s; the run goes on", r.Name, r.StateName, f.WatchTimeout), hint: "flowlite flow-run watch " + r.Name}
	case err != nil:
		return a.api.explain(err)
	}
	if r.StateType.Final() {
		select {
		case <-logs: // the stream ends when all has been said
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
		}
	}
	return a.outcome(r)
}

// follow returns when the run is final, or paused and nobody wants to wait.
func (a *app) follow(ctx context.Context, r *core.FlowRun, f watchFlags) (*core.FlowRun, error) {
	said := ""
	seen := core.UUID{}
	for {
		if r.StateType.Final() || f.NoWaitPaused && r.StateType == core.Paused {
			return r, nil
		}
		if r.StateID != seen && r.StateType != core.Scheduled && r.StateType != core.Pending {
			a.progress("%s", a.out.State(r.StateType, r.StateName))
			seen = r.StateID
		}
		if r.StateType == core.Paused && said != "paused" {
			said = "paused"
			a.out.Hint("flowlite flow-run resume %s", r.Name)
		}
		next, err := a.api.patient.WaitFlowRun(ctx, r.ID, r.StateID, 2)
		if err != nil {
			return r, err
		}
		if next.StateID == r.StateID && (r.StateType == core.Scheduled || r.StateType == core.Pending) {
			if w, _, err := ask[*core.Why](a, "GET", "/flow_runs/"+r.ID.String()+"/why", nil); err == nil && w.Message != said {
				said = w.Message
				a.progress("%s  %s", a.out.State(r.StateType, r.StateName), w.Message)
				if w.Hint != "" {
					a.out.Hint("%s", w.Hint)
				}
			}
		}
		r = next
	}
}

// progress goes to Out for people and to Err where data is wanted.
func (a *app) progress(format string, args ...any) {
	w := a.out.Out
	if !a.out.ForPeople() {
		w = a.out.Err
	}
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

func (a *app) outcome(r *core.FlowRun) error {
	if !a.out.ForPeople() {
		_, raw, err := ask[*core.FlowRun](a, "GET", "/flow_runs/"+r.ID.String(), nil)
		if err != nil {
			return err
		}
		if err := a.out.Record(raw, r.ID.String(), nil); err != nil {
			return err
		}
	} else {
		a.progress("%s", a.ending(r))
	}
	switch r.StateType {
	case core.Failed, core.Crashed:
		return outcome(exitRunFailed)
	case core.Cancelled:
		return outcome(exitRunCancel)
	case core.Paused:
		return outcome(exitRunPaused)
	}
	return nil
}

func (a *app) ending(r *core.FlowRun) string {
	s := a.out.State(r.StateType, r.StateName)
	if r.TotalRunTime > 0 {
		s += " in " + took(r)
	}
	if r.State == nil {
		return s
	}
	if r.StateType == core.Completed {
		if v, err := a.result(r, a.api.once); err == nil && len(v) > 0 && len(v) < 500 && string(v) != "null" {
			s += "   result " + string(v)
		}
		return s
	}
	if m := core.Deref(r.State.Message); m != "" {
		s += "   " + strings.TrimSpace(m)
	}
	return s
}

// result is what the flow returned, as JSON.
func (a *app) result(r *core.FlowRun, c *client.Client) (core.JSON, error) {
	if r.State == nil {
		return nil, nil
	}
	data := r.State.Data.Map()
	if key, ok := data["key"].(string); ok && data["type"] == "flowlite" {
		b, err := c.Result(a.ctx, key)
		return b, err
	}
	if v, ok := data["value"]; ok && data["type"] == "flowlite" {
		return core.ToJSON(v), nil
	}
	return r.State.Data, nil
}
