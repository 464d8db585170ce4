package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	loggerName   = "flowlite.process"
	shipEvery    = 50 * time.Millisecond
	batchLines   = 1000
	batchBytes   = 512 << 10
	bufferBytes  = 32 << 20         // kept while the server is away
	lineBytes    = 128              // what an entry takes besides its text
	shipDeadline = 3 * time.Second  // at the worker's end
	endDeadline  = 30 * time.Second // at a run's end, before its state is set
)

// shipper sends log entries in batches, in order, and keeps them while the
// server is away. When its buffer is full the newest are dropped and counted:
// how a run began says more than the flood that followed.
type shipper struct {
	orch core.DataOrchestrator
	log  *slog.Logger

	mu      sync.Mutex
	moved   sync.Cond // lines were sent, or the shipper was closed
	queue   []core.LogCreate
	size    int
	added   int // lines so far
	sent    int
	closed  bool
	dropped map[core.UUID]int
	masks   map[core.UUID]*core.Mask
	last    core.Time
	wake    chan struct{}
	hurry   chan struct{}
	quit    chan struct{}
	done    chan struct{}
}

func newShipper(orch core.DataOrchestrator, log *slog.Logger) *shipper {
	s := &shipper{
		orch: orch, log: log, dropped: map[core.UUID]int{}, masks: map[core.UUID]*core.Mask{}, wake: make(chan struct{}, 1),
		hurry: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	s.moved.L = &s.mu
	go s.loop()
	return s
}

// text adds each line of a longer text.
func (s *shipper) text(id core.UUID, level int64, text string) {
	for line := range strings.Lines(text) {
		s.add(id, level, clean([]byte(line)))
	}
}

func (s *shipper) add(id core.UUID, level int64, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size > bufferBytes {
		s.dropped[id]++
		return
	}
	if n := s.dropped[id]; n > 0 {
		delete(s.dropped, id)
		s.push(id, 30, fmt.Sprintf("%d lines were dropped: more output than the server took", n))
	}
	s.push(id, level, text)
}

// put adds an entry that has its time. While ctx lives it waits for room.
func (s *shipper) put(ctx context.Context, id core.UUID, l core.LogCreate) {
	s.await(ctx, func() bool { return s.size <= bufferBytes })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue(id, l)
}

// mask hides the words in what is added for a run, from now on and until no
// words are given.
func (s *shipper) mask(id core.UUID, words []string) {
	m := core.Masker(words)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m == nil {
		delete(s.masks, id)
	} else {
		s.masks[id] = m
	}
}

// hide is the text without the words that are masked for the run, and without
// the credentials of any.
func (s *shipper) hide(id core.UUID, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden(id, text)
}

func (s *shipper) hidden(id core.UUID, text string) string {
	if m := s.masks[id]; m != nil {
		text = m.Replace(text)
	}
	return core.MaskRunAuth(text)
}

// push gives each entry a later time than the one before: logs sort by it.
func (s *shipper) push(id core.UUID, level int64, text string) {
	at := core.Now()
	if at <= s.last {
		at = s.last + 1
	}
	s.last = at
	s.enqueue(id, core.LogCreate{Name: loggerName, Level: level, Message: text, Timestamp: at, FlowRunID: id})
}

func (s *shipper) enqueue(id core.UUID, l core.LogCreate) {
	l.Message = s.hidden(id, l.Message)
	s.queue = append(s.queue, l)
	s.size += len(l.Message) + lineBytes
	s.added++
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// flush waits until what was added is sent, but no longer than that.
func (s *shipper) flush(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	s.wait(ctx, s.mark())
}

// mark is how many lines were added.
func (s *shipper) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added
}

// wait returns when so many lines are sent, ctx is over or the shipper is closed.
func (s *shipper) wait(ctx context.Context, upTo int) {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
	s.await(ctx, func() bool { return s.sent >= upTo })
}

// await returns when it is so, ctx is over or the shipper is closed.
func (s *shipper) await(ctx context.Context, so func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if so() {
		return
	}
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.moved.Broadcast()
	})()
	for !so() && !s.closed && ctx.Err() == nil {
		s.moved.Wait()
	}
}

func (s *shipper) close() {
	select {
	case <-s.quit:
	default:
		close(s.quit)
	}
	<-s.done
}

func (s *shipper) end() {
	s.mu.Lock()
	s.closed = true
	s.moved.Broadcast()
	s.mu.Unlock()
	close(s.done)
}

func (s *shipper) loop() {
	defer s.end()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // what is under way at the end gets a last moment
		<-s.quit
		time.AfterFunc(shipDeadline, cancel)
	}()
	again, failing := outage(), false
	for {
		select {
		case <-s.quit:
			for s.send(ctx) == nil && s.waiting() && ctx.Err() == nil {
				continue
			}
			return
		case <-s.wake:
			t := time.NewTimer(shipEvery) // let a batch gather
			select {
			case <-t.C:
			case <-s.hurry:
			case <-s.quit:
			}
			t.Stop()
		}
		for s.waiting() && ctx.Err() == nil {
			if err := s.send(ctx); err != nil {
				if !failing {
					s.log.Warn("logs cannot be sent now; keeping them", "error", err)
				}
				waitCtx, stop := context.WithCancel(ctx)
				go func() {
					select {
					case <-s.quit:
						stop()
					case <-waitCtx.Done():
					}
				}()
				_ = again.Wait(waitCtx)
				stop()
				failing = true
				select {
				case <-s.quit:
					_ = s.send(ctx)
					return
				default:
				}
				continue
			}
			again.Reset()
			failing = false
		}
	}
}

func (s *shipper) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) > 0
}

// send ships one batch. What the server refuses is dropped: sending it again
// would not help, and it holds up the rest.
func (s *shipper) send(ctx context.Context) error {
	s.mu.Lock()
	n, size := 0, 0
	for n < len(s.queue) && n < batchLines && (n == 0 || size+len(s.queue[n].Message) <= batchBytes) {
		size += len(s.queue[n].Message) + lineBytes
		n++
	}
	batch := s.queue[:n:n]
	s.mu.Unlock()
	if n == 0 {
		return nil
	}
	err := s.orch.WriteLogs(ctx, batch)
	if err != nil && isTransient(err) {
		return err
	}
	if err != nil {
		s.log.Warn("the server refused log lines", "lines", n, "error", err)
	}
	s.mu.Lock()
	s.queue = s.queue[n:]
	s.size -= size
	s.sent += n
	s.moved.Broadcast()
	if len(s.queue) == 0 {
		s.queue = nil
	}
	s.mu.Unlock()
	return nil
}
