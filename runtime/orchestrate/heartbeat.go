package orchestrate

import (
	"context"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// Prefect's clients take no lease. Those from 3.8 on, and older runners that are
// told to, send an event as the heartbeat of a flow run at a fixed interval. A
// run that had heartbeats and has none any more has lost its process.

const (
	heartbeatEvent = "prefect.flow-run.heartbeat"
	// heartbeatsMissed is how many intervals of silence end a run.
	heartbeatsMissed = 3
	// Until a second heartbeat shows the interval, it is the client's default;
	// clients accept none below the shortest.
	heartbeatDefault  = 180 * time.Second
	heartbeatShortest = 30 * time.Second
	// listenedEvery is the longest time between two looks in which this process
	// counts as having listened.
	listenedEvery = time.Minute
)

// listening is since when heartbeats could have arrived without a gap.
type listening struct {
	mu          sync.Mutex
	since, last core.Time
}

func (l *listening) at(now core.Time) (since core.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == 0 || now.Sub(l.last) > listenedEvery {
		l.since = now
	}
	l.last = now
	return l.since
}

// CrashSilentRuns ends RUNNING runs without a lease whose client sent heartbeats
// and has been silent for three intervals of them: no heartbeat, state, task run
// or log entry. It returns how many.
func (s *Service) CrashSilentRuns(ctx context.Context) (n int, err error) {
	if s.deaf {
		return 0, nil
	}
	now := s.now()
	since := s.listening.at(now)
	for after := (core.UUID{}); ; {
		ids, err := s.store.UnleasedFlowRuns(ctx, after, sweepBatch)
		if err != nil {
			return n, err
		}
		for _, id := range ids {
			after = id
			limit, err := s.silentFor(ctx, id, now)
			if err != nil {
				return n, err
			}
			if limit == 0 || now.Sub(since) < limit {
				continue
			}
			if err := s.crashSilent(ctx, id, limit); err != nil {
				return n, err
			}
			n++
		}
		if len(ids) < sweepBatch {
			return n, nil
		}
	}
}

// silentFor returns the silence that is too long for a run, or 0 while it has
// not been silent for so long, or never had a heartbeat.
func (s *Service) silentFor(ctx context.Context, id core.UUID, now core.Time) (time.Duration, error) {
	beats, err := s.store.Events(ctx, &core.EventFilter{Event: &core.EventName{Name: []string{heartbeatEvent}},
		Resource: &core.EventResource{ID: []string{"prefect.flow-run." + id.String()}}}, core.Page{Limit: 5})
	if err != nil || len(beats) == 0 {
		return 0, err
	}
	every := heartbeatDefault
	for i, b := range beats[1:] {
		// Some that a client could not send for a while arrive together.
		gap := max(beats[i].Received.Sub(b.Received), beats[i].Occurred.Sub(b.Occurred))
		if i == 0 || gap > every {
			every = gap
		}
	}
	limit := heartbeatsMissed * max(every, heartbeatShortest)
	quiet := func(last core.Time) bool { return now.Sub(last) >= limit }
	if !quiet(beats[0].Received) {
		return 0, nil
	}
	run, err := s.store.FlowRun(ctx, id)
	if err != nil || !quiet(run.StateTimestamp) {
		return 0, ignoreMissing(err)
	}
	of := &core.IDFilter{Any: []core.UUID{id}}
	logs, err := s.store.Logs(ctx, &core.LogFilter{FlowRunID: of}, core.Page{Sort: "SEQ_DESC", Limit: 1})
	if err != nil || len(logs) > 0 && !quiet(logs[0].Timestamp) {
		return 0, err
	}
	tasks, err := s.store.TaskRuns(ctx, core.Filters{TaskRuns: &core.TaskRunFilter{FlowRunID: of}}, core.Page{Limit: 1})
	if err != nil || len(tasks) > 0 && !quiet(tasks[0].StateTimestamp) {
		return 0, err
	}
	return limit, nil
}

func (s *Service) crashSilent(ctx context.Context, id core.UUID, limit time.Duration) error {
	return s.commit.Write(ctx, func(tx core.Tx, out *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, id)
		if err != nil || run.StateType != core.Running {
			return ignoreMissing(err)
		}
		if _, err := tx.Lease(ctx, id); !core.IsNotFound(err) {
			return err
		}
		text := "its Prefect client has sent no heartbeat for " + limit.Round(time.Second).String()
		_, err = s.loseRun(ctx, tx, out, run, text, false)
		return err
	})
}

func ignoreMissing(err error) error {
	if core.IsNotFound(err) {
		return nil
	}
	return err
}
