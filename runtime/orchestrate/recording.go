package orchestrate

import (
	"bytes"
	"context"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// recording is one call's reports, with the token that it showed.
type recording struct {
	reports []*core.TaskRunReport
	runs    []core.UUID // flow runs of the reports
	token   core.UUID   // zero: none was shown
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

// inOrder is the order in which every server locks what recordings share.
func inOrder(a, b *recording) int { return bytes.Compare(a.runs[0][:], b.runs[0][:]) }

// writeRecordings applies the recordings in one transaction, all or none.
func (s *Service) writeRecordings(ctx context.Context, all []*recording) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		if err := s.checkRecordings(ctx, tx, all); err != nil {
			return err
		}
		for _, r := range all {
			out.Tasks(r.runs...)
			for _, report := range r.reports {
				if err := tx.RecordTaskRun(ctx, report); err != nil {
					return err
				}
				for _, st := range report.States {
					if st.Type == core.Completed && core.Given(st.Details.CacheKey) != nil && st.Name != core.NameCached {
						if err := tx.PutCachedState(ctx, *st.Details.CacheKey, st); err != nil {
							return err
						}
					}
				}
				// A client's own events need no second commit.
				out.Event(report.Events...)
			}
		}
		return nil
	})
}

// checkRecordings is checkToken for runs that need not be read for anything
// else: all leases in one look.
func (s *Service) checkRecordings(ctx context.Context, tx tokenTx, all []*recording) error {
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
