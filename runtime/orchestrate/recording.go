package orchestrate

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/flowlite/flowlite/runtime/core"
)

// recording is one call's reports, with the token that it showed.
type recording struct {
	reports []*core.TaskRunReport
	runs    []core.UUID // flow runs of the reports
	token   core.UUID   // zero: none was shown
	done    chan error
}

// joins: the recording may share a transaction with those of others. Reports
// that write rows which other flow runs write, too, would lock them in whatever
// order they came.
func (r *recording) joins() bool {
	for _, p := range r.reports {
		if p.Fields != nil || p.Events != nil {
			return false
		}
		for _, st := range p.States {
			if st.Details.CacheKey != nil {
				return false
			}
		}
	}
	return len(r.runs) > 0
}

// writeRecordings applies the recordings in one transaction, all or none.
func (s *Service) writeRecordings(ctx context.Context, all []*recording) error {
	return s.write(ctx, func(tx core.Tx, out *outbox) error {
		if err := s.checkRecordings(ctx, tx, all); err != nil {
			return err
		}
		for _, r := range all {
			out.tasks = append(out.tasks, r.runs...)
			for _, report := range r.reports {
				if err := tx.RecordTaskRun(ctx, report); err != nil {
					return err
				}
				for _, st := range report.States {
					if st.Type == core.Completed && st.Details.CacheKey != nil && st.Name != core.NameCached {
						if err := tx.PutCachedState(ctx, *st.Details.CacheKey, st); err != nil {
							return err
						}
					}
				}
				// A client's own events need no second commit.
				out.event(report.Events...)
			}
		}
		return nil
	})
}

// checkRecordings is checkToken for runs that need not be read for anything
// else: all leases in one look.
func (s *Service) checkRecordings(ctx context.Context, tx core.Tx, all []*recording) error {
	var runs []core.UUID
	for _, r := range all {
		if !r.token.IsZero() {
			runs = append(runs, r.runs...)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	leases, err := tx.LockLeases(ctx, runs)
	if err != nil {
		return err
	}
	tokens := make(map[core.UUID]core.UUID, len(leases))
	for _, l := range leases {
		tokens[l.FlowRunID] = l.Token
	}
	for _, r := range all {
		for _, id := range r.runs {
			if r.token.IsZero() || tokens[id] == r.token {
				continue
			}
			run, err := tx.FlowRun(ctx, id)
			if core.IsNotFound(err) {
				return core.Errorf(core.EConflict, "flow run %s of a task run does not exist", id)
			}
			if err != nil {
				return err
			}
			if err := s.checkToken(core.WithRunToken(ctx, r.token), tx, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// recorder lets recordings that come while others are being written share the
// next transaction, as SQLite's writer does for every write. A recording that
// fails with others is repeated alone, and hears only of itself.
type recorder struct {
	write func(ctx context.Context, all []*recording) error

	mu      sync.Mutex
	waiting []*recording
	writing int
}

// recorders is how many transactions are under way, recordingsMax how many
// recordings share one.
const (
	recorders     = 2
	recordingsMax = 100
)

// record returns when r is committed or has failed. If ctx ends before, it may
// still be written.
func (c *recorder) record(ctx context.Context, r *recording) error {
	c.mu.Lock()
	if c.writing < recorders { // nobody waits
		c.writing++
		c.mu.Unlock()
		err := c.write(ctx, []*recording{r})
		if all := c.take(); len(all) > 0 {
			go c.writeWaiting(all)
		}
		return err
	}
	r.done = make(chan error, 1)
	c.waiting = append(c.waiting, r)
	c.mu.Unlock()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeWaiting goes on until nothing waits.
func (c *recorder) writeWaiting(all []*recording) {
	ctx := context.Background()
	for ; len(all) > 0; all = c.take() {
		err := c.write(ctx, all)
		// A database that is away is away for each.
		alone := err != nil && len(all) > 1 && core.CodeOf(err) != core.EUnavailable
		for _, r := range all {
			if alone {
				err = c.write(ctx, []*recording{r})
			}
			r.done <- err
		}
	}
}

// take hands out what waits, in the order in which every server locks it; with
// nothing, one transaction fewer is under way.
func (c *recorder) take() []*recording {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.waiting), recordingsMax)
	if n == 0 {
		c.writing--
		return nil
	}
	all := slices.Clone(c.waiting[:n])
	c.waiting = slices.Delete(c.waiting, 0, n)
	slices.SortFunc(all, func(a, b *recording) int { return bytes.Compare(a.runs[0][:], b.runs[0][:]) })
	return all
}
