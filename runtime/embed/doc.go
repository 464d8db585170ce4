// Package embed runs a whole flowlite within a Go program: API, UI, background
// services, and a worker that executes the program's own flows.
//
//	app, err := embed.New(embed.Config{}, Adder)
//	if err != nil {
//		return err
//	}
//	if err := app.Start(ctx); err != nil {
//		return err
//	}
//	defer app.Stop(context.Background())
//	sum, err := Adder.Run(app.Context(ctx), AdderParams{A: 1, B: 2})
//
// A context of [App.Context] takes Flow.Run, RunDeployment, Variable, and the
// rest of package flowlite to the App, directly and not over HTTP. One of
// [InMemory] takes them to a store that lasts until the program stops it.
package embed
