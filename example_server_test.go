package flowlite_test

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/embed"
)

type greeting struct {
	Name string `json:"name" jsonschema:"default=world"`
}

// started is an App for an example that needs a server, and a context for it.
func started(flows ...flowlite.AnyFlow) (ctx context.Context, server *client.Client, stop func()) {
	home, err := os.MkdirTemp("", "flowlite-example")
	if err != nil {
		panic(err)
	}
	app, err := embed.New(embed.Config{Port: -1, NoUI: true, Home: home, AuthString: "admin:secret"}, flows...)
	if err == nil {
		err = app.Start(context.Background())
	}
	if err != nil {
		panic(err)
	}
	return app.Context(context.Background()), app.Client(), func() {
		_ = app.Stop(context.Background())
		_ = os.RemoveAll(home)
	}
}

func ExampleConnect() {
	_, server, stop := started()
	defer stop()
	connection, err := flowlite.Connect(server.URL(), flowlite.Auth("admin:secret"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := connection.Context(context.Background())
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	fmt.Println(hello.Run(ctx, greeting{"you"})) // in this program; stored by the server
	fmt.Println(connection.Close(ctx))
	// Output:
	// hello, you <nil>
	// <nil>
}

func ExampleClient() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	ctx, server, stop := started(hello)
	defer stop()
	api := flowlite.Client(server.URL(), flowlite.Auth("admin:secret"))
	d, err := api.DeploymentByName(ctx, "hello", "local")
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := api.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{Name: "mine"})
	for err == nil && !run.StateType.Final() {
		run, err = api.WaitFlowRun(ctx, run.ID, run.StateID, 30)
	}
	fmt.Println(run.Name, run.StateName, err)
	// Output: mine Completed <nil>
}

func ExampleRunDeployment() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	caller := flowlite.NewFlow("caller", func(ctx context.Context, _ struct{}) (string, error) {
		return flowlite.RunDeployment[string](ctx, "hello/local", greeting{"sub-flow"})
	})
	ctx, _, stop := started(hello, caller)
	defer stop()
	fmt.Println(flowlite.RunDeployment[string](ctx, "hello/local", nil))
	fmt.Println(flowlite.RunDeployment[string](ctx, "caller/local", nil))
	// Output:
	// hello, world <nil>
	// hello, sub-flow <nil>
}

func ExampleSubmitDeployment() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	all := flowlite.NewFlow("all", func(ctx context.Context, _ struct{}) (greetings []string, err error) {
		var runs []*flowlite.Run[string]
		for _, name := range []string{"Ada", "Grace"} { // both at once
			r, err := flowlite.SubmitDeployment[string](ctx, "hello/local", greeting{name})
			if err != nil {
				return nil, err
			}
			runs = append(runs, r)
		}
		for _, r := range runs {
			s, err := r.Get(ctx)
			if err != nil {
				return nil, err
			}
			greetings = append(greetings, s)
		}
		return greetings, nil
	})
	ctx, server, stop := started(hello, all)
	defer stop()
	run, err := flowlite.SubmitDeployment[[]string](ctx, "all/local", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, _ := core.ParseUUID(run.ID())
	row, err := server.FlowRun(ctx, id)
	fmt.Println(row.Name == run.Name(), err)
	fmt.Println(run.Get(ctx))
	// Output:
	// true <nil>
	// [hello, Ada hello, Grace] <nil>
}

func ExampleFlow_Deploy() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	ctx, server, stop := started()
	defer stop()
	err := hello.Deploy(ctx, flowlite.Deployment{Name: "weekdays", Cron: "0 9 * * 1-5", Timezone: "Europe/Berlin", Parameters: greeting{"Berlin"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := server.DeploymentByName(ctx, "hello", "weekdays")
	fmt.Println(string(d.Parameters), len(d.Schedules), err)
	// Output: {"name":"Berlin"} 1 <nil>
}

func ExampleFlow_Serve() {
	ctx, _, stopServer := started()
	defer stopServer()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var first sync.Once
	tick := flowlite.NewFlow("tick", func(context.Context, struct{}) (bool, error) {
		first.Do(func() {
			fmt.Println("tick")
			stop()
		})
		return true, nil
	})
	fmt.Println(tick.Serve(ctx, flowlite.Deployment{Name: "often", RRule: "FREQ=SECONDLY"}))
	// Output:
	// tick
	// <nil>
}

// named is the environment that a shell or a worker gives to a flow binary.
func named(server *client.Client) (undo func()) {
	_ = os.Setenv("FLOWLITE_API_URL", server.URL())
	_ = os.Setenv("FLOWLITE_AUTH_STRING", "admin:secret")
	return func() {
		_ = os.Unsetenv("FLOWLITE_API_URL")
		_ = os.Unsetenv("FLOWLITE_AUTH_STRING")
	}
}

func ExampleMain() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	_, server, stop := started()
	defer stop()
	defer named(server)()
	os.Args = []string{"hello", "run", "-p", "name=you"} // as a shell gives them
	flowlite.Main(hello)
	// Output: "hello, you"
}

func ExampleMainEntrypoints() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	_, server, stop := started()
	defer stop()
	defer named(server)()
	os.Args = []string{"hello", "run", "Hello", "-p", "name=you"}
	flowlite.MainEntrypoints(map[string]flowlite.AnyFlow{"Hello": hello})
	// Output: "hello, you"
}
