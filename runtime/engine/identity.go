package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// taskCall is one call of a task: its row, and what its outcome is kept under.
type taskCall struct {
	r     *run
	t     *Task
	in    any
	row   *core.TaskRun
	n     int         // the how-manieth call of that task in the run
	prior *core.State // set: the outcome is known
	twin  *keyedCall
	first bool // of the calls with the same key
}

// keyedCall lets calls that share a key share the outcome, too.
type keyedCall struct {
	done  chan struct{}
	value core.JSON
	err   error
}

// identify gives a call its identity. It is done in the order of the calls,
// before anything runs at once.
func (r *run) identify(t *Task, in any) (*taskCall, error) {
	id := ident{task: t.Name, key: t.Options.Key}
	if id.key == "" && !t.NoInput {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, Permanent(fmt.Errorf("task %s: its input cannot be encoded as JSON: %w", t.Name, inputError(err)))
		}
		sum := sha256.Sum256(b)
		id.key = hex.EncodeToString(sum[:8])
	}
	if err := cmp.Or(core.MaxTaskKey.Check(t.Name), core.MaxTaskDynamicKey.Check(id.key)); err != nil {
		return nil, Permanent(fmt.Errorf("task %s: %w", t.Name, err))
	}
	c := &taskCall{r: r, t: t, in: in}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.Options.Key != "" {
		if c.twin = r.keyed[id]; c.twin != nil {
			return c, nil
		}
		c.twin, c.first = &keyedCall{done: make(chan struct{})}, true
		r.keyed[id] = c.twin
	} else {
		n := r.occurs[id]
		r.occurs[id] = n + 1
		if id.key != "" {
			id.key += "-"
		}
		id.key += strconv.Itoa(n)
	}
	c.n = r.names[t.Name]
	r.names[t.Name]++
	if old := r.prior[id]; old != nil {
		c.row, c.prior = old, r.settled(old)
		if c.prior == nil && old.StateType.Final() {
			old.RunCount = 0
		}
		return c, nil
	}
	now := r.e.clock.Now()
	o := t.Options
	c.row = &core.TaskRun{ID: core.NewID(), Created: now, Updated: now, Name: t.Name + "-" + strconv.Itoa(c.n),
		FlowRunID: r.rec.ID, TaskKey: t.Name, DynamicKey: id.key, Tags: o.Tags, Labels: core.JSON("{}"),
		TaskInputs: waitFor(o.After), FlowRunRunCount: r.rec.RunCount, ExpectedStartTime: now}
	if o.Retry.Max > 0 {
		d, _ := o.Retry.delay(nil, 1)
		c.row.EmpiricalPolicy = core.TaskRunPolicy{Retries: core.Ptr(int64(o.Retry.Max)), RetryDelay: core.ToJSON(d.Seconds())}
	}
	return c, nil
}

// inputError names the place of the value that JSON has no form for.
func inputError(err error) error {
	if e, ok := errors.AsType[*json.UnsupportedTypeError](err); ok {
		return fmt.Errorf("a field of type %s has no JSON form", e.Type)
	}
	return err
}

func waitFor(futures []*Future) core.JSON {
	if len(futures) == 0 {
		return core.JSON("{}")
	}
	type edge struct {
		Type string    `json:"input_type"`
		ID   core.UUID `json:"id"`
	}
	var edges []edge
	for _, f := range futures {
		if id := f.TaskRunID(); !id.IsZero() {
			edges = append(edges, edge{"task_run", id})
		}
	}
	return core.ToJSON(map[string]any{"wait_for": edges})
}

// IdempotencyKey is the same for every attempt of the task around ctx, in
// whatever process; for the flow itself it is the run's id.
func IdempotencyKey(ctx context.Context) string {
	s := scopeOf(ctx)
	switch {
	case s == nil:
		return ""
	case s.task == nil:
		return s.run.rec.ID.String()
	}
	return s.task.FlowRunID.String() + "/" + s.task.TaskKey + "/" + s.task.DynamicKey
}

// maxFileName is how much of a name becomes part of a file name.
const maxFileName = 100

func safeName(s string) string {
	if len(s) > maxFileName {
		sum := sha256.Sum256([]byte(s))
		s = s[:maxFileName] + "-" + hex.EncodeToString(sum[:8])
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}
