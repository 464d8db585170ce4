package flowlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
)

// work starts a real worker for the site's pool; its flows are those of the
// test program.
func (s *site) work() {
	s.t.Helper()
	w := worker.New(worker.Config{Orchestrator: s.svc, APIURL: s.srv.APIURL(), WorkDir: s.dir, CacheDir: s.t.TempDir(),
		Log: slog.New(slog.DiscardHandler), DrainGrace: time.Second})
	if err := w.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = w.Stop(context.Background()) })
}

// orderProgram makes a run that a worker executes with the test program.
func (s *site) orderProgram(flow string, params map[string]any) *core.FlowRun {
	s.t.Helper()
	return s.orderBinary(flowBinary(s.t), flow, params)
}

// orderBinary makes a run that a worker executes with a program.
func (s *site) orderBinary(bin, flow string, params map[string]any) *core.FlowRun {
	s.t.Helper()
	f, err := s.svc.CreateFlow(s.t.Context(), core.FlowCreate{Name: flow})
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := s.svc.CreateDeployment(s.t.Context(), core.DeploymentCreate{Name: "binary", FlowID: f.ID, WorkPoolName: core.Some("default"),
		EnforceParameterSchema: core.Some(false), Path: core.Some(filepath.Dir(bin)), Entrypoint: core.Some(filepath.Base(bin) + ":" + flow)})
	if err != nil {
		s.t.Fatal(err)
	}
	run, err := s.svc.CreateDeploymentFlowRun(s.t.Context(), d.ID, core.DeploymentFlowRunCreate{Parameters: core.ToJSON(params)})
	if err != nil {
		s.t.Fatal(err)
	}
	return run
}

// end waits for the run's end.
func (s *site) end(id core.UUID) *core.FlowRun {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var known core.UUID
	for {
		r, err := s.svc.WaitFlowRun(ctx, id, known, 10)
		if err != nil {
			s.t.Fatal(err)
		}
		if r.StateType.Final() {
			return r
		}
		known = r.StateID
	}
}

func (s *site) logs(id core.UUID, logger string) (lines []string) {
	s.t.Helper()
	var after int64
	for {
		page, err := s.srv.Store().Logs(s.t.Context(), &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{id}}, AfterSeq: after}, core.Page{Sort: "SEQ_ASC", Limit: 200})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(page) == 0 {
			return lines
		}
		for _, l := range page {
			if after = l.Seq; l.Name == logger {
				lines = append(lines, l.Message)
			}
		}
	}
}

// killed is how often a run is resumed whose process was killed.
func killed(how string) int64 {
	if how == "kill" {
		return 5
	}
	return 0
}

// A line that a flow logged immediately before its process died is stored,
// once, whatever the process died of.
func TestLastLinesOfADyingProcess(t *testing.T) {
	s := newSite(t)
	s.work()
	for _, how := range []string{"exit", "panic in a goroutine", "kill", "fatal", "goexit", "task", "return"} {
		t.Run(how, func(t *testing.T) {
			run := s.orderProgram("ends", map[string]any{"how": how, "lines": 20})
			r := s.end(run.ID)
			var want []string
			for range r.RunCount + killed(how) { // a killed run is resumed, and is killed again
				for n := range 20 {
					want = append(want, fmt.Sprintf("line %d", n))
				}
				want = append(want, "last words")
			}
			if got := s.logs(run.ID, "flowlite.flow_runs"); !slices.Equal(got, want) {
				t.Errorf("the run's logs are %q, and it is %s: %s", got, r.StateName, core.Deref(r.State.Message))
			}
			if how == "task" && !slices.Equal(s.logs(run.ID, "flowlite.task_runs"), []string{"last words of a task"}) {
				t.Errorf("the task's logs are %q", s.logs(run.ID, "flowlite.task_runs"))
			}
		})
	}
}

// A flood is stored whole and in order, and the flow ends.
func TestFloodOfLines(t *testing.T) {
	s := newSite(t)
	s.work()
	const lines = 30_000
	run := s.orderProgram("ends", map[string]any{"how": "exit", "lines": lines})
	s.end(run.ID)
	got := s.logs(run.ID, "flowlite.flow_runs")
	if len(got) != lines+1 || got[lines] != "last words" {
		t.Fatalf("%d lines, the last %q", len(got), got[max(0, len(got)-1):])
	}
	for n, l := range got[:lines] {
		if l != fmt.Sprintf("line %d", n) {
			t.Fatalf("line %d is %q", n, l)
		}
	}
}
