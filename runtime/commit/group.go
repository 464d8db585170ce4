package commit

import (
	"context"
	"slices"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// Group commits operations together: those that arrive while others are being
// written share the next transaction, as SQLite's writer does for every write. If
// a shared transaction fails, each operation is repeated alone, so that its caller
// gets its own error. A Group is for operations that lock no row that two of them
// share, or lock them in the same order.
type Group[T any] struct {
	write func(ctx context.Context, all []T) error
	order func(a, b T) int // nil: as they came

	mu      sync.Mutex
	waiting []ticket[T]
	writing int
}

type ticket[T any] struct {
	op   T
	done chan error
}

const (
	maxInFlight = 2   // transactions at a time
	maxBatch    = 100 // operations in one transaction
)

// NewGroup returns a Group that write commits; order sorts the operations of a
// transaction, nil keeps them as they arrived.
func NewGroup[T any](write func(ctx context.Context, all []T) error, order func(a, b T) int) *Group[T] {
	return &Group[T]{write: write, order: order}
}

// Do returns when op is committed or has failed. If ctx ends before, it may
// still be written.
func (g *Group[T]) Do(ctx context.Context, op T) error {
	g.mu.Lock()
	if g.writing < maxInFlight { // nobody waits
		g.writing++
		g.mu.Unlock()
		err := g.write(ctx, []T{op})
		if all := g.take(); len(all) > 0 {
			go g.writeWaiting(all)
		}
		return err
	}
	t := ticket[T]{op, make(chan error, 1)}
	g.waiting = append(g.waiting, t)
	g.mu.Unlock()
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeWaiting goes on until nothing waits.
func (g *Group[T]) writeWaiting(all []ticket[T]) {
	ctx := context.Background()
	for ; len(all) > 0; all = g.take() {
		ops := make([]T, len(all))
		for i, t := range all {
			ops[i] = t.op
		}
		err := g.write(ctx, ops)
		// A database that is away is away for each.
		alone := err != nil && len(all) > 1 && core.CodeOf(err) != core.EUnavailable
		for _, t := range all {
			if alone {
				err = g.write(ctx, []T{t.op})
			}
			t.done <- err
		}
	}
}

// take hands out what waits; with nothing, one transaction fewer is under way.
func (g *Group[T]) take() []ticket[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), maxBatch)
	if n == 0 {
		g.writing--
		return nil
	}
	all := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	if g.order != nil {
		slices.SortStableFunc(all, func(a, b ticket[T]) int { return g.order(a.op, b.op) })
	}
	return all
}
