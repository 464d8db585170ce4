package flowlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Markdown leaves a text with the run, shown in the UI. The key, which may be
// empty, gives it a history over runs: lower-case letters, digits and dashes.
//
// An artifact is a recorded call, as a task is: a process that continues the run
// finds it and writes nothing. A retry whose content differs updates it.
func Markdown(ctx context.Context, key, text string) error {
	return artifact(ctx, "markdown", key, "", text)
}

// Table leaves rows with the run: a slice of structs or of maps.
func Table(ctx context.Context, key string, rows any) error {
	b, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("table %s: %w", key, err)
	}
	return artifact(ctx, "table", key, "", string(b))
}

// Link leaves a link with the run, in Prefect's form of one: an artifact of
// type markdown that is [text](url). Without text the link shows its url.
func Link(ctx context.Context, key, url, text string) error {
	if text == "" {
		text = url
	}
	return artifact(ctx, "markdown", key, text, "["+text+"]("+url+")")
}

func artifact(ctx context.Context, kind, key, description string, data any) error {
	o, err := orchestrator(ctx)
	if err != nil {
		return err
	}
	_, err = engine.Artifact(ctx, o, kind, key, description, data)
	return err
}

// Progress leaves a bar with the run; set moves it, from 0 to 100. A replay moves it
// only where the code goes on beyond what it has set before.
func Progress(ctx context.Context, key string, percent float64) (set func(percent float64) error, err error) {
	o, err := orchestrator(ctx)
	if err != nil {
		return nil, err
	}
	a, err := engine.Artifact(ctx, o, "progress", key, "", percent)
	if err != nil {
		return nil, err
	}
	return engine.ArtifactUpdates(ctx, o, a, func(p float64) any { return min(100, max(0, p)) }), nil
}

// Variable reads a variable of the server.
func Variable[T any](ctx context.Context, name string) (v T, err error) {
	o, err := orchestrator(ctx)
	if err != nil {
		return v, err
	}
	rec, err := o.VariableByName(ctx, name)
	if core.IsNotFound(err) {
		return v, fmt.Errorf("there is no variable %q; set it in the UI or by the CLI: %w", name, err)
	}
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(rec.Value, &v); err != nil {
		return v, fmt.Errorf("variable %q is no %T: %w", name, v, err)
	}
	return v, nil
}

// Emit sends an event about the run around ctx. The n-th event of a name and payload
// is sent once by a flow, and once by a call of a task, however often the code runs.
func Emit(ctx context.Context, event string, payload any) error {
	o, err := orchestrator(ctx)
	if err != nil {
		return err
	}
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("event %s: %w", event, err)
	}
	return engine.Emit(ctx, o, event, b)
}
