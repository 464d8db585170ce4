package orchestrate

import (
	"bytes"
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/rules"
)

// proposal is a state proposed for a flow run, and what became of it.
type proposal struct {
	id    core.UUID
	state core.StateCreate
	force bool
	token core.UUID // zero: none was shown

	result *core.OrchestrationResult
	err    error
	alone  bool // it needs a transaction of its own: nothing was done
}

// joins says that the proposal may share a transaction with those of other runs: it
// asks for nothing that two runs could share, as a slot is.
func (p *proposal) joins() bool { return p.state.Type == core.Running || p.state.Type.Final() }

// byRun is the order in which every server locks what proposals share.
func byRun(a, b *proposal) int { return bytes.Compare(a.id[:], b.id[:]) }

// writeProposal is a proposal in a transaction of its own.
func (s *Service) writeProposal(ctx context.Context, p *proposal) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, p.id)
		if err != nil {
			return flowRunError(err, p.id)
		}
		c, err := s.notBefore(ctx, tx, run, p.state)
		if err != nil {
			return err
		}
		p.result, err = s.proposeFlowState(ctx, tx, out, run, c, p.force)
		return err
	})
}

// writeProposals applies proposals in one transaction. What is wrong with one of them
// is its own error and does not concern the others.
func (s *Service) writeProposals(ctx context.Context, all []*proposal) error {
	if len(all) == 1 {
		p := all[0]
		p.result, p.err, p.alone = nil, nil, false
		return s.writeProposal(core.WithRunToken(ctx, p.token), p)
	}
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		ids := make([]core.UUID, 0, len(all))
		for _, p := range all {
			p.result, p.err, p.alone = nil, nil, false
			if n := len(ids); n == 0 || ids[n-1] != p.id { // they are in order
				ids = append(ids, p.id)
			}
		}
		locked, err := tx.LockFlowRuns(ctx, ids)
		if err != nil {
			return err
		}
		runs := make(map[core.UUID]*core.FlowRun, len(locked))
		for _, run := range locked {
			runs[run.ID] = run
		}
		tokens, err := leaseTokens(ctx, tx, all)
		if err != nil {
			return err
		}
		t := transitions{s: s}
		for i, p := range all {
			run := runs[p.id]
			switch {
			case run == nil:
				p.err = flowRunError(core.NotFound("Flow run"), p.id)
			case i > 0 && all[i-1].id == p.id, !run.ParentTaskRunID.IsZero():
				p.alone = true
			default:
				if err := p.decide(ctx, tx, out, &t, run, tokens[p.id]); err != nil {
					return err
				}
			}
		}
		return t.write(ctx, tx)
	})
}

// leaseTokens locks the leases of those who show a token.
func leaseTokens(ctx context.Context, tx tokenTx, all []*proposal) (map[core.UUID]core.UUID, error) {
	var ids []core.UUID
	for _, p := range all {
		if !p.token.IsZero() {
			ids = append(ids, p.id)
		}
	}
	leases, err := tx.LockLeases(ctx, ids)
	tokens := make(map[core.UUID]core.UUID, len(leases))
	for _, l := range leases {
		tokens[l.FlowRunID] = l.Token
	}
	return tokens, err
}

// decide is proposeFlowState for a run without a parent, which asks for no slot.
func (p *proposal) decide(
	ctx context.Context, tx parentTx, out *commit.Outbox, t *transitions, run *core.FlowRun, token core.UUID,
) error {
	proposed := p.state.State(t.s.now())
	f := rules.Facts{Now: proposed.Timestamp}
	asked := rules.ForcedFlow
	if !p.force {
		if d := rules.DecideFlow(run, proposed, f, rules.Repeated); d.State == nil {
			p.result = d.Result(run.State)
			return nil
		}
		asked = rules.Flow
	}
	if !p.token.IsZero() && p.token != token {
		p.err = leaseLost(run.ID)
		return nil
	}
	d := rules.DecideFlow(run, proposed, f, asked)
	if d.State != nil {
		if err := t.enter(ctx, tx, out, run, &d, p.state.Type); err != nil {
			return err
		}
	}
	p.result = d.Result(run.State)
	return nil
}
