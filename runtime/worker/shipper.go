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
	batchLines   = 250
	batchBytes   = 512 << 10
	bufferBytes  = 32 << 20 // kept while the server is away
	shipDeadline = 3 * time.Second
)

// shipper sends log entries in batches, in order, and keeps them while the
// server is away. When its buffer is full the newest are dropped and counted:
// how a run began says more than the flood that followed.
type shipper struct {
	orch core.Orchestrator
	log  *slog.Logger

	mu      sync.Mutex
	queue   []core.LogCreate
	size    int
	dropped map[core.UUID]int
	masks   map[core.UUID]*strings.Replacer
	last    core.Time
	wake    chan struct{}
	urgent  chan chan struct{}
	quit    chan struct{}
	done    chan struct{}
}

func newShipper(orch core.Orchestrator, log *slog.Logger) *shipper {
	s := &shipper{
		orch: orch, log: log, dropped: map[core.UUID]int{}, masks: map[core.UUID]*strings.Replacer{}, wake: make(chan struct{}, 1),
		urgent: make(chan chan struct{}), quit: make(chan struct{}), done: make(chan struct{}),
	}
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
	if s.size+len(text) > bufferBytes {
		s.dropped[id]++
		return
	}
	if n := s.dropped[id]; n > 0 {
		delete(s.dropped, id)
		s.push(id, 30, fmt.Sprintf("%d lines were dropped: more output than the server took", n))
	}
	s.push(id, level, text)
	select {
	case s.wake <- struct{}{}:
	default:
	}
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

// hide is the text without the words that are masked for the run.
func (s *shipper) hide(id core.UUID, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden(id, text)
}

func (s *shipper) hidden(id core.UUID, text string) string {
	if m := s.masks[id]; m != nil {
		return m.Replace(text)
	}
	return text
}

// push gives each entry a later time than the one before: logs sort by it.
func (s *shipper) push(id core.UUID, level int64, text string) {
	at := core.Now()
	if at <= s.last {
		at = s.last + 1
	}
	s.last = at
	text = s.hidden(id, text)
	s.queue = append(s.queue, core.LogCreate{Name: loggerName, Level: level, Message: text, Timestamp: at, FlowRunID: id})
	s.size += len(text)
}

// flush waits until what was added is sent, within reason.
func (s *shipper) flush() {
	ok := make(chan struct{})
	t := time.NewTimer(shipDeadline)
	defer t.Stop()
	select {
	case s.urgent <- ok:
	case <-s.done:
		return
	case <-t.C:
		return
	}
	select {
	case <-ok:
	case <-s.done:
	case <-t.C:
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

func (s *shipper) loop() {
	defer close(s.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // what is under way at the end gets a last moment
		<-s.quit
		time.AfterFunc(shipDeadline, cancel)
	}()
	failures := 0
	for {
		var ok chan struct{}
		select {
		case <-s.quit:
			for s.send(ctx) == nil && s.waiting() && ctx.Err() == nil {
				continue
			}
			return
		case ok = <-s.urgent:
		case <-s.wake:
			t := time.NewTimer(shipEvery) // let a batch gather
			select {
			case <-t.C:
			case ok = <-s.urgent:
			case <-s.quit:
			}
			t.Stop()
		}
		for s.waiting() && ctx.Err() == nil {
			if err := s.send(ctx); err != nil {
				if failures == 0 {
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
				pause(waitCtx, backoff(failures))
				stop()
				failures++
				select {
				case <-s.quit:
					_ = s.send(ctx)
					return
				default:
				}
				continue
			}
			failures = 0
		}
		if ok != nil {
			close(ok)
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
		size += len(s.queue[n].Message)
		n++
	}
	batch := s.queue[:n:n]
	s.mu.Unlock()
	if n == 0 {
		return nil
	}
	err := s.orch.WriteLogs(ctx, batch)
	if err != nil && away(err) {
		return err
	}
	if err != nil {
		s.log.Warn("the server refused log lines", "lines", n, "error", err)
	}
	s.mu.Lock()
	s.queue = s.queue[n:]
	s.size -= size
	if len(s.queue) == 0 {
		s.queue = nil
	}
	s.mu.Unlock()
	return nil
}
