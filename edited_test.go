package flowlite_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/db"
	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/bus"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
	"github.com/flowlite/flowlite/runtime/local"
	"github.com/flowlite/flowlite/runtime/orchestrate"
)

// versions runs one run with one version of a flow's code after the other. A
// version that calls kill ends as a killed process does.
type versions struct {
	t       *testing.T
	svc     *local.Service
	store   core.Store
	e       *engine.Engine
	poll    core.PollRequest
	id      core.UUID
	since   core.Time // when the run was created, if it is not the first
	effects []string
	die     context.CancelCauseFunc // ends the process as the lease is lost
	cut     context.CancelCauseFunc // ends its context only
	ctx     context.Context
}

func onEngines(t *testing.T, test func(t *testing.T, v *versions)) {
	for _, on := range dbtest.Engines(t) {
		t.Run(on.Name, func(t *testing.T) {
			store, err := db.Open(t.Context(), on.URL(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			v := &versions{t: t, store: store, poll: core.PollRequest{Pool: "default", Holder: core.NewID(), Worker: "test", Free: 1, Wait: 10}}
			v.svc = local.New(local.Config{Store: store, Bus: bus.NewMemory(), Results: orchestrate.DirResults(t.TempDir()),
				URL: "https://flows.example"})
			if err := v.svc.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = v.svc.Stop(context.Background()) })
			if _, err := v.svc.CreateWorkPool(t.Context(), core.WorkPoolCreate{Name: "default", Type: core.PoolProcess}); err != nil && core.CodeOf(err) != core.EConflict {
				t.Fatal(err)
			}
			v.e = engine.New(engine.Config{Orchestrator: v.svc})
			flow, err := v.svc.CreateFlow(t.Context(), core.FlowCreate{Name: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			d, err := v.svc.CreateDeployment(t.Context(), core.DeploymentCreate{Name: "d", FlowID: flow.ID, WorkPoolName: core.Some("default"), EnforceParameterSchema: core.Some(false)})
			if err != nil {
				t.Fatal(err)
			}
			run, err := v.svc.CreateDeploymentFlowRun(t.Context(), d.ID, core.DeploymentFlowRunCreate{})
			if err != nil {
				t.Fatal(err)
			}
			v.id = run.ID
			test(t, v)
		})
	}
}

// run executes the run with this version of the code.
func (v *versions) run(code func(ctx context.Context) (string, error)) (*engine.Outcome, error) {
	v.t.Helper()
	shop := flowlite.NewFlow("shop", func(ctx context.Context, _ struct{}) (string, error) { return code(ctx) })
	return v.e.Execute(v.claimed(), engine.FlowOf(shop), v.id)
}

// claimed claims the run and returns the context of its process.
func (v *versions) claimed() context.Context {
	v.t.Helper()
	res, err := v.svc.Poll(v.t.Context(), v.poll)
	if err != nil || len(res.Claims) != 1 {
		v.t.Fatal("nothing to claim", res, err)
	}
	ctx, die := context.WithCancelCause(core.WithRunToken(v.t.Context(), res.Claims[0].Token))
	v.ctx, v.cut = ctx, die
	v.die = func(err error) {
		if _, cerr := v.svc.ReportCrash(ctx, v.id, "killed", true); cerr != nil {
			v.t.Error(cerr)
		}
		die(err)
	}
	return ctx
}

// killed executes the run until the code calls kill.
func (v *versions) killed(code func(ctx context.Context) (string, error)) {
	v.t.Helper()
	if _, err := v.run(code); !errors.Is(err, flowlite.ErrLeaseLost) {
		v.t.Fatal(err)
	}
}

// finished executes the run to its end, and returns its result or error.
func (v *versions) finished(code func(ctx context.Context) (string, error)) (string, error) {
	v.t.Helper()
	out, err := v.run(code)
	if err != nil {
		v.t.Fatal(err)
	}
	return strings.Trim(string(out.Result), `"`), out.Err
}

func (v *versions) kill(ctx context.Context) (string, error) {
	v.die(flowlite.ErrLeaseLost)
	return "", context.Cause(ctx)
}

func (v *versions) did(want ...string) {
	v.t.Helper()
	if !slices.Equal(v.effects, want) {
		v.t.Fatalf("effects %q, want %q", v.effects, want)
	}
}

func (v *versions) logged(text string) bool {
	v.t.Helper()
	if err := v.e.Close(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
	logs, err := v.store.Logs(v.t.Context(), &core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{v.id}}}, core.Page{})
	if err != nil {
		v.t.Fatal(err)
	}
	return slices.ContainsFunc(logs, func(l *core.Log) bool { return strings.Contains(l.Message, text) })
}

// choose waits for the run to be held, and answers.
func (v *versions) choose(choice string) *core.FlowRun {
	run, err := v.svc.FlowRun(v.t.Context(), v.id)
	for err == nil && run.StateType != core.Paused {
		run, err = v.svc.WaitFlowRun(v.t.Context(), v.id, run.StateID, 30)
	}
	if err != nil {
		v.t.Error(err)
		return run
	}
	res, err := v.svc.ResumeFlowRun(v.t.Context(), v.id, core.ToJSON(map[string]string{"choice": choice}))
	if err != nil || res.Status != core.Accept {
		v.t.Error(res, err)
	}
	return run
}

// effect is a task that notes each of its executions.
func effect[In any](v *versions, name string, opts ...flowlite.TaskOption) *flowlite.Task[In, string] {
	return flowlite.NewTask(name, func(_ context.Context, in In) (string, error) {
		v.effects = append(v.effects, name+" "+string(core.ToJSON(in)))
		return name + " " + string(core.ToJSON(in)), nil
	}, opts...)
}

type charge struct {
	Order string `json:"order"`
	Cents int    `json:"cents"`
}

type chargeWithCurrency struct {
	Currency string `json:"currency" jsonschema:"default=EUR"`
	Cents    int    `json:"cents"`
	Order    string `json:"order"`
}

func TestGrownInputReusesWhatWasDone(t *testing.T) {
	for name, currency := range map[string]string{"zero": "", "default": "EUR"} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, v *versions) {
				v.killed(func(ctx context.Context) (string, error) {
					if _, err := effect[charge](v, "charge").Run(ctx, charge{"a", 5}); err != nil {
						return "", err
					}
					return v.kill(ctx)
				})
				for range 2 {
					v.killed(func(ctx context.Context) (string, error) {
						if _, err := effect[chargeWithCurrency](v, "charge").Run(ctx, chargeWithCurrency{Order: "a", Cents: 5, Currency: currency}); err != nil {
							return "", err
						}
						return v.kill(ctx)
					})
				}
				v.did(`charge {"order":"a","cents":5}`)
				if !v.logged("reused the result") {
					t.Fatal("the log does not say so")
				}
			})
		})
	}
}

// Calls of the old and the new code come in any order, and one input is new.
func TestGrownInputsInAnyOrder(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.killed(func(ctx context.Context) (string, error) {
			if _, err := effect[charge](v, "charge", flowlite.MaxConcurrency(1)).Map(ctx, []charge{{"a", 1}, {"b", 1}, {"a", 1}}); err != nil {
				return "", err
			}
			return v.kill(ctx)
		})
		v.effects = nil
		in := func(order string) chargeWithCurrency { return chargeWithCurrency{Order: order, Cents: 1} }
		_, err := v.finished(func(ctx context.Context) (string, error) {
			_, err := effect[chargeWithCurrency](v, "charge", flowlite.MaxConcurrency(1)).
				Map(ctx, []chargeWithCurrency{in("new"), in("b"), in("a"), in("a"), in("a")})
			return "", err
		})
		if err != nil {
			t.Fatal(err)
		}
		v.did(`charge {"currency":"","cents":1,"order":"new"}`, `charge {"currency":"","cents":1,"order":"a"}`)
	})
}

// Code that did not change is never held, whatever other inputs it calls a task with.
func TestUnchangedInputTypeIsNeverHeld(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		type optional struct {
			ID  int            `json:"id"`
			Any map[string]any `json:"any"`
			Opt *charge        `json:"opt,omitempty"`
		}
		v.killed(func(ctx context.Context) (string, error) {
			if _, err := effect[optional](v, "t").Run(ctx, optional{ID: 1, Any: map[string]any{"n": 9007199254740993}}); err != nil {
				return "", err
			}
			return v.kill(ctx)
		})
		_, err := v.finished(func(ctx context.Context) (string, error) {
			task := effect[optional](v, "t")
			for _, in := range []optional{{ID: 1, Opt: &charge{}}, {ID: 1, Any: map[string]any{"n": 9007199254740992}}} {
				if _, err := task.Run(ctx, in); err != nil {
					return "", err
				}
			}
			return "", nil
		})
		if err != nil || len(v.effects) != 3 {
			t.Fatal(v.effects, err)
		}
	})
}

func TestChangedInputIsHeldForAChoice(t *testing.T) {
	for _, choice := range []string{"reuse", "run again", "fail"} {
		t.Run(choice, func(t *testing.T) {
			onEngines(t, func(t *testing.T, v *versions) {
				v.killed(func(ctx context.Context) (string, error) {
					if _, err := effect[charge](v, "charge").Run(ctx, charge{"a", 5}); err != nil {
						return "", err
					}
					return v.kill(ctx)
				})
				v.effects = nil
				edited := func(ctx context.Context) (string, error) {
					return effect[chargeWithCurrency](v, "charge").Run(ctx, chargeWithCurrency{Order: "a", Cents: 5, Currency: "USD"})
				}
				held := make(chan *core.FlowRun, 1)
				go func() { held <- v.choose(choice) }()
				var got string
				var err error
				if choice == "fail" {
					got, err = v.finished(edited)
				} else {
					// The choice outlives the process that asked.
					v.killed(func(ctx context.Context) (string, error) {
						if _, err := edited(ctx); err != nil {
							return "", err
						}
						return v.kill(ctx)
					})
					got, err = v.finished(edited)
				}
				run := <-held
				for _, part := range []string{"code no longer matches what was done", "task charge", `{"order":"a","cents":5}`, `"USD"`} {
					if m := core.Deref(run.State.Message); run.StateName != "Paused" || !strings.Contains(m, part) {
						t.Fatalf("%s: %q does not tell %q", run.StateName, m, part)
					}
				}
				const again = `charge {"currency":"USD","cents":5,"order":"a"}`
				switch choice {
				case "reuse":
					v.did()
				case "run again":
					v.did(again)
				case "fail":
					v.did()
					if !errors.Is(err, flowlite.ErrCodeChanged) {
						t.Fatal(got, err)
					}
				}
				if (err == nil) != (choice != "fail") || !v.logged("chosen: "+choice) {
					t.Fatal(got, err)
				}
			})
		})
	}
}

// An input that the new type cannot read at all is held, too.
func TestInputOfAnotherKindIsHeld(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.killed(func(ctx context.Context) (string, error) {
			if _, err := effect[string](v, "charge").Run(ctx, "a"); err != nil {
				return "", err
			}
			return v.kill(ctx)
		})
		go v.choose("reuse")
		got, err := v.finished(func(ctx context.Context) (string, error) {
			return effect[charge](v, "charge").Run(ctx, charge{Order: "a"})
		})
		if err != nil || !strings.Contains(got, `charge`) {
			t.Fatal(got, err)
		}
		v.did(`charge "a"`)
	})
}

func TestRenamedTaskReusesWhatWasDone(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		step := func(ctx context.Context, name string, opts ...flowlite.TaskOption) error {
			_, err := flowlite.Step(ctx, name, func(context.Context) (int, error) {
				v.effects = append(v.effects, name)
				return 0, nil
			}, opts...)
			return err
		}
		v.killed(func(ctx context.Context) (string, error) {
			if _, err := effect[charge](v, "charge").Run(ctx, charge{"a", 5}); err != nil {
				return "", err
			}
			if err := step(ctx, "mail"); err != nil {
				return "", err
			}
			return v.kill(ctx)
		})
		v.effects = nil
		_, err := v.finished(func(ctx context.Context) (string, error) {
			pay := effect[chargeWithCurrency](v, "pay", flowlite.Renamed("bill", "charge"))
			if _, err := pay.Run(ctx, chargeWithCurrency{Order: "a", Cents: 5}); err != nil {
				return "", err
			}
			return "", errors.Join(step(ctx, "send", flowlite.Renamed("mail")), step(ctx, "send", flowlite.Renamed("mail")))
		})
		if err != nil {
			t.Fatal(err)
		}
		v.did("send")
	})
}

func TestKeyByKeepsCallsThroughChanges(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.killed(func(ctx context.Context) (string, error) {
			if _, err := effect[charge](v, "charge").Run(ctx, charge{"a", 5}); err != nil {
				return "", err
			}
			return v.kill(ctx)
		})
		byOrder := flowlite.KeyBy(func(c chargeWithCurrency) string { return c.Order })
		_, err := v.finished(func(ctx context.Context) (string, error) {
			task := effect[chargeWithCurrency](v, "charge", byOrder)
			for _, order := range []string{"a", "b", "b"} {
				if _, err := task.Run(ctx, chargeWithCurrency{Order: order, Cents: 7, Currency: "USD"}); err != nil {
					return "", err
				}
			}
			return "", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		v.did(`charge {"order":"a","cents":5}`, `charge {"currency":"USD","cents":7,"order":"b"}`)
	})
}

// The parameters of a subflow are the input of its call.
func TestGrownParametersReuseTheSubflow(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.killed(func(ctx context.Context) (string, error) {
			bill := flowlite.NewFlow("bill", func(ctx context.Context, c charge) (string, error) { return effect[charge](v, "charge").Run(ctx, c) })
			if _, err := bill.Run(ctx, charge{"a", 5}); err != nil {
				return "", err
			}
			return v.kill(ctx)
		})
		got, err := v.finished(func(ctx context.Context) (string, error) {
			bill := flowlite.NewFlow("bill", func(ctx context.Context, c chargeWithCurrency) (string, error) {
				return effect[chargeWithCurrency](v, "charge").Run(ctx, c)
			})
			return bill.Run(ctx, chargeWithCurrency{Order: "a", Cents: 5})
		})
		if err != nil || got == "" {
			t.Fatal(got, err)
		}
		v.did(`charge {"order":"a","cents":5}`)
	})
}

// A call whose input is not stored is held if the type of the input changed.
func TestChangedInputThatIsNotStoredIsHeld(t *testing.T) {
	for name, order := range map[string]string{"large": strings.Repeat("x", 17<<10), "secret": "swordfish"} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, v *versions) {
				v.e.Hide("swordfish")
				v.killed(func(ctx context.Context) (string, error) {
					if _, err := effect[charge](v, "charge").Run(ctx, charge{order, 5}); err != nil {
						return "", err
					}
					return v.kill(ctx)
				})
				v.effects = nil
				held := make(chan *core.FlowRun, 1)
				go func() { held <- v.choose("reuse") }()
				_, err := v.finished(func(ctx context.Context) (string, error) {
					return effect[chargeWithCurrency](v, "charge").Run(ctx, chargeWithCurrency{Order: order, Cents: 5})
				})
				if err != nil {
					t.Fatal(err)
				}
				v.did()
				if m := core.Deref((<-held).State.Message); !strings.Contains(m, "is not stored") || strings.Contains(m, "swordfish") {
					t.Fatal(m)
				}
			})
		})
	}
}

// Other inputs of the same type are new calls, in whatever order they come.
func TestUnchangedInputThatIsNotStoredIsNeverHeld(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		large := func(order string) charge { return charge{order + strings.Repeat("x", 17<<10), 5} }
		code := func(after func(context.Context) (string, error), orders ...string) func(ctx context.Context) (string, error) {
			return func(ctx context.Context) (string, error) {
				for _, o := range orders {
					if _, err := effect[charge](v, "charge").Run(ctx, large(o)); err != nil {
						return "", err
					}
				}
				return after(ctx)
			}
		}
		v.killed(code(v.kill, "a"))
		if _, err := v.finished(code(func(context.Context) (string, error) { return "", nil }, "b", "a")); err != nil || len(v.effects) != 2 {
			t.Fatal(len(v.effects), err)
		}
	})
}
