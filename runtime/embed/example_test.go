package embed_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
)

type greeting struct {
	Name string `json:"name" jsonschema:"default=world"`
}

func ExampleNew() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	home, _ := os.MkdirTemp("", "flowlite")
	defer os.RemoveAll(home)
	app, err := embed.New(embed.Config{Port: -1, Home: home}, hello)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	ctx := app.Context(context.Background())
	fmt.Println(hello.Run(ctx, greeting{"me"})) // in this goroutine; stored by the App
	fmt.Println(flowlite.RunDeployment[string](ctx, "hello/local", greeting{"you"}))
	fmt.Println(app.Stop(context.Background()))
	// Output:
	// hello, me <nil>
	// hello, you <nil>
	// <nil>
}

func ExampleApp_Client() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	home, _ := os.MkdirTemp("", "flowlite")
	defer os.RemoveAll(home)
	app, err := embed.New(embed.Config{Port: -1, Home: home, AuthString: "admin:secret"}, hello)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())
	d, err := app.Client().DeploymentByName(context.Background(), "hello", "local")
	fmt.Println(d.Name, err)
	// From elsewhere the credentials are passed along.
	d, err = flowlite.Client(app.URL(), flowlite.Auth("admin:secret")).DeploymentByName(context.Background(), "hello", "local")
	fmt.Println(d.Name, err)
	// Output:
	// local <nil>
	// local <nil>
}

func ExampleUp() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var first sync.Once
	tick := flowlite.NewFlow("tick", func(context.Context, struct{}) (bool, error) {
		first.Do(func() {
			fmt.Println("up and running")
			stop() // a program would use signal.NotifyContext
		})
		return true, nil
	}, flowlite.Deploys(flowlite.Deployment{Name: "soon", RRule: "FREQ=SECONDLY"}))
	home, _ := os.MkdirTemp("", "flowlite")
	defer os.RemoveAll(home)
	fmt.Println(embed.Up(ctx, embed.Config{Port: -1, Home: home}, tick))
	// Output:
	// up and running
	// <nil>
}

func ExampleApp_Handler() {
	home, _ := os.MkdirTemp("", "flowlite")
	defer os.RemoveAll(home)
	app, err := embed.New(embed.Config{
		NoListen: true, BasePath: "/admin/flows", Home: home,
		// A program asks its session here.
		Identity: func(r *http.Request) (string, bool) { return r.Header.Get("User"), r.Header.Get("User") != "" },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())
	mux := http.NewServeMux()
	mux.Handle("/admin/flows/", app.Handler())
	for _, user := range []string{"", "ada"} {
		r := httptest.NewRequest(http.MethodGet, "/admin/flows/dashboard", nil)
		r.Header.Set("User", user)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 401
	// 200
}

func ExampleInMemory() {
	hello := flowlite.NewFlow("hello", func(_ context.Context, g greeting) (string, error) { return "hello, " + g.Name, nil })
	ctx, stop := embed.InMemory(context.Background())
	defer stop()
	fmt.Println(hello.Run(ctx, greeting{"you"})) // stored until stop
	// Output: hello, you <nil>
}

func ExampleApp_Migrate() {
	home, _ := os.MkdirTemp("", "flowlite")
	defer os.RemoveAll(home)
	app, err := embed.New(embed.Config{Home: home})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(app.Migrate(context.Background())) // as a step of a deploy, before Start
	// Output: <nil>
}
