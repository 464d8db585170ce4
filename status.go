package flowlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// SetStatus sets the value of a key of the run that ctx belongs to, for others to
// read with [StatusOf], over HTTP, from the command line, and in the UI. It returns
// when the value is durable. The last value of a key stays, also after the run's end.
//
// A process that continues the run repeats the flow's code, but sets nothing again:
// the n-th call for a key that the flow, or a call of a task, makes counts once in an
// attempt. A retry of the run or of the task is a new attempt, and sets again.
//
// A key consists of letters, digits, dots, dashes, and underscores. A value has at
// most 64 KiB of JSON, a run at most 100 keys. Beyond that, the error is ErrInvalid.
func SetStatus(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		err = core.Errorf(core.EInvalid, "the value cannot be encoded as JSON: %w", err)
	} else {
		err = engine.SetStatus(ctx, key, b)
	}
	if err != nil {
		return fmt.Errorf("set status %s: %w", core.ShellWord(core.CutText(key, 100)), sentinel(err))
	}
	return nil
}

// StatusOf returns the last value that the run with this ID has set under key, while
// it executes, is suspended, or has ended. It is for code outside of runs. The error
// is ErrNotFound if there is no such run, or if it has not set the key.
func StatusOf[T any](ctx context.Context, on Runner, id, key string) (v T, err error) {
	o, err := outside(ctx, on)
	if err == nil {
		var run *core.FlowRun
		if run, err = find(ctx, o, id); err == nil {
			err = statusOf(ctx, o, run.ID, key, &v)
		}
	}
	if err != nil {
		return v, fmt.Errorf("status %s of run %s: %w", core.ShellWord(core.CutText(key, 100)), id, sentinel(err))
	}
	return v, nil
}

// StatusOf decodes the last value that the run has set under key into the value that
// into points to. ErrNotFound if it has not set the key.
func (r *Run[R]) StatusOf(ctx context.Context, key string, into any) error {
	return r.fault("status of", statusOf(ctx, r.s.Orchestrator(), r.s.Run.ID, key, into))
}

func statusOf(ctx context.Context, o core.FlowRunOrchestrator, id core.UUID, key string, into any) error {
	s, err := o.FlowRunStatus(ctx, id, key)
	if err != nil {
		return err
	}
	if err := core.Unmarshal(s.Value, into); err != nil {
		return fmt.Errorf("the status %s does not fit %T: %w", key, into, err)
	}
	return nil
}
