package orchestrate

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// WaitFlowRun returns the run once its state is another than stateID, or
// unchanged when wait (at most 30 s) has passed. ENotFound.
func (s *Service) WaitFlowRun(ctx context.Context, id, stateID core.UUID, wait core.Seconds) (*core.FlowRun, error) {
	sub := s.bus.Subscribe(core.TopicRun, id.String(), 16)
	defer sub.Close()
	deadline := time.NewTimer(min(max(wait.Duration(), 0), maxWait))
	defer deadline.Stop()
	again := time.NewTicker(pollAgain)
	defer again.Stop()
	for {
		run, err := s.store.FlowRun(ctx, id)
		if err != nil || run.StateID != stateID {
			return run, err
		}
	wait:
		select {
		case m, open := <-sub.C():
			if !open {
				return nil, errStopping
			}
			if m.Tasks && sub.Lost() == 0 {
				goto wait // a flow's steps are many, and none changes its state
			}
		case <-again.C:
		case <-deadline.C:
			return run, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
