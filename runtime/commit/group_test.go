package commit

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/flowlite/flowlite/runtime/core"
)

// recording is an operation on the rows of a run.
type recording struct{ run byte }

func inOrder(a, b *recording) int { return int(a.run) - int(b.run) }

// slowWriter answers a write when it is told to.
type slowWriter struct {
	began chan []*recording
	end   chan error
}

func (w *slowWriter) write(_ context.Context, all []*recording) error {
	w.began <- all
	return <-w.end
}

// TestGroup checks that operations that arrive while transactions are under way
// share the next one, in their order. If it fails, each gets its own result.
func TestGroup(t *testing.T) {
	w := &slowWriter{make(chan []*recording), make(chan error)}
	c := NewGroup(w.write, inOrder)
	var wg sync.WaitGroup
	told := make([]error, 5)
	all := make([]*recording, 5)
	record := func(i int) {
		all[i] = &recording{byte(10 - i)}
		wg.Go(func() { told[i] = c.Do(t.Context(), all[i]) })
	}
	for i := range maxInFlight {
		record(i)
		if got := <-w.began; len(got) != 1 {
			t.Fatalf("%d recordings in a free transaction", len(got))
		}
	}
	for i := maxInFlight; i < len(all); i++ {
		record(i)
		for waiting := 0; waiting <= i-maxInFlight; {
			c.mu.Lock()
			waiting = len(c.waiting)
			c.mu.Unlock()
			runtime.Gosched()
		}
	}
	w.end <- nil
	got := <-w.began
	if want := []*recording{all[4], all[3], all[2]}; !slices.Equal(got, want) {
		t.Errorf("batch: %d recordings, not the three that waited in the order of their runs", len(got))
	}
	w.end <- nil // the other transaction
	bad := errors.New("one of them")
	w.end <- bad
	for range got {
		alone := <-w.began
		if alone[0] == all[3] {
			w.end <- bad
		} else {
			w.end <- nil
		}
	}
	wg.Wait()
	if want := []error{nil, nil, nil, bad, nil}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	record(0) // hangs if a transaction is thought to be under way still
	if got := <-w.began; len(got) != 1 {
		t.Errorf("%d recordings at the end", len(got))
	}
	w.end <- nil
	wg.Wait()
}

// TestGroupUnavailable checks that an unavailable database is not asked once for each.
func TestGroupUnavailable(t *testing.T) {
	writes := 0
	away := core.Errorf(core.EUnavailable, "away")
	c := &Group[int]{writing: 1, write: func(context.Context, []int) error { writes++; return away }}
	a, b := ticket[int]{1, make(chan error, 1)}, ticket[int]{2, make(chan error, 1)}
	c.writeWaiting([]ticket[int]{a, b})
	if writes != 1 || !errors.Is(<-a.done, away) || !errors.Is(<-b.done, away) {
		t.Errorf("%d writes", writes)
	}
}
