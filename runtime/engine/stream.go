package engine

import (
	"context"
	"errors"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
)

// Append appends to a stream of the run around ctx. The n-th append of the flow,
// or of a call of a task, is done once, in whatever process and attempt.
func Append(ctx context.Context, key string, value core.JSON) error {
	s := scopeOf(ctx)
	if s == nil {
		return errors.New("a stream belongs to a run: append to it in a flow or a task")
	}
	r := s.run
	if err := left(ctx); err != nil {
		return err
	}
	source := s.source()
	n := s.nth(key, source)
	_, err := ask(r.wctx, func() (int64, error) {
		return r.e.o.AppendStream(r.wctx, r.rec.ID, key, []core.StreamAppend{{Source: source, Ordinal: n, Value: value}})
	})
	if core.CodeOf(err) == core.ELeaseLost {
		r.root.suspend(ErrLeaseLost)
		return ErrLeaseLost
	}
	return err
}

// source names the flow, or the call of a task, in each process and attempt.
func (s *scope) source() (source string) {
	if s.task != nil {
		source = digest(core.JSON(s.task.TaskKey + "/" + s.task.DynamicKey))
	}
	if fresh := s.run.fresh; fresh != 0 {
		source += "@" + strconv.FormatInt(int64(fresh), 10) // what came before does not count
	}
	return source
}

// nth counts what the code of this attempt, of the flow or of the task, appends or
// emits, from 0.
func (s *scope) nth(what, source string) int64 {
	if s.task != nil {
		source += "#" + strconv.FormatInt(s.attempt(), 10)
	}
	return s.run.nth(ident{what, source})
}

func (r *run) nth(what ident) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.appends[what]
	r.appends[what] = n + 1
	return n
}
