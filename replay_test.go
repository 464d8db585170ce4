package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// verbs are the exported functions and methods that take a context: those without a
// reason are called by the flow of everything, and leave nothing twice.
var verbs = map[string]string{
	"Markdown": "", "Table": "", "Link": "", "Progress": "", "Emit": "", "Logger": "", "Stream": "", "SetStatus": "", "Sleep": "", "Step": "",
	"Compensate": "", "RunDeployment": "", "SubmitDeployment": "", "Flow.Run": "", "Flow.Submit": "", "Task.Run": "", "Task.Submit": "",
	"Task.Map": "", "Task.MapAll": "", "Task.Each": "", "Run.Cancel": "", "Run.Retry": "", "Flow.Deploy": "", "Suspend": "",
	"Acquire":            "slots belong to a lease, which ends with its process",
	"RateLimit":          "each process waits for its turn; slots decay",
	"Run.Answer":         "is a change of another run, as Cancel and Retry",
	"Pause":              "is Suspend without its end of the process",
	"Variable":           "reads",
	"Secret":             "reads",
	"Current":            "reads",
	"Run.Status":         "reads",
	"Run.StatusOf":       "reads",
	"StatusOf":           "refuses contexts of runs",
	"Run.Get":            "reads",
	"Future.Get":         "reads",
	"Cleanup":            "makes a context",
	"Connection.Context": "makes a context",
	"Connection.Close":   "ends a program's connection",
	"Flow.Start":         "refuses contexts of runs",
	"Flow.StartMany":     "refuses contexts of runs",
	"Flow.StartTx":       "refuses contexts of runs",
	"Receive":            "is recorded; message_test.go kills its processes",
	"Select":             "is recorded, as Receive is",
	"Send":               "has an ID of its place in the code; message_test.go kills its processes",
	"Run.Send":           "is Send",
	"WebhookURL":         "has an ID of its place in the code; webhook_test.go kills its processes",
	"Run.WebhookURL":     "is WebhookURL",
	"Attach":             "refuses contexts of runs",
	"Follow":             "refuses contexts of runs",
	"Flow.Serve":         "is a program's main loop",
	"NewFlow":            "declares",
	"NewTask":            "declares",
}

// A new verb must be declared here: called by the flow below, or with a reason.
func TestEveryVerbIsReplayed(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.IsExported() && takesContext(fn) {
				if name := receiver(fn) + fn.Name.Name; ast.IsExported(name) {
					found[name] = true
				}
			}
		}
	}
	for name := range found {
		if _, ok := verbs[name]; !ok {
			t.Errorf("%s is not in the table of verbs: call it in everything(), or say why a replay does not matter", name)
		}
	}
	for name := range verbs {
		if !found[name] && !strings.HasPrefix(name, "New") {
			t.Errorf("%s is in the table of verbs, but does not exist", name)
		}
	}
}

func takesContext(fn *ast.FuncDecl) bool {
	for _, p := range fn.Type.Params.List {
		if s, ok := p.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Context" {
			return true
		}
	}
	return false
}

func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	name := ""
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name + "."
		}
		return true
	})
	return name
}

// everything calls each verb that leaves something; between two of them, at is called.
func (v *versions) everything(ctx context.Context, at func(ctx context.Context) error) error {
	double := flowlite.NewTask("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	noting := flowlite.NewTask("noting", func(ctx context.Context, what string) (string, error) {
		return what, flowlite.Markdown(ctx, "by-task", "noted "+what)
	})
	child := flowlite.NewFlow("child", func(_ context.Context, _ struct{}) (int, error) { return 1, nil })
	var submitted *flowlite.Run[int]
	steps := []func() error{
		func() error { return flowlite.Markdown(ctx, "report", "took "+time.Now().String()) },
		func() error { return flowlite.Markdown(ctx, "report", "the second of this key") },
		func() error { return flowlite.Markdown(ctx, "", "same") },
		func() error { return flowlite.Markdown(ctx, "", "same") },
		func() error { return flowlite.Table(ctx, "rows", []map[string]int{{"a": 1}}) },
		func() error { return flowlite.Link(ctx, "link", "https://example.com", "x") },
		func() error {
			set, err := flowlite.Progress(ctx, "bar", 0)
			for _, p := range []float64{30, 60} {
				err = errors.Join(err, set(p))
			}
			return errors.Join(err, at(ctx), set(90))
		},
		func() error { return flowlite.Emit(ctx, "shop.noted", map[string]int{"n": 1}) },
		func() error {
			flowlite.Logger(ctx).Info("logged by the flow", "n", 1)
			flowlite.Logger(ctx).Info("logged by the flow", "n", 1)
			return nil
		},
		func() error { return flowlite.Stream[int](ctx, "numbers").Append(1) },
		func() error { return flowlite.SetStatus(ctx, "step", "first") },
		func() error { return flowlite.Sleep(ctx, time.Millisecond) },
		func() error {
			_, err := flowlite.Step(ctx, "step", func(context.Context) (int, error) { return 1, nil })
			return err
		},
		func() error {
			return flowlite.Compensate(ctx, "undo", func(context.Context) error { return nil })
		},
		func() error { _, err := noting.Run(ctx, "a"); return err },
		func() error { _, err := double.Run(ctx, 1); return err },
		func() error { _, err := double.Submit(ctx, 2).Get(ctx); return err },
		func() error { _, err := double.Map(ctx, []int{3, 4}); return err },
		func() error { _, err := double.MapAll(ctx, []int{5, 6}); return err },
		func() error {
			for _, err := range double.Each(ctx, slices.Values([]int{7})) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		func() error { _, err := child.Run(ctx, struct{}{}); return err },
		func() error { _, err := child.Submit(ctx, struct{}{}).Get(ctx); return err },
		func() (err error) {
			submitted, err = flowlite.SubmitDeployment[int](ctx, "child/d", nil, flowlite.AsSubflow(false))
			return err
		},
		func() error { return submitted.Cancel(ctx) },
		func() error { return submitted.Retry(ctx) },
		func() error { return submitted.Cancel(ctx) },
		func() error {
			if err := submitted.Cancel(ctx); !errors.Is(err, flowlite.ErrConflict) {
				return fmt.Errorf("a cancelled run is cancelled again: %w", err)
			}
			return nil
		},
		func() error { _, err := flowlite.RunDeployment[int](ctx, "child/done", nil); return err },
		func() error { return flowlite.SetStatus(ctx, "step", "last") },
		func() error { return child.Deploy(ctx, flowlite.Deployment{Name: "deployed"}) },
		func() error { _, err := flowlite.Suspend[struct{}](ctx, flowlite.Ask{Key: "go-on"}); return err },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if err := at(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rows counts what everything has left.
func (v *versions) rows() map[string]int {
	v.t.Helper()
	ctx, n := v.t.Context(), map[string]int{}
	count := func(what string, rows int, err error) {
		v.t.Helper()
		if err != nil {
			v.t.Fatal(what, err)
		}
		n[what] = rows
	}
	n["artifacts"] = len(v.artifacts())
	runs, err := v.store.FlowRuns(ctx, core.Filters{}, core.Page{})
	count("flow runs", len(slices.DeleteFunc(runs, func(r *core.FlowRun) bool { return r.Created < v.since })), err)
	tasks, err := v.store.TaskRunsOf(ctx, v.id, core.UUID{}, 1000)
	count("task runs", len(tasks), err)
	deployments, err := v.store.CountDeployments(ctx, core.Filters{})
	count("deployments", int(deployments), err)
	logs, err := v.store.Logs(ctx, &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{v.id}}}, core.Page{})
	count("log", len(slices.DeleteFunc(logs, func(l *core.Log) bool { return l.Message != "logged by the flow n=1" })), err)
	resource := &core.EventResource{ID: []string{"prefect.flow-run." + v.id.String()}}
	events, err := v.store.Events(ctx, &core.EventFilter{Resource: resource, Event: &core.EventName{Name: []string{"shop.noted"}}}, core.Page{})
	count("events", len(events), err)
	count("entries", len(v.entries("numbers", 1)), nil)
	if got := v.status("step"); got != "last" {
		v.t.Error("the status is", got)
	}
	return n
}

// kills are the places in everything at which a process dies; one is between two
// updates of a progress bar.
var kills = []int{7, 10, 17, 23, 27}

// TestReplayLeavesNothingTwice runs a flow of all verbs once in one process and a
// suspend, and once in processes that are killed, and compares what is left.
func TestReplayLeavesNothingTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		if processes := v.replayed(nil); processes != 2 { // before and after the suspend
			t.Fatal(processes, "processes")
		}
		want, ids := v.rows(), v.artifacts()
		if want["log"] != 2 || want["events"] != 1 || want["artifacts"] != 8 {
			t.Fatal(want)
		}
		if again := v.artifacts(); !slices.Equal(again, ids) {
			t.Error("artifacts", again, ids)
		}
		v.another()
		if processes := v.replayed(kills); processes != 2+len(kills) {
			t.Fatal(processes, "processes")
		}
		if got := v.rows(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("a run of killed processes left %v, one that was not killed %v", got, want)
		}
		bars, err := v.store.Artifacts(t.Context(), v.own("progress"), core.Page{})
		if err != nil || len(bars) != 1 || string(bars[0].Data) != "90" {
			t.Error("the bar is", bars, err)
		}
	})
}

// replayed executes the run, whose processes die at the given places, to its end.
func (v *versions) replayed(dies []int) (processes int) {
	v.t.Helper()
	v.deployChildren()
	for {
		processes++
		place := 0
		out, err := v.run(func(ctx context.Context) (string, error) {
			return "", v.everything(ctx, func(ctx context.Context) error {
				if place++; len(dies) > 0 && place == dies[0] {
					dies = dies[1:]
					_, err := v.kill(ctx)
					return err
				}
				return context.Cause(ctx)
			})
		})
		switch {
		case errors.Is(err, flowlite.ErrLeaseLost):
		case err != nil:
			v.t.Fatal(err)
		case out.State.Type == core.Paused:
			if _, err := v.svc.ResumeFlowRun(v.t.Context(), v.id, nil); err != nil {
				v.t.Fatal(err)
			}
		case out.Err != nil || out.State.Type != core.Completed:
			v.t.Fatal(out.State, out.Err)
		default:
			return processes
		}
	}
}

// deployChildren deploys child where no worker is, and where one is.
func (v *versions) deployChildren() {
	v.t.Helper()
	ctx := v.t.Context()
	flow, err := v.svc.CreateFlow(ctx, core.FlowCreate{Name: "child"})
	if err != nil {
		v.t.Fatal(err)
	}
	for name, pool := range map[string]string{"d": "idle", "done": "busy"} {
		if _, err := v.svc.CreateWorkPool(ctx, core.WorkPoolCreate{Name: pool, Type: core.PoolProcess}); err != nil {
			if core.CodeOf(err) == core.EConflict {
				continue
			}
			v.t.Fatal(err)
		}
		if _, err := v.svc.CreateDeployment(ctx, core.DeploymentCreate{Name: name, FlowID: flow.ID, WorkPoolName: core.Some(pool), EnforceParameterSchema: core.Some(false)}); err != nil {
			v.t.Fatal(err)
		}
		if pool == "busy" {
			var worker sync.WaitGroup
			ctx, stop := context.WithCancel(ctx)
			worker.Go(func() { v.executeChildren(ctx) })
			v.t.Cleanup(func() { stop(); worker.Wait() })
		}
	}
}

func (v *versions) executeChildren(ctx context.Context) {
	child := engine.FlowOf(flowlite.NewFlow("child", func(context.Context, struct{}) (int, error) { return 1, nil }))
	poll := core.PollRequest{Pool: "busy", Holder: core.NewID(), Worker: "busy", Free: 1, Wait: 10}
	for ctx.Err() == nil {
		res, err := v.svc.Poll(ctx, poll)
		if err != nil {
			continue
		}
		for _, c := range res.Claims {
			if err := v.e.ExecuteClaim(context.WithoutCancel(ctx), child, c, flowlite.ErrStopped); err != nil {
				v.t.Error(err)
			}
		}
	}
}

// another makes the next executions be of another run.
func (v *versions) another() {
	v.t.Helper()
	was := v.state()
	run, err := v.svc.CreateDeploymentFlowRun(v.t.Context(), was.DeploymentID, core.DeploymentFlowRunCreate{})
	if err != nil {
		v.t.Fatal(err)
	}
	v.id, v.since = run.ID, run.Created
}

func (v *versions) own(kind string) *core.ArtifactFilter {
	f := &core.ArtifactFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{v.id}}}
	if kind != "" {
		f.Type = &core.TextFilter{Any: []string{kind}}
	}
	return f
}

func (v *versions) artifacts() (ids []core.UUID) {
	v.t.Helper()
	list, err := v.store.Artifacts(v.t.Context(), v.own(""), core.Page{})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}
