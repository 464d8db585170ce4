package orchestrate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/local/localtest"
)

func TestTaskFeed(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	first, other := h.Background("a", core.Now()), h.Background("b", core.Now())
	one := h.FeedTasks("one", []string{"a"})
	run := localtest.Must(one.Next(t.Context()))(t)
	if run.ID != first.ID || !run.State.Details.Deferred {
		t.Fatalf("%s, want %s", run.ID, first.ID)
	}
	// What one has, nobody else gets; what is not its key, neither.
	two := h.FeedTasks("two", []string{"a", "b"})
	defer two.Close()
	if got := localtest.Must(two.Next(t.Context()))(t); got.ID != other.ID {
		t.Fatalf("%s, want %s", got.ID, other.ID)
	}
	if err := two.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}
	workers := h.TaskWorkers(nil)
	if len(workers) != 2 || workers[1].Identifier != "two" || fmt.Sprint(workers[1].TaskKeys) != "[a b]" {
		t.Fatalf("%+v", workers)
	}
	if got := h.TaskWorkers([]string{"b"}); len(got) != 1 || got[0].Identifier != "two" {
		t.Fatalf("%+v", got)
	}
	// The first vanishes without a word: its run goes to the next at once.
	got := make(chan *core.TaskRun)
	go func() {
		r, _ := two.Next(t.Context())
		got <- r
	}()
	one.Close()
	if r := <-got; r == nil || r.ID != first.ID {
		t.Fatalf("%v, want %s", r, first.ID)
	}
	if err := two.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(h.TaskWorkers(nil)); n != 1 {
		t.Fatalf("%d workers", n)
	}
	// A cancelled run is not delivered, one that is not due waits.
	gone, later := h.Background("a", core.Now()), h.Background("a", core.Now().Add(time.Hour))
	localtest.Must(h.SetTaskRunState(t.Context(), gone.ID, core.StateCreate{Type: core.Cancelled}, true))(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r, err := two.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v %v", r, err)
	}
	h.Later(time.Hour)
	if r := localtest.Must(two.Next(t.Context()))(t); r.ID != later.ID {
		t.Fatalf("%s, want %s", r.ID, later.ID)
	}
}

// TestTaskFeedEach: many workers, each run delivered once, though some workers
// leave without acknowledging.
func TestTaskFeedEach(t *testing.T) {
	h := localtest.Open(t, "sqlite::memory:")
	const runs, workers = 60, 6
	var mu sync.Mutex
	seen := map[core.UUID]int{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				f := h.FeedTasks(fmt.Sprint(w), []string{"k"})
				for range 5 {
					r, err := f.Next(ctx)
					if err != nil {
						break
					}
					if n == 0 && w%2 == 0 {
						break // a connection that is lost before the acknowledgement
					}
					if err := f.Ack(ctx); err != nil {
						continue // the test is over
					}
					mu.Lock()
					if seen[r.ID]++; len(seen) == runs {
						cancel()
					}
					mu.Unlock()
				}
				f.Close()
			}
		})
	}
	for range runs {
		h.Background("k", core.Now())
	}
	wg.Wait()
	if len(seen) != runs {
		t.Errorf("%d runs delivered, want %d", len(seen), runs)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s delivered %d times", id, n)
		}
	}
}

// TestTaskQueueOutlives: what was not acknowledged is there after a restart.
func TestTaskQueueOutlives(t *testing.T) {
	dsn := "sqlite:" + t.TempDir() + "/f.db"
	h := localtest.Open(t, dsn)
	run := h.Background("k", core.Now())
	f := h.FeedTasks("w", []string{"k"})
	localtest.Must(f.Next(t.Context()))(t)
	if err := h.Store.Close(); err != nil {
		t.Fatal(err)
	}
	again := localtest.Open(t, dsn)
	f = again.FeedTasks("w", []string{"k"})
	defer f.Close()
	if r := localtest.Must(f.Next(t.Context()))(t); r.ID != run.ID {
		t.Errorf("%s, want %s", r.ID, run.ID)
	}
}
