package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// errEnded is the error of calls that a flow makes when its code runs only to
// register its undos again.
var errEnded = fmt.Errorf("the flow has ended and its undos run: %w", ErrCancelled)

// undo is what Compensate registered.
type undo struct {
	name string
	row  *core.TaskRun // of the registration
	o    TaskOptions
	fn   func(context.Context) error // nil: today's code has not registered it
}

// ending is how a flow ended whose undos run. The row is live until they are done.
type ending struct {
	row     *core.TaskRun
	state   core.StateCreate
	attempt int64
}

// compensationTask names the call that stores the ending of an attempt.
const compensationTask = "flowlite: undos"

// Own tells whether the engine itself made the task run for a flow's undos.
func Own(row *core.TaskRun) bool {
	return row.TaskKey == compensationTask || strings.HasPrefix(row.TaskKey, undoTask) || strings.HasPrefix(row.TaskKey, core.CompensateTask)
}

// undoTask begins the names of the tasks that undo.
const undoTask = "undo "

// undoRetry is the retry of undos that have none of their own.
var undoRetry = Retry{Max: 4, Base: time.Second, Cap: 30 * time.Second}

// Compensate registers an undo of the flow around ctx. It returns once the
// registration is durable, also where ctx is cancelled.
func Compensate(ctx context.Context, name string, o TaskOptions, fn func(context.Context) error) error {
	s := scopeOf(ctx)
	if s == nil || s.task != nil {
		return errors.New("Compensate registers an undo of a flow; call it in the flow, not in a task or outside of a run")
	}
	r := s.run
	if err := left(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	undoing := r.undoing
	r.mu.Unlock()
	if undoing {
		return errEnded
	}
	c, err := r.identify(&Task{Name: core.CompensateTask + name, NoInput: true}, nil)
	if err != nil {
		return err
	}
	if c.prior == nil {
		if err := r.endWoken(); err != nil {
			return err
		}
		p := core.StateCreate{Type: core.Completed, Name: "Registered", Data: core.JSON(`{"type":"flowlite","value":null}`)}
		if err := c.save(c.state(p)); err != nil {
			return err
		}
	}
	if o.Retry.Max == 0 {
		o.Retry = undoRetry
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.undos = slices.DeleteFunc(r.undos, func(u *undo) bool { return u.row.ID == c.row.ID })
	r.undos = append(r.undos, &undo{name: name, row: c.row, o: o, fn: fn})
	return nil
}

// readEnding finds out whether the flow has ended before and its undos are not
// done, and what was undone: outcomes from before that do not count any more.
func (r *run) readEnding() {
	r.ended, r.undone = nil, 0
	var undone core.Time
	for id, row := range r.prior {
		if id.task != compensationTask || row.State == nil || row.State.Timestamp < r.fresh {
			continue
		}
		text, _ := row.Labels.Map()[core.EndingLabel].(string)
		e := ending{row: row}
		attempt, err := strconv.ParseInt(id.key, 10, 64)
		if err != nil || json.Unmarshal([]byte(text), &e.state) != nil {
			continue // a task of this name
		}
		e.attempt = attempt
		if row.StateType != core.Completed || attempt == r.rec.RunCount {
			r.ended = &e
			continue
		}
		r.undone++
		undone = max(undone, row.State.Timestamp+1)
	}
	r.fresh = max(r.fresh, undone)
	if r.ended != nil {
		r.replayFrom = max(1, r.ended.attempt)
	}
}

// compensate runs what Compensate registered before the run enters its final
// state c, and returns the state that tells what was undone.
func (r *run) compensate(ctx context.Context, c core.StateCreate) (core.StateCreate, error) {
	r.mu.Lock()
	list := r.registered()
	r.undoing = true
	r.mu.Unlock()
	if len(list) == 0 && r.ended == nil {
		return c, nil
	}
	r.root.mu.Lock()
	r.root.cancelAt = nil
	r.root.mu.Unlock()
	ctx, stop := r.undoContext(ctx)
	defer stop()
	e, err := r.storeEnding(c)
	if err != nil {
		return c, err
	}
	c = e.state
	r.e.say(ctx, slog.LevelInfo, fmt.Sprintf("the flow ended: %s; undos to run: %d", core.Deref(c.Message), len(list)))
	var done, failed []string
	for _, u := range list {
		err := r.undo(ctx, u)
		if gone := left(ctx); gone != nil {
			return c, gone
		}
		if leaves(err) {
			return c, err
		}
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s (%s)", u.name, text(err)))
			continue
		}
		done = append(done, u.name)
	}
	if err := left(ctx); err != nil {
		return c, err
	}
	call := &taskCall{r: r, row: e.row}
	if err := call.save(call.state(core.StateCreate{Type: core.Completed, Data: core.JSON(`{"type":"flowlite","value":null}`)})); err != nil {
		return c, err
	}
	m := core.Deref(c.Message)
	if len(done) > 0 {
		m += "; undone: " + listed(done)
	}
	if len(failed) > 0 {
		m += "; not undone: " + listed(failed)
		c.Name = core.NameUndoFailed
	}
	c.Message = &m
	return c, nil
}

// registered returns the undos in the order in which they run. Those that an
// earlier process registered and this one did not have no code. r.mu is held.
func (r *run) registered() []*undo {
	list := slices.Clone(r.undos)
	for id, row := range r.prior {
		name, ok := strings.CutPrefix(id.task, core.CompensateTask)
		if !ok || r.settled(row) == nil || slices.ContainsFunc(list, func(u *undo) bool { return u.row.ID == row.ID }) {
			continue
		}
		list = append(list, &undo{name: name, row: row, o: TaskOptions{}})
	}
	slices.SortFunc(list, func(a, b *undo) int {
		return cmp.Or(cmp.Compare(b.row.State.Timestamp, a.row.State.Timestamp), cmp.Compare(b.row.DynamicKey, a.row.DynamicKey))
	})
	return list
}

// undoContext outlives cancellation and time-out of ctx. It ends where the run
// is to be continued elsewhere or later.
func (r *run) undoContext(ctx context.Context) (context.Context, func()) {
	inner, end := context.WithCancelCause(withScope(context.WithoutCancel(ctx), &scope{run: r}))
	leave := func(cause error) {
		if leaves(cause) {
			end(cause)
		}
	}
	stop := context.AfterFunc(ctx, func() { leave(context.Cause(ctx)) })
	leave(context.Cause(ctx))
	r.suspend, r.ctx = leave, inner
	unwatch := func() {}
	if r.root == r {
		unwatch = r.watch(inner, leave)
	}
	return inner, func() {
		stop()
		unwatch()
		end(nil)
	}
}

// storeEnding stores how the attempt ended, so that another process goes on
// with the undos and not with the flow.
func (r *run) storeEnding(c core.StateCreate) (*ending, error) {
	if r.ended != nil {
		return r.ended, nil
	}
	key := strconv.FormatInt(r.rec.RunCount, 10)
	call, err := r.identify(&Task{Name: compensationTask, NoInput: true, Options: TaskOptions{Key: key}}, nil)
	if err != nil {
		return nil, err
	}
	c.Message = r.e.hideMessage(c.Message)
	call.row.Labels = core.ToJSON(map[string]string{core.EndingLabel: string(core.ToJSON(c))})
	r.ended = &ending{row: call.row, state: c, attempt: r.rec.RunCount}
	return r.ended, call.save(call.state(core.StateCreate{Type: core.Running}))
}

// undo runs one undo as a task, unless an earlier process has done so.
func (r *run) undo(ctx context.Context, u *undo) error {
	t := &Task{Name: undoTask + u.name, NoInput: true, Options: u.o}
	t.Options.Key = u.row.DynamicKey
	t.Fn = func(ctx context.Context, _ any) (core.JSON, error) {
		if u.fn == nil {
			return nil, Permanent(errors.New("today's code of the flow does not register it"))
		}
		return nil, u.fn(ctx)
	}
	c, err := r.identify(t, nil)
	if err != nil {
		return err
	}
	_, err = c.outcome(ctx)
	return err
}

// listed names up to ten.
func listed(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
