package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/cmd/flowlite/internal/out"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

type watchFlags struct {
	WatchTimeout duration `placeholder:"DURATION" help:"stop watching after this long and exit 124; the run goes on"`
	NoWaitPaused bool     `help:"exit 12 when the run is paused"`
}

// withoutWatch refuses flags of watching where nobody watches.
func (f watchFlags) withoutWatch() error {
	if f.WatchTimeout > 0 || f.NoWaitPaused {
		return errors.New("--watch-timeout and --no-wait-paused belong to --watch")
	}
	return nil
}

// watcher follows one run: its logs scroll, its state stands in the last line.
type watcher struct {
	*app
	watchFlags
	live    *out.Live
	changed chan struct{}

	mu  sync.Mutex
	run *core.FlowRun
	why string
}

// watch follows a run until it is final and ends with the outcome's exit code.
func (a *app) watch(r *core.FlowRun, f watchFlags) error { return a.watchFrom(r, f, 0) }

// watchFrom shows no lines that are as old as before, those of earlier attempts.
func (a *app) watchFrom(r *core.FlowRun, f watchFlags, before core.Time) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	if f.WatchTimeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, f.WatchTimeout.Duration())
		defer cancel()
	}
	w := &watcher{app: a, watchFlags: f, live: a.out.Live(), changed: make(chan struct{}, 1), run: r}
	logs, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(logs)
		for l, err := range a.api.patient.StreamLogs(ctx, r.ID, 0) {
			if err != nil {
				return
			}
			if l.Timestamp > before {
				w.live.Line("%s", a.logLine(l))
			}
		}
	}()
	drawing, stop := context.WithCancel(ctx)
	go func() {
		defer close(drawn)
		w.draw(drawing)
	}()
	r, err := w.follow(ctx)
	if err == nil && r.StateType.Final() {
		select {
		case <-logs: // the stream ends when all has been said
		case <-time.After(4 * time.Second):
		case <-ctx.Done():
		}
	}
	stop()
	<-drawn
	w.live.Set("")
	switch {
	case a.ctx.Err() != nil:
		a.out.Note(
			"detached; the run goes on. Follow it with `flowlite flow-run watch %s`, cancel it with `flowlite flow-run cancel %[1]s`",
			core.ShellWord(r.Name),
		)
		return outcome(exitInterrupted)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure{
			code: exitTimeout,
			what: fmt.Sprintf("%s is still %s after %s; the run goes on", r.Name, r.StateName, f.WatchTimeout.Duration()),
			hint: core.ShellCommand("flowlite", "flow-run", "watch", r.Name),
		}
	case err != nil:
		return a.api.explain(err)
	}
	return a.outcome(r)
}

// follow returns when the run is final, or paused and nobody wants to wait.
func (w *watcher) follow(ctx context.Context) (*core.FlowRun, error) {
	r, hinted := w.run, core.UUID{}
	said := core.UUID{}
	for {
		if r.StateType.Final() || w.NoWaitPaused && r.StateType == core.Paused {
			return r, nil
		}
		waiting := r.StateType == core.Scheduled || r.StateType == core.Pending
		if r.StateID != said && !waiting && !w.live.Shown() {
			w.live.Line("%s", w.out.State(r.StateType, r.StateName))
			said = r.StateID
		}
		if r.StateType == core.Paused && hinted != r.StateID {
			hinted = r.StateID
			w.live.Hint("flowlite flow-run resume %s", core.ShellWord(r.Name))
		}
		next, err := w.api.patient.WaitFlowRun(ctx, r.ID, r.StateID, 2)
		if err != nil {
			return r, err
		}
		if next.StateID == r.StateID && waiting {
			w.explainWait(r)
		}
		if next.StateID != r.StateID {
			w.update(next, "")
		}
		r = next
	}
}

// explainWait says once why the run does not start.
func (w *watcher) explainWait(r *core.FlowRun) {
	why, _, err := ask[*core.Why](w.app, "GET", "/flow_runs/"+r.ID.String()+"/why", nil)
	if err != nil || why.Message == w.why {
		return
	}
	w.update(r, why.Message)
	if !w.live.Shown() {
		w.live.Line("%s  %s", w.out.State(r.StateType, r.StateName), why.Message)
	}
	if why.Hint != "" {
		w.live.Hint("%s", why.Hint)
	}
}

// draw keeps the last line true, once a second and when something changes.
func (w *watcher) draw(ctx context.Context) {
	if !w.live.Shown() {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		w.mu.Lock()
		r, why := w.run, w.why
		w.mu.Unlock()
		if text := w.status(ctx, r, why); ctx.Err() == nil {
			w.live.Set(text)
		}
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-tick.C:
		}
	}
}

// update changes what is drawn.
func (w *watcher) update(r *core.FlowRun, why string) {
	w.mu.Lock()
	w.run, w.why = r, why
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// status is "● Running 1m 42s · 31/35 tasks".
func (w *watcher) status(ctx context.Context, r *core.FlowRun, why string) string {
	s := w.out.State(r.StateType, r.StateName)
	since := r.StartTime
	if r.State != nil && (since.IsZero() || r.StateType != core.Running) {
		since = r.State.Timestamp
	}
	if r.StateType == core.Scheduled || r.StateType == core.Pending {
		if r.ExpectedStartTime > core.Now() {
			return s + " " + w.out.Ago(r.ExpectedStartTime)
		}
		return s + " " + out.Elapsed(core.Now().Sub(since)) + "   " + why
	}
	if r.StateType.Final() { // the last log lines are still on their way
		return w.out.Join(s+" in "+took(r.TotalRunTime, r.EstimatedRunTime), w.tasks(ctx, r))
	}
	return w.out.Join(s+" "+out.Elapsed(core.Now().Sub(since)), w.tasks(ctx, r))
}

// tasks is "31/35 tasks": finished of those known so far; "" if there are none.
func (w *watcher) tasks(ctx context.Context, r *core.FlowRun) string {
	count := func(more string) (n int64, ok bool) {
		raw, err := w.api.once.Raw(ctx, "POST", "/task_runs/count", core.JSON(`{"flow_runs":{"id":{"any_":["`+r.ID.String()+`"]}}`+more+`}`))
		return n, err == nil && json.Unmarshal(raw, &n) == nil
	}
	all, ok := count("")
	if !ok || all == 0 {
		return ""
	}
	done, ok := count(`,"task_runs":{"state":{"type":{"any_":["COMPLETED","FAILED","CRASHED","CANCELLED"]}}}`)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d/%d tasks", min(done, all), all)
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
		a.out.Tell("%s", a.ending(r))
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
		s += " in " + took(r.TotalRunTime, r.EstimatedRunTime)
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
	data, _ := r.State.Data.Object()
	ours := textOf(data.Raw("type")) == "flowlite"
	if key := data.Raw("key"); ours && !key.IsNull() {
		b, err := c.Result(a.ctx, textOf(key))
		return b, err
	}
	if v := data.Raw("value"); ours && v != nil {
		return v, nil
	}
	if data.Raw("storage_key") != nil { // Python's; readable where its storage is
		if v, err := engine.Unpack(a.ctx, c, r.State.Data); err == nil {
			return v, nil
		}
	}
	return r.State.Data, nil
}
