package embed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/embed"
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

func (o *output) lines() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Count(o.b.Bytes(), []byte("of the flow"))
}

// The logger of the program stays its own. What it logs within a run is in the
// run's log once the program has installed LogHandler, and once only, by Logger, too.
func TestLogsOfAProgram(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	flow := flowlite.NewFlow("logs", func(ctx context.Context, _ struct{}) (string, error) {
		slog.InfoContext(ctx, "slog of the flow")
		flowlite.Logger(ctx).Info("Logger of the flow")
		return flowlite.Current(ctx).RunID, nil
	})
	app := startApp(t, embed.Config{}, flow)
	ctx := app.Context(t.Context())
	for _, c := range []struct {
		name    string
		install func(slog.Handler) slog.Handler
		want    []string
	}{
		{"own handler", func(h slog.Handler) slog.Handler { return h }, []string{"Logger of the flow"}},
		{"LogHandler", flowlite.LogHandler, []string{"slog of the flow", "Logger of the flow"}},
		{"LogHandler twice", func(h slog.Handler) slog.Handler { return flowlite.LogHandler(flowlite.LogHandler(h)) },
			[]string{"slog of the flow", "Logger of the flow"}},
	} {
		own := &output{}
		logger := slog.New(c.install(slog.NewTextHandler(own, nil)))
		slog.SetDefault(logger)
		id, err := flow.Run(ctx, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if slog.Default() != logger {
			t.Errorf("%s: the program's default logger was replaced", c.name)
		}
		if n := own.lines(); n != 2 {
			t.Errorf("%s: the program's handler has %d lines, want 2", c.name, n)
		}
		var lines []struct{ Message string }
		text, err := app.Client().Raw(ctx, "POST", "/logs/filter", map[string]any{"logs": map[string]any{"flow_run_id": map[string]any{"any_": []string{id}}}})
		if err == nil {
			err = json.Unmarshal(text, &lines)
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range lines {
			got = append(got, l.Message)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the run's log has %q, want %q", c.name, got, c.want)
		}
	}
}
