package orchestrate

import (
	"context"
	"fmt"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// SetStatus sets the value of a key of a run, unless its source has set the key later.
// EInvalid if a bound is exceeded, ENotFound without the run.
func (s *Service) SetStatus(ctx context.Context, flowRunID core.UUID, key string, c core.StatusSet) error {
	if err := core.CheckStatusKey(key); err != nil {
		return err
	}
	if len(c.Value) == 0 {
		c.Value = core.JSON("null")
	}
	if n := len(c.Value); n > core.MaxStatusValue {
		return core.InvalidField("value", fmt.Sprintf("the status %s has %d bytes, at most %d are allowed; "+
			"store a result or an artifact and set its key", key, n, core.MaxStatusValue))
	}
	if err := core.CheckJSON(c.Value); err != nil {
		return core.InvalidField("value", "the status "+key+": "+err.Error())
	}
	c.Value = core.MaskJSON(c.Value, s.blocks.Masker(ctx))
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return flowRunError(err, flowRunID)
		}
		if err := s.checkToken(ctx, tx, run); err != nil {
			return err
		}
		if err := checkStatusKeys(ctx, tx, flowRunID, key); err != nil {
			return err
		}
		set, err := tx.SetFlowRunStatus(ctx, flowRunID, key, s.now(), c)
		if set {
			out.Tasks(flowRunID)
		}
		return err
	})
}

// checkStatusKeys returns EInvalid if the key is one too many.
func checkStatusKeys(ctx context.Context, tx core.FlowRunStatusReader, flowRunID core.UUID, key string) error {
	_, err := tx.FlowRunStatus(ctx, flowRunID, key)
	if !core.IsNotFound(err) {
		return err
	}
	n, err := tx.CountFlowRunStatuses(ctx, flowRunID)
	if err == nil && n >= core.MaxStatusKeys {
		err = core.InvalidField("key", fmt.Sprintf("the run has %d statuses, which is the most that one can have; "+
			"set one of them again, or append to a stream", n))
	}
	return err
}

// FlowRunStatus is the last value under a key; ENotFound without the run, or if
// nothing was set.
func (s *Service) FlowRunStatus(ctx context.Context, flowRunID core.UUID, key string) (*core.FlowRunStatus, error) {
	st, err := s.store.FlowRunStatus(ctx, flowRunID, key)
	if !core.IsNotFound(err) {
		return st, err
	}
	if _, err := s.store.FlowRun(ctx, flowRunID); err != nil {
		return nil, flowRunError(err, flowRunID)
	}
	return nil, core.Errorf(core.ENotFound, "the run has set no status %s", core.ShellWord(core.CutText(key, 100)))
}
