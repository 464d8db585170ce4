package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// ErrCodeChanged is the error of a call that a person chose to fail, because
// the code no longer matches what was done.
var ErrCodeChanged = errors.New("code no longer matches what was done")

// maxKeptInput is how large an input can be that is stored with its call.
const maxKeptInput = 16 << 10

// edits holds the calls of one task that an earlier version of the code made
// with an input that today's code encodes differently.
type edits struct {
	moved   map[string]*core.TaskRun // by the key of the same input today
	changed []*core.TaskRun          // completed, with an input of another shape
	unknown []*core.TaskRun          // completed, with an input of another type that is not stored
}

// kept returns the labels of a call with this input: the input or, if it is too
// large or contains a secret, its type.
func (r *run) kept(t *Task, input core.JSON) core.JSON {
	text := string(input)
	switch {
	case text == "":
		return core.JSON("{}")
	case len(text) > maxKeptInput || r.e.hide(text) != text:
		if t.InputType == nil {
			return core.JSON("{}")
		}
		return core.ToJSON(map[string]string{core.InputTypeLabel: t.InputType()})
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return core.JSON("{}")
	}
	return slices.Concat(core.JSON(`{"`+t.inputLabel()+`":`), quoted, core.JSON("}"))
}

func (t *Task) inputLabel() string {
	if t.Subflow {
		return core.ParametersLabel
	}
	return core.InputLabel
}

func (t *Task) keptInput(row *core.TaskRun) core.JSON {
	s, _ := row.Labels.Map()[t.inputLabel()].(string)
	return core.JSON(s)
}

// formerly finds the call id among the calls of earlier versions of the code:
// those of a task's former names, and those whose input has the same meaning
// in today's type. A call without one is new, unless a completed call could be
// the same call with an input that changed its shape: that one is the clash.
// r.mu is held.
func (r *run) formerly(t *Task, id ident, input core.JSON) (row, clash *core.TaskRun) {
	if len(r.prior) == 0 {
		return nil, nil
	}
	names := append([]string{t.Name}, t.Options.Renamed...)
	for _, name := range names[1:] {
		if row := r.prior[ident{name, id.key}]; row != nil && !r.matched[row.ID] {
			return row, nil
		}
	}
	if t.Decode == nil || t.NoInput || t.Options.Key != "" {
		return nil, nil
	}
	for _, name := range names {
		e := r.editsOf(t, name)
		if row := e.moved[id.key]; row != nil && !r.matched[row.ID] {
			return row, nil
		}
	}
	for _, name := range names {
		for _, row := range r.editsOf(t, name).changed {
			if !r.matched[row.ID] && r.settled(row) != nil && resembles(t.keptInput(row), input) {
				return nil, row
			}
		}
	}
	for _, name := range names {
		for _, row := range r.editsOf(t, name).unknown {
			if !r.matched[row.ID] && r.settled(row) != nil {
				return nil, row
			}
		}
	}
	return nil, nil
}

// editsOf is made once per attempt and task, when the first call of the task
// has no exact match.
func (r *run) editsOf(t *Task, name string) *edits {
	kind := ident{t.inputLabel(), name} // a subflow and a task can have one name
	if e := r.edits[kind]; e != nil {
		return e
	}
	var rows []*core.TaskRun
	for id, row := range r.prior {
		if id.task == name {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *core.TaskRun) int {
		return cmp.Or(cmp.Compare(ordinal(a.Name), ordinal(b.Name)), cmp.Compare(a.Created, b.Created))
	})
	e := &edits{moved: map[string]*core.TaskRun{}}
	for _, row := range rows {
		e.add(t, row)
	}
	r.edits[kind] = e
	return e
}

// add files a call that today's code cannot make any more. If today's type
// encodes the input as it is stored, a later call can still match it exactly.
func (e *edits) add(t *Task, row *core.TaskRun) {
	stored := t.keptInput(row)
	kind, _ := row.Labels.Map()[core.InputTypeLabel].(string)
	if kind != "" && t.InputType != nil && row.StateType == core.Completed && kind != t.InputType() {
		e.unknown = append(e.unknown, row)
	}
	if len(stored) == 0 || !strings.HasPrefix(row.DynamicKey, digest(stored)+"-") {
		return // the call's key was given by the code
	}
	values, err := t.Decode(stored)
	if err != nil {
		if row.StateType == core.Completed {
			e.changed = append(e.changed, row)
		}
		return
	}
	for i, v := range values {
		key, today, given, err := t.key(v)
		switch {
		case err != nil, i == 0 && bytes.Equal(today, stored) && !given:
			return
		case i == 0 && !given && !sameShape(stored, today) && row.StateType == core.Completed:
			e.changed = append(e.changed, row)
		}
		e.move(row, key, !given)
	}
}

func (e *edits) move(row *core.TaskRun, key string, numbered bool) {
	for n := 0; ; n++ {
		k := key
		if numbered {
			k = numberedKey(key, n)
		}
		if other := e.moved[k]; other == nil {
			e.moved[k] = row
			return
		} else if other == row || !numbered {
			return
		}
	}
}

// ordinal is the number at the end of a task run's name.
func ordinal(name string) int {
	n, _ := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	return n
}

// sameShape tells whether two JSON values have the same fields and kinds.
func sameShape(a, b core.JSON) bool {
	return walk(a, b, func(x, y any) bool { return kind(x) == kind(y) }, true)
}

// resembles tells whether what two inputs have in common is equal.
func resembles(a, b core.JSON) bool {
	return walk(a, b, func(x, y any) bool { return kind(x) != kind(y) || x == y }, false)
}

func walk(a, b core.JSON, leaf func(x, y any) bool, allFields bool) bool {
	x, err := numbers(a)
	y, err2 := numbers(b)
	return err == nil && err2 == nil && walkValue(x, y, leaf, allFields)
}

func walkValue(x, y any, leaf func(x, y any) bool, allFields bool) bool {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok {
			return leaf("object", nil)
		}
		for name, v := range x {
			w, ok := y[name]
			if ok && !walkValue(v, w, leaf, allFields) || !ok && allFields {
				return false
			}
		}
		return !allFields || len(x) == len(y)
	case []any:
		y, ok := y.([]any)
		if !ok {
			return leaf("array", nil)
		}
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if !walkValue(x[i], y[i], leaf, allFields) {
				return false
			}
		}
		return true
	}
	switch y.(type) {
	case map[string]any, []any:
		return leaf(nil, "other")
	}
	return leaf(x, y)
}

func kind(v any) string { return fmt.Sprintf("%T", v) }

func numbers(b core.JSON) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return v, d.Decode(&v)
}

// What a person can choose for a call that the code no longer matches.
const (
	chooseReuse = "reuse"
	chooseAgain = "run again"
	chooseFail  = "fail"
)

// HeldKey begins the keys of pauses that ask for such a choice.
const HeldKey = "code-"

const choices = `{"title":"Choice","type":"object","properties":{"choice":{"title":"Choice","type":"string",` +
	`"enum":["reuse","run again","fail"],"description":"reuse: take the stored result; run again: execute the call; fail: the call fails"}},` +
	`"required":["choice"]}`

// settleIdentity says in the run's log that the call is one of an earlier
// version of the code. Where that is not certain, a person chooses.
func (c *taskCall) settleIdentity(ctx context.Context) error {
	ctx = withScope(ctx, &scope{run: c.r})
	if c.formerKey != "" {
		what := "continued the call"
		if c.prior != nil {
			what = "reused the result of the call"
		}
		c.r.e.say(ctx, slog.LevelInfo, fmt.Sprintf("task run %s: %s that earlier code made; its key is %s/%s, that of today's code %s",
			c.row.Name, what, c.row.TaskKey, c.row.DynamicKey, c.formerKey))
	}
	if c.clash == nil {
		return nil
	}
	choice, err := c.choose(ctx)
	if err != nil {
		return err
	}
	c.r.e.say(ctx, slog.LevelInfo, fmt.Sprintf("task run %s: %v; chosen: %s", c.clash.Name, ErrCodeChanged, choice))
	switch choice {
	case chooseReuse:
		c.row, c.prior = c.clash, c.clash.State
	case chooseFail:
		return Permanent(fmt.Errorf("task %s: %w: its call %s is now %s", c.t.Name, ErrCodeChanged, c.clash.DynamicKey, c.row.DynamicKey))
	}
	return nil
}

// shown is an input as far as a person needs it to choose.
func shown(input core.JSON) string {
	if len(input) == 0 {
		return "that is not stored (it is larger than 16 KiB or contains a secret)"
	}
	return core.CutText(string(input), 200)
}

// choose pauses the run until a person chooses. The choice is stored as the
// pause's input, so that a later process does not ask again. A choice to fail
// counts for one attempt: a retry asks again.
func (c *taskCall) choose(ctx context.Context) (string, error) {
	r := c.r
	release, err := r.slot(ctx, "choice of a person", 1)
	if err != nil {
		return "", err
	}
	defer release()
	text := fmt.Sprintf("%v: task %s was completed as the call %s with the input %s; today's code calls it as %s with the input %s. "+
		"Choose: reuse its result, run it again, or fail.", ErrCodeChanged, c.t.Name,
		c.clash.DynamicKey, shown(c.t.keptInput(c.clash)), c.row.DynamicKey, shown(c.input))
	for n := 0; ; n++ {
		a := Ask{Key: fmt.Sprintf(HeldKey+"%s-%s-%d", safeName(c.t.Name), safeName(c.row.DynamicKey), n), Description: text,
			Schema: core.JSON(choices), Timeout: noTimeout}
		p := &pause{r: r, Ask: a, prefix: "paused-" + a.Key}
		v, old, err := p.answer()
		if err == nil && !old {
			v, err = p.wait(ctx)
		}
		if err != nil {
			return "", err
		}
		var given struct {
			Choice string `json:"choice"`
		}
		_ = json.Unmarshal(v, &given)
		if given.Choice == "" || old && given.Choice == chooseFail {
			continue
		}
		return given.Choice, nil
	}
}
