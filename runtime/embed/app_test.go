package embed_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

func TestEmbedded(t *testing.T) {
	twice := flowlite.NewFlow("twice", func(_ context.Context, n struct{ N int }) (int, error) { return 2 * n.N, nil })
	app, err := embed.New(embed.Config{Port: -1, NoUI: true, Home: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}, twice)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := flowlite.RunDeployment[int](app.Context(t.Context()), "twice/local", map[string]int{"N": 21})
	if err != nil || got != 42 {
		t.Error(got, err)
	}
	if err := app.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// A run that the stop of the program cuts off is handed back, and goes on when
// the program is there again.
func TestEmbeddedStopHandsRunsBack(t *testing.T) {
	started, causes := make(chan string, 2), make(chan error, 1)
	hang := true
	counted := 0
	count := flowlite.NewTask("count", func(context.Context, int) (int, error) { counted++; return counted, nil })
	long := flowlite.NewFlow("long", func(ctx context.Context, _ struct{}) (int, error) {
		n, err := count.Run(ctx, 1)
		if err != nil {
			return 0, err
		}
		started <- flowlite.Current(ctx).RunID
		if hang {
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return 0, context.Cause(ctx)
		}
		return n, nil
	})
	cfg := embed.Config{Port: -1, NoUI: true, Home: t.TempDir(), Logger: slog.New(slog.DiscardHandler), DrainGrace: time.Millisecond}
	app, err := embed.New(cfg, long)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal("a stop without a start:", err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := flowlite.Client(app.URL() + "/api")
	d, err := server.DeploymentByName(t.Context(), "long", "local")
	if err != nil {
		t.Fatal(err)
	}
	run, err := server.CreateDeploymentFlowRun(t.Context(), d.ID, core.DeploymentFlowRunCreate{})
	if err != nil {
		t.Fatal(err)
	}
	<-started
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-causes; !errors.Is(err, flowlite.ErrStopped) {
		t.Fatal(err)
	}
	hang = false
	if app, err = embed.New(cfg, long); err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.Stop(context.Background()) }()
	server = flowlite.Client(app.URL() + "/api")
	for !run.StateType.Final() {
		if run, err = server.WaitFlowRun(t.Context(), run.ID, run.StateID, 30); err != nil {
			t.Fatal(err)
		}
	}
	if run.StateType != core.Completed || counted != 1 || run.RunCount != 1 {
		t.Fatal(run.StateName, counted, run.RunCount)
	}
}

// postgres is the URL of an empty database that several programs can share.
func postgres(t *testing.T) string {
	t.Helper()
	for _, e := range dbtest.Engines(t) {
		if e.Name == "postgres" {
			return e.URL(t)
		}
	}
	t.Skip("FLOWLITE_TEST_POSTGRES is not set")
	return ""
}

// program starts an App as a program of its own would.
func program(t *testing.T, url string, flows ...flowlite.AnyFlow) *embed.App {
	t.Helper()
	cfg := embed.Config{Port: -1, NoUI: true, Home: t.TempDir(), DatabaseURL: url, Logger: slog.New(slog.DiscardHandler)}
	app, err := embed.New(cfg, flows...)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	return app
}

// ordered makes n runs of "flow/local".
func ordered(t *testing.T, server *client.Client, flow string, n int) (runs []*core.FlowRun) {
	t.Helper()
	d, err := server.DeploymentByName(t.Context(), flow, "local")
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		r, err := server.CreateDeploymentFlowRun(t.Context(), d.ID, core.DeploymentFlowRunCreate{})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	return runs
}

// ended waits for the ends of runs and wants them COMPLETED.
func ended(t *testing.T, server *client.Client, runs []*core.FlowRun) {
	t.Helper()
	for _, r := range runs {
		for !r.StateType.Final() {
			var err error
			if r, err = server.WaitFlowRun(t.Context(), r.ID, r.StateID, 30); err != nil {
				t.Fatal(err)
			}
		}
		if r.StateType != core.Completed {
			t.Errorf("%s is %s: %s", r.Name, r.StateName, core.Deref(r.State.Message))
		}
	}
}

// Two programs with different flows share a database and the default pool:
// each executes the runs of its own flows.
func TestProgramsShareADatabase(t *testing.T) {
	url := postgres(t)
	named := func(name string) *flowlite.Flow[struct{}, string] {
		return flowlite.NewFlow(name, func(context.Context, struct{}) (string, error) { return name, nil })
	}
	one := program(t, url, named("red"))
	two := program(t, url, named("blue"))
	runs := ordered(t, one.Client(), "blue", 10) // wakes the program that does not have it first
	runs = append(runs, ordered(t, two.Client(), "red", 10)...)
	runs = append(runs, ordered(t, one.Client(), "red", 10)...)
	runs = append(runs, ordered(t, two.Client(), "blue", 10)...)
	ended(t, one.Client(), runs)
}

// A new version of a program adds a flow while the old one still runs. The old
// one leaves the runs of the new flow alone, also after the new one has gone.
func TestRollingDeployThatAddsAFlow(t *testing.T) {
	url := postgres(t)
	kept := func() flowlite.AnyFlow {
		return flowlite.NewFlow("kept", func(context.Context, struct{}) (int, error) { return 1, nil })
	}
	added := func() flowlite.AnyFlow {
		return flowlite.NewFlow("added", func(context.Context, struct{}) (int, error) { return 2, nil })
	}
	before := program(t, url, kept())
	after := program(t, url, kept(), added())
	server := before.Client()
	ended(t, server, append(ordered(t, server, "added", 20), ordered(t, server, "kept", 20)...))

	if err := after.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting := ordered(t, server, "added", 3)
	ended(t, server, ordered(t, server, "kept", 3)) // they were due after those
	for _, r := range waiting {
		w, err := server.Why(t.Context(), r.ID)
		if err != nil || w.Code != "no_worker_with_flow" || !strings.Contains(w.Message, "the flow added") {
			t.Fatal(w, err)
		}
	}
	program(t, url, kept(), added())
	ended(t, server, waiting)
}
