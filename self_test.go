package flowlite_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
)

// output is what was logged, by many goroutines.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// logged collects what the program logs.
func logged(t *testing.T) *output {
	t.Helper()
	before, b := slog.Default(), &output{}
	slog.SetDefault(slog.New(slog.NewTextHandler(b, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return b
}

func startApp(t *testing.T, cfg flowlite.Config, flows ...flowlite.AnyFlow) *flowlite.App {
	t.Helper()
	cfg.Port, cfg.Log = -1, slog.New(slog.DiscardHandler)
	if cfg.Home == "" {
		cfg.Home = t.TempDir()
	}
	app, err := flowlite.New(cfg, flows...)
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
func holds(t *testing.T, a *flowlite.App, run string) bool {
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
	for name, cfg := range map[string]flowlite.Config{
		"plain":       {},
		"credentials": {AuthString: "admin:secret"},
		"base path":   {BasePath: "/flows", AuthString: "admin:secret"},
		"CSRF":        {CSRF: true, AuthString: "admin:secret"},
		"all hosts":   {Host: "0.0.0.0", AuthString: "admin:secret"},
		"no UI":       {NoUI: true},
	} {
		t.Run(name, func(t *testing.T) {
			said := logged(t)
			flow := reporting("report")
			app := startApp(t, cfg, flow)
			ctx := t.Context()
			direct, err := flow.Run(ctx, struct{}{})
			if err != nil || !holds(t, app, direct.Run) || direct.Deployment != "" {
				t.Fatal(direct, err)
			}
			if !strings.Contains(said.String(), "flow runs go to the App of this program") || !strings.Contains(said.String(), app.URL()) {
				t.Errorf("the log does not say where runs go: %q", said)
			}
			submitted, err := flow.Submit(ctx, struct{}{}).Get(ctx)
			if err != nil || !holds(t, app, submitted.Run) {
				t.Fatal(submitted, err)
			}
			if n := strings.Count(said.String(), "flow runs go to"); n != 1 {
				t.Errorf("said %d times where runs go", n)
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

// Of two Apps, the one that has the flow runs it. A stopped App is reached no
// more, and where runs go then is said.
func TestTwoApps(t *testing.T) {
	t.Setenv("FLOWLITE_API_URL", "")
	t.Cleanup(func() { flowlite.Use(nil) })
	flowlite.Use(nil)
	said := logged(t)
	red, blue := reporting("red"), reporting("blue")
	one, two := startApp(t, flowlite.Config{AuthString: "a:b"}, red), startApp(t, flowlite.Config{AuthString: "c:d"}, blue)
	where := func(f *flowlite.Flow[struct{}, whereabouts], in, notIn *flowlite.App) {
		t.Helper()
		w, err := f.Run(t.Context(), struct{}{})
		if err != nil || !holds(t, in, w.Run) || notIn != nil && holds(t, notIn, w.Run) {
			t.Fatal(w, err)
		}
	}
	where(red, one, two)
	where(blue, two, one)
	if _, err := flowlite.RunDeployment[whereabouts](t.Context(), "red/local", nil); err != nil {
		t.Error(err)
	}
	where(reporting("green"), two, one) // in neither: the one that was started last

	flowlite.Use(one.Client())
	where(blue, one, two)
	if !strings.Contains(said.String(), "passed to Use") {
		t.Errorf("the log does not say where runs go: %q", said)
	}
	flowlite.Use(nil)
	where(blue, two, one)

	if err := two.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	where(blue, one, nil)
	if err := one.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	said = logged(t)
	if _, err := blue.Run(t.Context(), struct{}{}); err != nil {
		t.Fatal(err)
	}
	if _, err := blue.Run(t.Context(), struct{}{}); err != nil {
		t.Fatal(err)
	}
	if got := said.String(); strings.Count(got, "kept in memory") != 1 || !strings.Contains(got, "level=WARN") {
		t.Errorf("that runs are kept in memory is to be said once, as a warning: %q", got)
	}
}

// A flow that the program runs itself when the App stops ends, and so does its run.
func TestStopEndsTheProgramsOwnRuns(t *testing.T) {
	started, outcome := make(chan string, 1), make(chan error, 1)
	hang := flowlite.NewFlow("hang", func(ctx context.Context, _ struct{}) (int, error) {
		started <- flowlite.Current(ctx).RunID
		select {} // heeds nothing
	})
	cfg := flowlite.Config{Home: t.TempDir(), DrainGrace: time.Millisecond}
	app := startApp(t, cfg, hang)
	go func() {
		_, err := hang.Run(context.Background(), struct{}{})
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
