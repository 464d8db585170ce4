package flowlite_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
)

func TestEmbedded(t *testing.T) {
	twice := flowlite.NewFlow("twice", func(_ context.Context, n struct{ N int }) (int, error) { return 2 * n.N, nil })
	app, err := flowlite.New(flowlite.Config{Port: -1, NoUI: true, Home: t.TempDir(), Log: slog.New(slog.DiscardHandler)}, twice)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := flowlite.RunDeployment[int](t.Context(), "twice/local", map[string]int{"N": 21})
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
	cfg := flowlite.Config{Port: -1, NoUI: true, Home: t.TempDir(), Log: slog.New(slog.DiscardHandler), DrainGrace: time.Millisecond}
	app, err := flowlite.New(cfg, long)
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
	if app, err = flowlite.New(cfg, long); err != nil {
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
