package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
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

	input     core.JSON
	formerKey string        // set: the row is of earlier code; the key that today's code gives it
	clash     *core.TaskRun // a completed call that may be this one
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
	key, input, given, err := t.key(in)
	if err != nil {
		return nil, err
	}
	id := ident{task: t.Name, key: key}
	if err := cmp.Or(core.MaxTaskKey.Check(t.Name), core.MaxTaskDynamicKey.Check(id.key)); err != nil {
		return nil, Permanent(fmt.Errorf("task %s: %w", t.Name, err))
	}
	c := &taskCall{r: r, t: t, in: in, input: input}
	r.mu.Lock()
	defer r.mu.Unlock()
	if given {
		if c.twin = r.keyed[id]; c.twin != nil {
			return c, nil
		}
		c.twin, c.first = &keyedCall{done: make(chan struct{})}, true
		r.keyed[id] = c.twin
	} else {
		n := r.occurs[id]
		r.occurs[id] = n + 1
		id.key = numberedKey(id.key, n)
	}
	c.n = r.names[t.Name]
	r.names[t.Name]++
	old := r.prior[id]
	if old == nil {
		if old, c.clash = r.formerly(t, id, input); old != nil {
			c.formerKey = t.Name + "/" + id.key
		}
	}
	if old != nil {
		r.matched[old.ID] = true
		c.row, c.prior = old, r.settled(old)
		if c.prior == nil && old.StateType.Final() {
			old.RunCount = 0
		}
		return c, nil
	}
	if c.clash != nil {
		r.matched[c.clash.ID] = true
	}
	now := r.e.clock.Now()
	o := t.Options
	c.row = &core.TaskRun{ID: core.NewID(), Created: now, Updated: now, Name: t.Name + "-" + strconv.Itoa(c.n),
		FlowRunID: r.rec.ID, TaskKey: t.Name, DynamicKey: id.key, Tags: o.Tags, Labels: core.JSON("{}"),
		TaskInputs: waitFor(o.After), FlowRunRunCount: r.rec.RunCount, ExpectedStartTime: now}
	if !given {
		c.row.Labels = r.kept(t, input)
	}
	if o.Retry.Max > 0 {
		d, _ := o.Retry.delay(nil, 1)
		c.row.EmpiricalPolicy = core.TaskRunPolicy{Retries: core.Ptr(int64(o.Retry.Max)), RetryDelay: core.ToJSON(d.Seconds())}
	}
	return c, nil
}

// key returns what a call with this input is known by, the encoding of the
// input, and whether the code gave the key.
func (t *Task) key(in any) (key string, input core.JSON, given bool, err error) {
	if t.Options.Key != "" || t.NoInput {
		return t.Options.Key, nil, t.Options.Key != "", nil
	}
	if t.Options.KeyBy != nil {
		if key, err = t.keyBy(in); err != nil {
			return "", nil, false, Permanent(fmt.Errorf("task %s: its key: %w", t.Name, err))
		}
	}
	input, err = json.Marshal(in)
	switch {
	case key != "":
		return key, input, true, nil
	case err != nil:
		return "", nil, false, Permanent(fmt.Errorf("task %s: its input cannot be encoded as JSON: %w", t.Name, inputError(err)))
	}
	return digest(input), input, false, nil
}

func (t *Task) keyBy(in any) (key string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return t.Options.KeyBy(in), nil
}

func digest(input core.JSON) string {
	sum := sha256.Sum256(input)
	return hex.EncodeToString(sum[:8])
}

// numberedKey is the key of the n-th call with the same input.
func numberedKey(key string, n int) string {
	if key != "" {
		key += "-"
	}
	return key + strconv.Itoa(n)
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
	key := s.task.FlowRunID.String() + "/" + s.task.TaskKey + "/" + s.task.DynamicKey
	if s.run.undone > 0 {
		key += "/" + strconv.Itoa(s.run.undone) // what was undone is done once more
	}
	return key
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
