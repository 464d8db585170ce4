// Package flowtest runs a flow in memory from a test: delays between retries
// and sleeps take no time, and the run's task runs, logs and result can be
// looked at afterwards.
package flowtest

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/local"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// Result is how the run went.
type Result struct {
	State    string // Completed, Failed, TimedOut, Cancelled …
	Type     core.StateType
	Message  string
	Err      error
	Run      *core.FlowRun
	TaskRuns []*core.TaskRun
	Logs     []string

	value core.JSON
	t     testing.TB
	store core.Store
}

// Option prepares the run.
type Option func(*settings)

type settings struct {
	inputs    []json.RawMessage
	variables map[string]any
	secrets   map[string]any
}

// Answer resumes the run's next Pause with v.
func Answer(v any) Option {
	return func(s *settings) { s.inputs = append(s.inputs, json.RawMessage(core.ToJSON(v))) }
}

// Variable is there for the flow to read.
func Variable(name string, v any) Option {
	return func(s *settings) { s.variables[name] = v }
}

// Secret is there for the flow to read.
func Secret(name string, v any) Option {
	return func(s *settings) { s.secrets[name] = v }
}

// Run runs a flow to its end.
func Run(t testing.TB, f flowlite.AnyFlow, params any, opts ...Option) *Result {
	t.Helper()
	set := settings{variables: map[string]any{}, secrets: map[string]any{}}
	for _, o := range opts {
		o(&set)
	}
	logs()
	ctx := t.Context()
	store, err := db.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "flow.db")+"?synchronous=off")
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	clock := &engine.VirtualClock{}
	b := bus.NewMemory()
	svc := local.New(local.Config{Store: store, Bus: b, Now: clock.Now,
		Results: orchestrate.DirResults(filepath.Join(t.TempDir(), "results"))})
	must(t, svc.Start(ctx))
	t.Cleanup(func() { _ = svc.Stop(context.Background()) })
	for name, v := range set.variables {
		_, err := svc.CreateVariable(ctx, core.VariableCreate{Name: name, Value: core.Some(core.ToJSON(v))})
		must(t, err)
	}
	for name, v := range set.secrets {
		must(t, svc.SetSecret(ctx, name, core.ToJSON(v)))
	}
	p, err := json.Marshal(params)
	must(t, err)
	e := engine.New(engine.Config{Orchestrator: svc, Clock: clock})
	fl := engine.FlowOf(f)
	rec, err := e.Create(ctx, fl, p)
	must(t, err)
	answering, stop := context.WithCancel(ctx)
	defer stop()
	go answer(answering, svc, clock, rec.ID, set.inputs)
	out, err := e.Execute(ctx, fl, rec.ID)
	must(t, err)
	must(t, e.Close(ctx))
	return collect(t, store, out)
}

// logs makes slog's default logger write the logs of runs, too, as flowlite.Main
// does, so that a flow's slog calls can be looked for in the Result. It is for
// the whole test program: outside of runs the logger works as before.
var logs = sync.OnceFunc(func() {
	// SetDefault makes package log write to slog; it goes on writing where it wrote.
	out, flags := log.Writer(), log.Flags()
	slog.SetDefault(slog.New(flowlite.LogHandler(slog.Default().Handler())))
	log.SetOutput(out)
	log.SetFlags(flags)
})

// answer resumes each pause, and lets the time of one that nobody answers pass.
func answer(ctx context.Context, svc *local.Service, clock engine.Clock, id core.UUID, inputs []json.RawMessage) {
	run, err := svc.FlowRun(ctx, id)
	for err == nil && !run.StateType.Final() {
		if run.StateType == core.Paused && run.State != nil {
			if len(inputs) > 0 {
				if _, err := svc.ResumeFlowRun(ctx, id, core.JSON(inputs[0])); err == nil {
					inputs = inputs[1:]
				}
			} else {
				_ = clock.Sleep(ctx, run.State.Details.PauseTimeout.Sub(clock.Now()))
			}
		}
		run, err = svc.WaitFlowRun(ctx, id, run.StateID, 30)
	}
}

func collect(t testing.TB, store core.Store, out *engine.Outcome) *Result {
	t.Helper()
	ctx := context.Background()
	run, err := store.FlowRun(ctx, out.FlowRun.ID)
	must(t, err)
	r := &Result{State: run.StateName, Type: run.StateType, Err: out.Err, Run: run, value: out.Result, t: t, store: store}
	if run.State != nil {
		r.Message = core.Deref(run.State.Message)
	}
	r.TaskRuns, err = store.TaskRunsOf(ctx, run.ID, core.UUID{}, 100_000)
	must(t, err)
	logs, err := store.Logs(ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{run.ID}}}, core.Page{Sort: "SEQ_ASC"})
	must(t, err)
	for _, l := range logs {
		r.Logs = append(r.Logs, l.Message)
	}
	return r
}

// Into decodes the flow's result, and fails the test if the flow failed.
func (r *Result) Into(v any) {
	r.t.Helper()
	if r.Err != nil {
		r.t.Fatalf("the flow failed: %v", r.Err)
	}
	must(r.t, json.Unmarshal(r.value, v))
}

// Tasks are the runs of one task, in the order of their calls.
func (r *Result) Tasks(name string) []*core.TaskRun {
	var out []*core.TaskRun
	for _, t := range r.TaskRuns {
		if t.TaskKey == name {
			out = append(out, t)
		}
	}
	return out
}

// Artifacts are the data of the run's artifacts, by key.
func (r *Result) Artifacts() map[string]string {
	r.t.Helper()
	list, err := r.store.Artifacts(
		context.Background(),
		&core.ArtifactFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{r.Run.ID}}},
		core.Page{},
	)
	must(r.t, err)
	out := map[string]string{}
	for _, a := range list {
		out[core.Deref(a.Key)] = string(a.Data)
	}
	return out
}

// Logged tells whether a line of the run's log contains text.
func (r *Result) Logged(text string) bool {
	for _, l := range r.Logs {
		if strings.Contains(l, text) {
			return true
		}
	}
	return false
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
