package flowlite

import (
	"context"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// StartTx is Start within a transaction of the program: the run exists if and only
// if tx is committed. It returns before that, with the run's ID. The run starts
// within a moment of the commit, also if the program dies right after it. Until
// then, methods of the Run return ErrNotFound.
//
// tx is a transaction on the database that the App has as its Pool, DB, or
// DatabaseURL: a pgx.Tx, or a *sql.Tx or what wraps one. StartTx writes one row with
// it and holds no lock that others wait for, except those who use the same
// idempotency key.
//
// The errors are those of Start. ErrInvalid also says that tx is no transaction or is
// on another database, or that the Runner cannot take part in transactions, such as
// a Connection.
func (f *Flow[P, R]) StartTx(ctx context.Context, on Runner, tx any, params P, opts ...StartOption) (*Run[R], error) {
	s, err := f.startTx(ctx, on, tx, params, opts)
	if err != nil {
		return nil, fmt.Errorf("start flow %s in a transaction: %w", f.Name(), sentinel(err))
	}
	return &Run[R]{s}, nil
}

func (f *Flow[P, R]) startTx(ctx context.Context, on Runner, tx any, params P, opts []StartOption) (*engine.Submitted, error) {
	e, err := engineOutside(ctx, on)
	if err != nil {
		return nil, err
	}
	box := e.Outbox()
	if box == nil {
		return nil, core.Errorf(core.EInvalid, "this Runner cannot take part in a transaction: "+
			"pass an App with the database of the transaction as its Config.Pool or Config.DB")
	}
	d, c, set, err := f.prepare(ctx, e.Orchestrator(), params, opts)
	if err != nil {
		return nil, err
	}
	run, err := box.Put(ctx, tx, d.ID, c)
	if err == nil {
		err = set.conflict(run, c.Parameters)
	}
	if err != nil {
		return nil, err
	}
	return engine.NewPending(run, e.Orchestrator(), box), nil
}
