package flowlite_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/flowlite/flowlite"
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
	t.Setenv("FLOWLITE_API_URL", app.URL()+"/api")
	t.Cleanup(func() { flowlite.Use(nil) })
	flowlite.Use(flowlite.Client(app.URL() + "/api"))
	got, err := flowlite.RunDeployment[int](t.Context(), "twice/local", map[string]int{"N": 21})
	if err != nil || got != 42 {
		t.Error(got, err)
	}
	if err := app.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
