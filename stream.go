package flowlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/flowlite/flowlite/runtime/engine"
)

// StreamWriter appends to a stream of a run.
type StreamWriter[T any] struct {
	ctx context.Context
	key string
}

// Stream returns the writer of a stream of the run that ctx belongs to. A run can
// have many, by their keys: letters, digits, dots, dashes, and underscores.
func Stream[T any](ctx context.Context, key string) *StreamWriter[T] {
	return &StreamWriter[T]{ctx, key}
}

// Append returns when the entry is durable. The n-th entry that the flow appends,
// or that a call of a task appends, is stored once: a process that continues the
// run, or a retry, appends nothing twice, and the first value stays. An entry has at
// most 64 KiB, a stream at most 100,000 entries.
func (w *StreamWriter[T]) Append(v T) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("stream %s: the entry cannot be encoded as JSON: %w", w.key, err)
	}
	return engine.Append(w.ctx, w.key, b)
}

// StreamEntry is an entry of a stream. Numbers begin at 1 and have no gaps.
type StreamEntry[T any] struct {
	Number  int64
	Created time.Time
	Value   T
}

// Follow yields the entries of a stream of the run with this ID from number from
// on, and waits for further ones until the run has ended. An error, or the end of
// ctx, is the last that it yields.
func Follow[T any](ctx context.Context, on Runner, id, key string, from int64) iter.Seq2[StreamEntry[T], error] {
	return func(yield func(StreamEntry[T], error) bool) {
		fail := func(err error) {
			yield(StreamEntry[T]{}, fmt.Errorf("stream %s of run %s: %w", key, id, sentinel(err)))
		}
		o, err := outside(ctx, on)
		if err != nil {
			fail(err)
			return
		}
		run, err := find(ctx, o, id)
		if err != nil {
			fail(err)
			return
		}
		for {
			page, err := o.StreamEntries(ctx, run.ID, key, from, 30)
			if err != nil {
				fail(err)
				return
			}
			for _, e := range page.Entries {
				v := StreamEntry[T]{Number: e.Number, Created: e.Created.Time()}
				if err := json.Unmarshal(e.Value, &v.Value); err != nil {
					fail(fmt.Errorf("entry %d is no %T: %w", e.Number, v.Value, err))
					return
				}
				if !yield(v, nil) {
					return
				}
				from = e.Number + 1
			}
			if page.Ended {
				return
			}
		}
	}
}
