package embed_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

func startApp(t *testing.T, cfg embed.Config, flows ...flowlite.AnyFlow) *embed.App {
	t.Helper()
	cfg.Port, cfg.Logger = -1, slog.New(slog.DiscardHandler)
	if cfg.Home == "" {
		cfg.Home = t.TempDir()
	}
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

type whereabouts struct{ Run, Deployment string }

func reporting(name string) *flowlite.Flow[struct{}, whereabouts] {
	task := flowlite.NewTask("task", func(ctx context.Context, _ int) (string, error) { return flowlite.Current(ctx).RunID, nil })
	return flowlite.NewFlow(name, func(ctx context.Context, _ struct{}) (w whereabouts, err error) {
		w.Deployment = flowlite.Current(ctx).DeploymentID
		if w.Run, err = task.Run(ctx, 1); err != nil {
			return w, err
		}
		return w, flowlite.Markdown(ctx, "report", "done")
	})
}

// holds says whether an App's database has the run.
func holds(t *testing.T, a *embed.App, run string) bool {
	t.Helper()
	id, err := core.ParseUUID(run)
	if err != nil {
		t.Fatal(run, err)
	}
	_, err = a.Client().FlowRun(t.Context(), id)
	if err != nil && !core.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

// A program with an App reaches it by every verb, whatever guards its door and
// whatever server the environment names.
func TestAppReachesItself(t *testing.T) {
	t.Setenv("FLOWLITE_API_URL", "http://127.0.0.1:1/api")
	for name, cfg := range map[string]embed.Config{
		"plain":       {},
		"credentials": {AuthString: "admin:secret"},
		"base path":   {BasePath: "/flows", AuthString: "admin:secret"},
		"CSRF":        {CSRF: true, AuthString: "admin:secret"},
		"all hosts":   {Host: "0.0.0.0", AuthString: "admin:secret"},
		"no UI":       {NoUI: true},
	} {
		t.Run(name, func(t *testing.T) {
			flow := reporting("report")
			app := startApp(t, cfg, flow)
			ctx := app.Context(t.Context())
			direct, err := flow.Run(ctx, struct{}{})
			if err != nil || !holds(t, app, direct.Run) || direct.Deployment != "" {
				t.Fatal(direct, err)
			}
			submitted, err := flow.Submit(ctx, struct{}{}).Get(ctx)
			if err != nil || !holds(t, app, submitted.Run) {
				t.Fatal(submitted, err)
			}
			deployed, err := flowlite.RunDeployment[whereabouts](ctx, "report/local", nil)
			if err != nil || !holds(t, app, deployed.Run) || deployed.Deployment == "" {
				t.Fatal(deployed, err)
			}
			later, err := flowlite.SubmitDeployment[whereabouts](ctx, "report/local", nil)
			if err != nil || !holds(t, app, later.ID()) {
				t.Fatal(err)
			}
			if err := flow.Deploy(ctx, flowlite.Deployment{Name: "another"}); err != nil {
				t.Error(err)
			}
			if _, err := app.Client().DeploymentByName(ctx, "report", "another"); err != nil {
				t.Error(err)
			}
			if _, err := flowlite.Variable[int](ctx, "nope"); !core.IsNotFound(err) {
				t.Error("variable:", err)
			}
			if _, err := flowlite.Secret(ctx, "nope"); !core.IsNotFound(err) {
				t.Error("secret:", err)
			}
			if err := flowlite.Table(ctx, "outside", []map[string]int{{"a": 1}}); err != nil {
				t.Error("artifact:", err)
			}
			if err := flowlite.Emit(ctx, "app.hello", nil); err != nil {
				t.Error("event:", err)
			}
			if err := flowlite.RateLimit(ctx, "nope"); err != nil {
				t.Error("limit:", err)
			}
			if _, err := flowlite.Client(app.URL()+"/api", flowlite.Auth(cfg.AuthString)).DeploymentByName(ctx, "report", "local"); err != nil {
				t.Error("a client with the credentials:", err)
			}
		})
	}
}

// Of two Apps, the context says which one is meant, for every flow. Within a
// run, the run does. Before its start an App says that it is not started, and
// when it has stopped, its runs end with ErrStopped.
func TestTwoApps(t *testing.T) {
	red, blue := reporting("red"), reporting("blue")
	one, two := startApp(t, embed.Config{AuthString: "a:b"}, red), startApp(t, embed.Config{AuthString: "c:d"}, blue)
	where := func(ctx context.Context, f *flowlite.Flow[struct{}, whereabouts], in, notIn *embed.App) {
		t.Helper()
		w, err := f.Run(ctx, struct{}{})
		if err != nil || !holds(t, in, w.Run) || holds(t, notIn, w.Run) {
			t.Fatal(w, err)
		}
	}
	for _, f := range []*flowlite.Flow[struct{}, whereabouts]{red, blue, reporting("in neither")} {
		where(one.Context(t.Context()), f, one, two)
		where(two.Context(t.Context()), f, two, one)
		where(two.Context(one.Context(t.Context())), f, two, one)
	}
	if _, err := flowlite.RunDeployment[whereabouts](one.Context(t.Context()), "red/local", nil); err != nil {
		t.Error(err)
	}
	if _, err := flowlite.RunDeployment[whereabouts](two.Context(t.Context()), "red/local", nil); err == nil {
		t.Error("the deployment of another App was found")
	}
	outer := flowlite.NewFlow("outer", func(ctx context.Context, _ struct{}) (whereabouts, error) {
		return red.Run(two.Context(ctx), struct{}{})
	})
	where(one.Context(t.Context()), outer, one, two)

	connection, err := flowlite.Connect(two.URL(), flowlite.Auth("c:d"))
	if err != nil {
		t.Fatal(err)
	}
	where(connection.Context(one.Context(t.Context())), red, two, one)
	if err := connection.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := red.Run(connection.Context(t.Context()), struct{}{}); !errors.Is(err, flowlite.ErrStopped) {
		t.Error("a closed connection:", err)
	}

	idle, err := embed.New(embed.Config{Port: -1, Home: t.TempDir()}, red)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := red.Run(idle.Context(t.Context()), struct{}{}); err == nil || !strings.Contains(err.Error(), "not started") {
		t.Error("an App before its start:", err)
	}
	if err := one.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := red.Run(one.Context(t.Context()), struct{}{}); !errors.Is(err, flowlite.ErrStopped) {
		t.Error("a stopped App:", err)
	}
}

// A flow that the program runs itself when the App stops ends, and so does its run.
func TestStopEndsTheProgramsOwnRuns(t *testing.T) {
	started, outcome := make(chan string, 1), make(chan error, 1)
	hang := flowlite.NewFlow("hang", func(ctx context.Context, _ struct{}) (int, error) {
		started <- flowlite.Current(ctx).RunID
		select {} // heeds nothing
	})
	cfg := embed.Config{Home: t.TempDir(), DrainGrace: time.Millisecond}
	app := startApp(t, cfg, hang)
	go func() {
		_, err := hang.Run(app.Context(context.Background()), struct{}{})
		outcome <- err
	}()
	id, _ := core.ParseUUID(<-started)
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-outcome; !errors.Is(err, flowlite.ErrStopped) {
		t.Fatal(err)
	}
	run, err := startApp(t, cfg, hang).Client().FlowRun(t.Context(), id)
	if err != nil || run.StateType != core.Crashed || !strings.Contains(core.Deref(run.State.Message), "the program stopped") {
		t.Fatal(run, err)
	}
}
