package embed_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

// An App without a port returns a run that needs a process to the pool, and says why.
// A worker that has a port for it takes the run.
func TestRunThatNeedsAPortGoesBack(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			cfg := embed.Config{NoListen: true, BasePath: "/admin/flows", DatabaseURL: e.URL(t), Home: t.TempDir(), Identity: userHeader}
			app := startApp(t, cfg, answer())
			at := shop(t, app).URL + "/admin/flows/api"
			code, body := ask(t, "POST", at+"/flows/", `{"name":"elsewhere"}`, "User", "ada", "Content-Type", "application/json")
			if code >= 300 {
				t.Fatal(code, body)
			}
			flow := idOf(t, body)
			code, body = ask(t, "POST", at+"/deployments/", `{"name":"d","flow_id":"`+flow+`","work_pool_name":"default","enforce_parameter_schema":false,"job_variables":{"command":"true"}}`,
				"User", "ada", "Content-Type", "application/json")
			if code >= 300 {
				t.Fatal(code, body)
			}
			code, body = ask(t, "POST", at+"/deployments/"+idOf(t, body)+"/create_flow_run", `{}`, "User", "ada", "Content-Type", "application/json")
			if code != http.StatusCreated {
				t.Fatal(code, body)
			}
			run, err := flowlite.Attach[int](t.Context(), app, idOf(t, body))
			if err != nil {
				t.Fatal(err)
			}
			waitFor(t, run, func(s flowlite.Status) bool {
				return s.State == "SCHEDULED" && strings.Contains(s.Message, "does not listen for it (NoListen)")
			})

			// The person who cancels it is named.
			code, body = ask(t, "POST", at+"/flow_runs/"+run.ID()+"/cancel", `{}`, "User", "ada", "Content-Type", "application/json")
			if code >= 300 {
				t.Fatal(code, body)
			}
			waitFor(t, run, func(s flowlite.Status) bool {
				return s.State == "CANCELLED" && strings.HasPrefix(s.Message, "Cancelled by ada")
			})
			_, page := ask(t, "GET", strings.TrimSuffix(at, "/api")+"/flow-runs/"+run.ID(), "", "User", "ada")
			if !strings.Contains(page, "Cancelled by ada") {
				t.Error("the run's page does not name who cancelled it")
			}
		})
	}
}

func idOf(t *testing.T, body string) string {
	t.Helper()
	id, _ := core.JSON(body).Map()["id"].(string)
	if id == "" {
		t.Fatal("no id: ", body)
	}
	return id
}

func waitFor(t *testing.T, run *flowlite.Run[int], is func(flowlite.Status) bool) {
	t.Helper()
	var s flowlite.Status
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		var err error
		if s, err = run.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		if is(s) {
			return
		}
	}
	t.Fatalf("the run is %+v", s)
}

// With Prune, a deployment that the code no longer declares is paused, and resumes
// when the code has it again. What a person paused stays paused.
func TestPrune(t *testing.T) {
	declares := func(names ...string) flowlite.AnyFlow {
		var all []flowlite.Deployment
		for _, n := range names {
			all = append(all, flowlite.Deployment{Name: n, Cron: "0 0 1 1 *"})
		}
		return flowlite.NewFlow("nightly", answerTo, flowlite.Deploys(all...))
	}
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			cfg := embed.Config{DatabaseURL: e.URL(t), Home: t.TempDir(), Port: -1, NoUI: true, WorkPool: "shop", Prune: true, Logger: slog.New(slog.DiscardHandler)}
			paused := func(prune bool, flows ...flowlite.AnyFlow) map[string]bool {
				t.Helper()
				cfg.Prune = prune
				app, err := embed.New(cfg, flows...)
				if err != nil {
					t.Fatal(err)
				}
				if err := app.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = app.Stop(t.Context()) }()
				got := map[string]bool{}
				for _, name := range []string{"nightly/a", "nightly/b", "answer/local"} {
					f, n, _ := strings.Cut(name, "/")
					d, err := app.Client().DeploymentByName(t.Context(), f, n)
					if err != nil {
						t.Fatal(name, err)
					}
					if got[name] = d.Paused; name == "nightly/a" && !d.Paused {
						if err := pause(t, app, d.ID); err != nil { // a person does
							t.Fatal(err)
						}
					}
				}
				return got
			}
			check := func(when string, got map[string]bool, a, b, other bool) {
				t.Helper()
				if got["nightly/a"] != a || got["nightly/b"] != b || got["answer/local"] != other {
					t.Errorf("%s: paused are %v", when, got)
				}
			}
			check("first", paused(true, declares("a", "b"), answer()), false, false, false)
			check("a restart", paused(true, declares("a", "b"), answer()), true, false, false)
			check("without Prune", paused(false, declares("a")), true, false, false)
			check("with Prune", paused(true, declares("a")), true, true, true)
			check("declared again", paused(true, declares("a", "b"), answer()), true, false, false)
		})
	}
}

func pause(t *testing.T, app *embed.App, id core.UUID) error {
	t.Helper()
	_, err := app.Client().Raw(t.Context(), "POST", "/deployments/"+id.String()+"/pause_deployment", nil)
	return err
}
