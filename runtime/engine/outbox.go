package engine

import (
	"context"
	"sync/atomic"

	"github.com/flowlite/flowlite/runtime/core"
)

// Outbox starts runs within transactions of the program.
type Outbox interface {
	// Put starts a run of the deployment if and when tx is committed, and returns the
	// run as it will be, or the one that has the idempotency key already. Returns
	// EInvalid for a tx that is none, or is on another database.
	Put(ctx context.Context, tx any, deployment core.UUID, c core.DeploymentFlowRunCreate) (*core.FlowRun, error)
	// Settle creates the run if its transaction is committed.
	Settle(ctx context.Context, id core.UUID) error
}

// Outbox is what the engine was made with; nil: it cannot take part in transactions.
func (e *Engine) Outbox() Outbox { return e.outbox }

// pending settles a run until that has succeeded once.
type pending struct {
	box  Outbox
	done atomic.Bool
}

// NewPending returns a run that a transaction has started.
func NewPending(run *core.FlowRun, o core.Orchestrator, box Outbox) *Submitted {
	return &Submitted{Run: run, o: o, top: true, pending: &pending{box: box}}
}

// Settle makes a run that a transaction started known to the server, as soon as
// the transaction is committed.
func (s *Submitted) Settle(ctx context.Context) error {
	if s.pending == nil || s.pending.done.Load() {
		return nil
	}
	if _, err := s.o.FlowRun(ctx, s.Run.ID); !core.IsNotFound(err) {
		s.pending.done.Store(err == nil)
		return err
	}
	return s.pending.box.Settle(ctx, s.Run.ID)
}
