package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Ask is what a pause wants to know.
type Ask struct {
	Key         string
	Description string
	Schema      core.JSON // nil: nothing, only that somebody resumes
	Initial     core.JSON
	Timeout     time.Duration // default an hour
	Suspend     bool
}

// noTimeout waits for an answer for as long as it takes.
const noTimeout time.Duration = -1

// Pause stops the flow until somebody resumes the run, and returns the input
// they gave. The answer is kept: a later process does not ask again.
func Pause(ctx context.Context, a Ask) (core.JSON, error) {
	s := scopeOf(ctx)
	if s == nil || s.task != nil {
		return nil, errors.New("Pause and Suspend belong into a flow, not into a task or outside of a run")
	}
	r := s.run
	if a.Timeout <= 0 {
		a.Timeout = time.Hour
	}
	r.mu.Lock()
	if a.Key == "" {
		a.Key = strconv.Itoa(r.pauses)
	}
	if r.fresh != 0 {
		a.Key += fmt.Sprintf("-%d", r.fresh)
	}
	r.pauses++
	r.mu.Unlock()
	p := &pause{r: r, Ask: a, prefix: "paused-" + a.Key}
	return p.wait(ctx)
}

type pause struct {
	r *run
	Ask
	prefix string
}

func (p *pause) wait(ctx context.Context) (core.JSON, error) {
	r := p.r
	if err := p.timedOut(); err != nil {
		return nil, err
	}
	if v, ok, err := p.answer(); ok || err != nil {
		return v, err
	}
	if !r.fired(p.Key) {
		if err := r.endEnded(); err != nil {
			return nil, err
		}
	}
	r.root.mu.Lock()
	at := r.root.cancelAt
	r.root.mu.Unlock()
	if at != nil && (!r.fired(p.Key) || *at == p.Key) {
		if err := r.endWoken(); err != nil {
			return nil, err
		}
	}
	r.report.flushStarts()
	_ = r.e.logs.flush(ctx)
	c, err := p.proposal()
	if err != nil {
		return nil, err
	}
	c.Details.PauseReschedule = p.Suspend && !r.rec.DeploymentID.IsZero() && r.rec.ParentTaskRunID.IsZero()
	if c.Details.PauseReschedule {
		c.Name = core.NameSuspended
	}
	res, err := r.propose(r.wctx, c, false)
	if err != nil {
		return nil, err
	}
	switch {
	case res.Status == core.Abort:
		if errors.Is(context.Cause(ctx), ErrCancelled) {
			return nil, ErrCancelled
		}
		return nil, fmt.Errorf("pause: %s", core.Deref(res.Details.Reason))
	case res.Status == core.Reject && res.State.Type == core.Running:
		return p.given() // this pause was resumed before
	case res.State.Type == core.Paused && c.Details.PauseReschedule:
		r.root.suspend(ErrSuspended)
		return nil, ErrSuspended
	}
	if err := p.hold(ctx); err != nil {
		return nil, err
	}
	return p.given()
}

// proposal stores the form where the UI and the API look for it.
func (p *pause) proposal() (core.StateCreate, error) {
	r := p.r
	c := core.StateCreate{Type: core.Paused}
	if p.Description != "" {
		c.Message = &p.Description
	}
	c.Details.PauseKey, c.Details.Wakes = &p.Key, true
	if p.Timeout != noTimeout {
		c.Details.PauseTimeout = r.e.clock.Now().Add(p.Timeout)
	}
	if p.Schema == nil {
		return c, nil
	}
	keys := map[string]string{"schema": p.prefix + "-schema", "response": p.prefix + "-response", "description": p.prefix + "-description"}
	c.Details.RunInputKeyset = keys
	for key, value := range map[string]string{keys["schema"]: string(p.Schema), keys["description"]: string(core.ToJSON(p.Description))} {
		err := persist(r.wctx, func() error { return r.e.o.CreateFlowRunInput(r.wctx, r.rec.ID, key, value, "") })
		if err != nil && core.CodeOf(err) != core.EConflict {
			return c, err
		}
	}
	return c, nil
}

// hold waits until the run is running again.
func (p *pause) hold(ctx context.Context) error {
	r := p.r
	defer r.hold()()
	until := r.rec.State.Details.PauseTimeout
	for {
		r.mu.Lock()
		id := r.rec.StateID
		r.mu.Unlock()
		wait := core.Seconds(30)
		if until != 0 {
			wait = core.Seconds(min(30, max(0.05, until.Sub(r.e.clock.Now()).Seconds()+0.05)))
		}
		if _, ok := r.e.clock.(realClock); !ok {
			wait = 0.02 // virtual time may pass meanwhile
		}
		now, err := ask(ctx, func() (*core.FlowRun, error) { return r.e.o.WaitFlowRun(ctx, r.rec.ID, id, wait) })
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.rec.State, r.rec.StateID, r.rec.StateType, r.rec.StateName = now.State, now.StateID, now.StateType, now.StateName
		r.stateID = now.StateID
		r.rec.EmpiricalPolicy.PauseKeys = now.EmpiricalPolicy.PauseKeys
		r.mu.Unlock()
		switch {
		case now.StateType == core.Running:
			return nil
		case now.StateType == core.Cancelling:
			r.root.suspend(ErrCancelled)
			return ErrCancelled
		case now.StateType.Final():
			return fmt.Errorf("%w: %s", ErrUnanswered, core.Deref(now.State.Message)) // by a server that ends such runs itself
		case now.StateType == core.Paused && now.State.Details.PauseReschedule:
			r.root.suspend(ErrSuspended)
			return ErrSuspended
		case now.StateType == core.Scheduled:
			// Resumed by being scheduled: no one else may take it while it is ours.
			s, err := r.enter(ctx)
			if err == nil && s.Type == core.Cancelled {
				r.root.suspend(ErrCancelled)
				err = ErrCancelled
			}
			return err
		}
		if until != 0 && r.e.clock.Now() > until {
			if err := p.endUnanswered(); err != nil {
				return err
			}
			if r.rec.StateType == core.Running {
				return nil
			}
		}
	}
}

// fired tells whether the run's attempt has had a pause of this key.
func (r *run) fired(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.rec.EmpiricalPolicy.PauseKeys, key)
}

// timedOut tells whether nobody answered in time, as far as the run's record says.
func (p *pause) timedOut() error {
	if !p.r.fired(core.UnansweredKey(p.Key)) {
		return nil
	}
	return fmt.Errorf("%w within %s", ErrUnanswered, p.Timeout)
}

// endUnanswered lets the run go on without an answer, if none came meanwhile.
func (p *pause) endUnanswered() error {
	r := p.r
	c := core.StateCreate{Type: core.Running, Details: core.StateDetails{PauseKey: core.Ptr(core.UnansweredKey(p.Key)), Wakes: true}}
	res, err := r.propose(r.wctx, c, false)
	if err != nil {
		return err
	}
	if res.State != nil && res.State.Type.Final() {
		return fmt.Errorf("%w within %s", ErrUnanswered, p.Timeout) // by a server that ends such runs itself
	}
	now, err := ask(r.wctx, func() (*core.FlowRun, error) { return r.e.o.FlowRun(r.wctx, r.rec.ID) })
	if err == nil {
		r.mu.Lock()
		r.rec.EmpiricalPolicy.PauseKeys = now.EmpiricalPolicy.PauseKeys
		r.mu.Unlock()
	}
	return err
}

// endWoken ends a run that was woken only for its clean-up: once. What the
// clean-up calls then runs.
func (r *run) endWoken() error {
	if err := r.endEnded(); err != nil {
		return err
	}
	root := r.root
	root.mu.Lock()
	woken := root.cancelAt != nil
	root.cancelAt = nil
	root.mu.Unlock()
	if !woken {
		return nil
	}
	root.suspend(ErrCancelled)
	return ErrCancelled
}

// endEnded ends the flow's code at the first call without an outcome if the
// flow has ended before and its undos are not done.
func (r *run) endEnded() error {
	r.mu.Lock()
	ended := r.ended != nil && !r.undoing
	r.mu.Unlock()
	if !ended {
		return nil
	}
	r.suspend(errEnded)
	return errEnded
}

func (p *pause) answer() (core.JSON, bool, error) {
	if p.Schema == nil {
		return nil, false, nil
	}
	v, err := ask(p.r.wctx, func() (string, error) {
		return p.r.e.o.FlowRunInput(p.r.wctx, p.r.rec.ID, p.prefix+"-response")
	})
	if core.IsNotFound(err) {
		return nil, false, nil
	}
	if err == nil && !json.Valid([]byte(v)) {
		return nil, false, fmt.Errorf("the answer to the pause is not JSON: %.80q", v)
	}
	return core.JSON(v), err == nil, err
}

// given is the answer of a pause that was resumed; without one, what was proposed.
func (p *pause) given() (core.JSON, error) {
	v, ok, err := p.answer()
	if err != nil || ok {
		return v, err
	}
	if err := p.timedOut(); err != nil {
		return nil, err
	}
	if p.Initial != nil {
		return p.Initial, nil
	}
	return core.JSON("{}"), nil
}
