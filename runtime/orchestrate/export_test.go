package orchestrate

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// Proposed is what became of a proposal; Alone says that it needs its own transaction.
type Proposed struct {
	Result *core.OrchestrationResult
	Err    error
	Alone  bool
}

// ProposeTogether is SetFlowRunState for the runs in one transaction, in the order of
// their IDs, each with its token.
func (s *Service) ProposeTogether(ctx context.Context, t core.StateType, runs, tokens []core.UUID) ([]Proposed, error) {
	all := make([]*proposal, len(runs))
	for i, id := range runs {
		all[i] = &proposal{id: id, state: core.StateCreate{Type: t}, token: tokens[i]}
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, byRun)
	err := s.writeProposals(ctx, sorted)
	out := make([]Proposed, len(all))
	for i, p := range all {
		out[i] = Proposed{p.result, p.err, p.alone}
	}
	return out, err
}
