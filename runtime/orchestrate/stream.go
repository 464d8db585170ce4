package orchestrate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// AppendStream appends to a stream of a run, once what was appended before by
// source and ordinal is left out. It returns the number of the last entry.
// EInvalid if a bound is exceeded, ENotFound without the run.
func (s *Service) AppendStream(ctx context.Context, flowRunID core.UUID, key string, list []core.StreamAppend) (last int64, err error) {
	if key == "" {
		return 0, core.InvalidField("key", "the key of a stream must not be empty")
	}
	if err := core.MaxStreamKey.Check(key); err != nil {
		return 0, err
	}
	mask := s.blocks.Masker(ctx)
	list = slices.Clone(list)
	for i, a := range list {
		list[i].Value = core.MaskJSON(a.Value, mask)
		if n := len(a.Value); n > core.MaxStreamValue {
			return 0, core.InvalidField("value", fmt.Sprintf("an entry of stream %s has %d bytes, at most %d are allowed; "+
				"store a result or an artifact and append its key", key, n, core.MaxStreamValue))
		}
		if err := core.CheckJSON(a.Value); err != nil {
			return 0, core.InvalidField("value", "an entry of stream "+key+": "+err.Error())
		}
	}
	err = s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return flowRunError(err, flowRunID)
		}
		if err := s.checkToken(ctx, tx, run); err != nil {
			return err
		}
		for _, a := range list {
			if last, err = tx.AppendStream(ctx, flowRunID, key, s.now(), a); err != nil {
				return err
			}
			if last > core.MaxStreamEntries {
				return core.InvalidField("key", fmt.Sprintf("stream %s of the run has %d entries, which is the most that one can have; use another key",
					key, core.MaxStreamEntries))
			}
		}
		out.Tasks(flowRunID)
		return nil
	})
	return last, err
}

// StreamEntries returns entries of a stream from number from on. Where there are
// none yet it waits for one, or for the run's end, at most wait. ENotFound
// without the run; a stream that nothing was appended to is empty.
func (s *Service) StreamEntries(
	ctx context.Context,
	flowRunID core.UUID,
	key string,
	from int64,
	wait core.Seconds,
) (*core.StreamPage, error) {
	sub := s.bus.Subscribe(core.TopicRun, flowRunID.String(), 1)
	defer sub.Close()
	deadline := time.NewTimer(min(max(wait.Duration(), 0), maxWait))
	defer deadline.Stop()
	again := time.NewTicker(pollAgain)
	defer again.Stop()
	for {
		// The run is read first: what is appended before its end is then read, too.
		run, err := s.store.FlowRun(ctx, flowRunID)
		if err != nil {
			return nil, flowRunError(err, flowRunID)
		}
		list, err := s.store.StreamEntries(ctx, flowRunID, key, from, core.MaxStreamPage)
		if err != nil {
			return nil, err
		}
		page := &core.StreamPage{Entries: list, Ended: run.StateType.Final() && len(list) < core.MaxStreamPage}
		if len(list) > 0 || page.Ended {
			return page, nil
		}
		select {
		case _, open := <-sub.C():
			if !open {
				return nil, errStopping
			}
		case <-again.C:
		case <-deadline.C:
			return page, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Streams are those of a run that something was appended to.
func (s *Service) Streams(ctx context.Context, flowRunID core.UUID) ([]core.StreamInfo, error) {
	return s.store.Streams(ctx, flowRunID)
}
