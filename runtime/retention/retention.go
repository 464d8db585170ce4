// Package retention deletes history that is older than a server retains: ended runs
// with all that belongs to them, log entries, and events.
package retention

import (
	"context"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Config is what a Trimmer needs. Store and Now are required.
type Config struct {
	Store   Store
	Results Results // nil: there are none to delete
	Retain  Periods
	Now     func() core.Time
}

// Store finds what is old, and deletes it.
type Store interface {
	core.RetentionReader
	Write(ctx context.Context, fn func(tx core.Tx) error) error
}

// Results deletes the persisted results of runs.
type Results interface {
	DeleteAll(ctx context.Context, prefix string) error
}

// Trimmer deletes old history.
type Trimmer struct {
	store   Store
	results Results
	retain  Periods
	now     func() core.Time
}

// New returns a Trimmer on c.
func New(c Config) *Trimmer {
	return &Trimmer{store: c.Store, results: c.Results, retain: c.Retain.complete(), now: c.Now}
}

// Periods is how long history is kept. Zero is the default, below zero for ever.
type Periods struct {
	Runs   time.Duration // after a run's end, with all that belongs to it
	Events time.Duration
	Logs   time.Duration // also of runs that have not ended
}

const (
	keepRuns   = 90 * 24 * time.Hour
	keepEvents = 7 * 24 * time.Hour
	keepLogs   = 90 * 24 * time.Hour
)

func (r Periods) complete() Periods {
	or := func(d, standard time.Duration) time.Duration {
		if d == 0 {
			return standard
		}
		return d
	}
	return Periods{Runs: or(r.Runs, keepRuns), Events: or(r.Events, keepEvents), Logs: or(r.Logs, keepLogs)}
}

// Retention is what the Trimmer keeps to; below zero is for ever.
func (s *Trimmer) Retention() Periods { return s.retain }

const (
	// trimRows is about how many rows a transaction removes: on SQLite all
	// writers wait for it.
	trimRows = 150
	trimRuns = 50 // asked for at once
	// trimFor ends a sweep that has much to do; the next one goes on.
	trimFor = 5 * time.Minute
)

// trimming is one sweep: how long it may go on.
type trimming struct {
	s     *Trimmer
	ctx   context.Context
	until time.Time
	total int
}

func (s *Trimmer) trimming(ctx context.Context) *trimming {
	return &trimming{s: s, ctx: ctx, until: time.Now().Add(trimFor)}
}

// write runs a step in a transaction of its own and then rests as long as it
// took, for others to write; false ends the sweep.
func (t *trimming) write(fn func(tx core.Tx) error) (more bool, err error) {
	at := time.Now()
	if err := t.s.store.Write(t.ctx, fn); err != nil {
		return false, err
	}
	rest := time.NewTimer(min(time.Since(at), time.Second))
	defer rest.Stop()
	select {
	case <-t.ctx.Done():
		return false, context.Cause(t.ctx)
	case <-rest.C:
		return time.Now().Before(t.until), nil
	}
}

// trimOne removes about limit rows of what id names; done says that all is gone.
type trimOne func(tx core.Tx, id core.UUID, limit int) (rows int, done bool, err error)

// these trims what ids name until all are gone.
func (t *trimming) these(ids []core.UUID, one trimOne) (more bool, err error) {
	if t.s.results != nil {
		// Before the rows: what is left of a run that this does not finish is met again.
		for _, id := range ids {
			if err := t.s.results.DeleteAll(t.ctx, id.String()); err != nil {
				return false, err
			}
		}
	}
	for more = true; more && len(ids) > 0; {
		gone, rows := 0, 0
		more, err = t.write(func(tx core.Tx) error {
			for gone, rows = 0, 0; gone < len(ids) && rows < trimRows; gone++ {
				n, done, err := one(tx, ids[gone], trimRows-rows)
				if err != nil && !core.IsNotFound(err) {
					return err
				}
				if rows += n; !done && err == nil {
					break
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		t.total += gone
		ids = ids[gone:]
	}
	return more, nil
}

// TrimRuns removes runs that ended long ago, with their task runs, states,
// logs, artifacts, inputs and results. Runs that were part of another go after
// that one.
func (s *Trimmer) TrimRuns(ctx context.Context) (int, error) {
	if s.retain.Runs < 0 {
		return 0, nil
	}
	t, before := s.trimming(ctx), s.now().Add(-s.retain.Runs)
	for more := true; more; {
		had := t.total
		for _, state := range []core.StateType{core.Completed, core.Failed, core.Cancelled, core.Crashed} {
			var err error
			if more, err = t.flowRuns(state, before); err != nil || !more {
				return t.total, err
			}
		}
		more = t.total > had
	}
	return t.total, t.taskRuns(before)
}

func (t *trimming) flowRuns(state core.StateType, before core.Time) (more bool, err error) {
	var after core.EndedFlowRun
	for {
		runs, err := t.s.store.EndedFlowRuns(t.ctx, state, before, after, trimRuns)
		if err != nil || len(runs) == 0 {
			return err == nil, err
		}
		after = runs[len(runs)-1]
		ids := make([]core.UUID, len(runs))
		for i, r := range runs {
			ids[i] = r.ID
		}
		more, err := t.these(ids, func(tx core.Tx, id core.UUID, limit int) (int, bool, error) {
			run, err := tx.LockFlowRun(t.ctx, id)
			if err != nil || !run.StateType.Final() || endedAt(run) >= before { // somebody retried it
				return 0, true, err
			}
			return tx.TrimFlowRun(t.ctx, id, limit)
		})
		if err != nil || !more {
			return false, err
		}
	}
}

// endedAt is the last state's time where a run never began.
func endedAt(run *core.FlowRun) core.Time {
	if run.EndTime == 0 && run.State != nil {
		return run.State.Timestamp
	}
	return run.EndTime
}

// taskRuns are those of no flow run.
func (t *trimming) taskRuns(before core.Time) error {
	var after core.UUID
	for {
		ids, err := t.s.store.EndedTaskRuns(t.ctx, before, after, trimRuns)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		more, err := t.these(ids, func(tx core.Tx, id core.UUID, limit int) (int, bool, error) { return tx.TrimTaskRun(t.ctx, id, limit) })
		if err != nil || !more {
			return err
		}
	}
}

// TrimLogs removes old lines of logs, also of runs that are kept.
func (s *Trimmer) TrimLogs(ctx context.Context) (int, error) {
	if s.retain.Logs < 0 {
		return 0, nil
	}
	t, before, after := s.trimming(ctx), s.now().Add(-s.retain.Logs), int64(0)
	for more := true; more; {
		last, old, err := s.store.LogsUpTo(ctx, before, after, trimRows)
		if err != nil || old == 0 { // their numbers go with time: those that follow are younger
			return t.total, err
		}
		var n int64
		if more, err = t.write(func(tx core.Tx) (err error) {
			n, err = tx.DeleteLogs(ctx, before, after, last)
			return err
		}); err != nil {
			return t.total, err
		}
		t.total += int(n)
		after = last
	}
	return t.total, nil
}

// TrimEvents removes old events.
func (s *Trimmer) TrimEvents(ctx context.Context) (int, error) {
	if s.retain.Events < 0 {
		return 0, nil
	}
	t, before := s.trimming(ctx), s.now().Add(-s.retain.Events)
	for more := true; more; {
		var n int64
		var err error
		if more, err = t.write(func(tx core.Tx) (err error) {
			n, err = tx.DeleteEvents(ctx, before, trimRows)
			return err
		}); err != nil {
			return t.total, err
		}
		t.total += int(n)
		more = more && n == trimRows
	}
	return t.total, nil
}
