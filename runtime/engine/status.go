package engine

import (
	"context"
	"errors"

	"github.com/flowlite/flowlite/runtime/core"
)

// SetStatus sets the value of a key of the run around ctx. What the n-th call of the
// flow, or of a call of a task, sets is set once in an attempt, so that a replay does
// not bring an older value back.
func SetStatus(ctx context.Context, key string, value core.JSON) error {
	s := scopeOf(ctx)
	if s == nil {
		return errors.New("a status belongs to a run: set it in a flow or a task")
	}
	r := s.run
	if err := left(ctx); err != nil {
		return err
	}
	c := core.StatusSet{Source: s.source(), Attempt: s.attempt(), Value: value}
	c.Ordinal = s.nth("status/"+key, c.Source)
	err := persist(r.wctx, func() error { return r.e.o.SetStatus(r.wctx, r.rec.ID, key, c) })
	if core.CodeOf(err) == core.ELeaseLost {
		r.root.suspend(ErrLeaseLost)
		return ErrLeaseLost
	}
	return err
}
