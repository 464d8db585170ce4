package orchestrate

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// queueTask lets task workers have a background task run that has entered
// SCHEDULED. It stands in the database until a worker has acknowledged it, so
// neither a restart nor a worker that vanishes loses it.
func (s *Service) queueTask(ctx context.Context, tx core.TaskQueueTx, out *commit.Outbox, r *core.TaskRun) error {
	if r.State == nil || r.State.Type != core.Scheduled || !r.State.Details.Deferred {
		return nil
	}
	out.Queued(r.TaskKey)
	return tx.QueueTaskRun(ctx, core.QueuedTaskRun{TaskRunID: r.ID, TaskKey: r.TaskKey, Due: r.State.Details.ScheduledTime})
}

// taskFeeds is what this server has delivered but not seen acknowledged, and
// who listens to it. It need not outlive the process: connections do not either.
type taskFeeds struct {
	sync.Mutex
	taken map[core.UUID]bool
	open  map[*TaskFeed]bool
}

// TaskFeed hands the background task runs of some keys to one task worker, one
// at a time: each must be acknowledged before the next. It is for one goroutine.
type TaskFeed struct {
	service *Service
	worker  string
	keys    []string
	sub     core.Subscription
	out     *core.TaskRun // delivered, not acknowledged
}

// takenFor is how long a run whose server vanished stays with it. Task workers
// acknowledge at once.
const takenFor = 30 * time.Second

// FeedTasks lets a task worker take part; it is seen by TaskWorkers until Close.
func (s *Service) FeedTasks(worker string, keys []string) *TaskFeed {
	f := &TaskFeed{service: s, worker: worker, keys: keys, sub: s.bus.Subscribe(core.TopicTask, "", 64)}
	s.feeds.Lock()
	defer s.feeds.Unlock()
	if s.feeds.open == nil {
		s.feeds.open, s.feeds.taken = map[*TaskFeed]bool{}, map[core.UUID]bool{}
	}
	s.feeds.open[f] = true
	return f
}

// Next waits for a run that is due and that no other feed has. EUnavailable
// when the server stops.
func (f *TaskFeed) Next(ctx context.Context) (*core.TaskRun, error) {
	for {
		run, next, err := f.take(ctx)
		if err != nil || run != nil {
			return run, err
		}
		if err := f.wait(ctx, next); err != nil {
			return nil, err
		}
	}
}

// wait returns when there may be something: after a message for one of the
// keys, or after the time, for messages may be lost.
func (f *TaskFeed) wait(ctx context.Context, most time.Duration) error {
	again := time.NewTimer(min(most, pollAgain))
	defer again.Stop()
	for {
		select {
		case m, open := <-f.sub.C():
			if !open {
				return errStopping
			}
			if m.Missed || slices.Contains(f.keys, m.Key) {
				return nil
			}
		case <-again.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// take is the first run that is due and free, or how long until one may be.
func (f *TaskFeed) take(ctx context.Context) (*core.TaskRun, time.Duration, error) {
	s := f.service
	s.feeds.Lock()
	defer s.feeds.Unlock()
	var queued []core.QueuedTaskRun
	for _, key := range f.keys {
		some, err := s.store.QueuedTaskRuns(ctx, key, s.now(), len(s.feeds.taken)+1)
		if err != nil {
			return nil, 0, err
		}
		queued = append(queued, some...)
	}
	gone := false
	slices.SortStableFunc(queued, func(a, b core.QueuedTaskRun) int { return cmp.Compare(a.Due, b.Due) })
	for _, q := range queued {
		if s.feeds.taken[q.TaskRunID] {
			continue
		}
		if wait := q.Due.Sub(s.now()); wait > 0 {
			return nil, wait, nil
		}
		run, err := s.store.TaskRun(ctx, q.TaskRunID)
		if err != nil && !core.IsNotFound(err) {
			return nil, 0, err
		}
		if run == nil || run.StateType != core.Scheduled { // cancelled, or begun by other means
			if err := s.unqueueTask(ctx, q.TaskRunID); err != nil {
				return nil, 0, err
			}
			gone = true
			continue
		}
		if ours, err := s.takeTask(ctx, run.ID); err != nil {
			return nil, 0, err
		} else if !ours {
			gone = true
			continue
		}
		s.feeds.taken[run.ID] = true
		f.out = run
		return run, 0, nil
	}
	if gone { // there may be others behind
		return nil, 0, nil
	}
	return nil, pollAgain, nil
}

// takeTask keeps other servers from delivering a run.
func (s *Service) takeTask(ctx context.Context, id core.UUID) (ours bool, err error) {
	if !s.store.Shared() {
		return true, nil
	}
	err = s.store.Write(ctx, func(tx core.Tx) (err error) {
		ours, err = tx.TakeQueuedTaskRun(ctx, id, s.now(), s.now().Add(takenFor))
		return err
	})
	return ours, err
}

func (s *Service) unqueueTask(ctx context.Context, id core.UUID) error {
	return s.store.Write(ctx, func(tx core.Tx) error { return tx.UnqueueTaskRun(ctx, id) })
}

// Ack says that the worker has the delivered run: nobody else gets it.
func (f *TaskFeed) Ack(ctx context.Context) error {
	if f.out == nil {
		return nil
	}
	if err := f.service.unqueueTask(ctx, f.out.ID); err != nil {
		return err
	}
	f.release()
	return nil
}

func (f *TaskFeed) release() {
	s := f.service
	s.feeds.Lock()
	defer s.feeds.Unlock()
	delete(s.feeds.taken, f.out.ID)
	f.out = nil
}

// Close gives an unacknowledged run back, for the next worker.
func (f *TaskFeed) Close() {
	f.sub.Close()
	f.service.feeds.Lock()
	delete(f.service.feeds.open, f)
	f.service.feeds.Unlock()
	if f.out != nil {
		key, id := f.out.TaskKey, f.out.ID
		f.release()
		if f.service.store.Shared() {
			ctx, cancel := context.WithTimeout(context.Background(), takenFor)
			defer cancel()
			err := f.service.store.Write(ctx, func(tx core.Tx) error { return tx.GiveBackTaskRun(ctx, id) })
			if err != nil {
				f.service.log.Warn("a background task run waits until its delivery has timed out", "task_run", id, "error", err)
			}
		}
		f.service.bus.Publish(core.Message{Topic: core.TopicTask, Key: key})
	}
}

// TaskWorkers are those that listen, to any of the keys if there are some.
func (s *Service) TaskWorkers(keys []string) []core.TaskWorker {
	s.feeds.Lock()
	defer s.feeds.Unlock()
	of := map[string][]string{}
	for f := range s.feeds.open {
		of[f.worker] = append(of[f.worker], f.keys...)
	}
	out := []core.TaskWorker{}
	for worker, has := range of {
		slices.Sort(has)
		if len(keys) == 0 || slices.ContainsFunc(has, func(k string) bool { return slices.Contains(keys, k) }) {
			out = append(out, core.TaskWorker{Identifier: worker, TaskKeys: slices.Compact(has), Timestamp: s.now()})
		}
	}
	slices.SortFunc(out, func(a, b core.TaskWorker) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return out
}
