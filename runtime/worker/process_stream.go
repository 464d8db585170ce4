package worker

import (
	"context"
	"os"
	"sync"
	"time"
)

// pipeGrace is how long output may come after the process itself has ended.
const pipeGrace = 2 * time.Second

// streams connect a worker with the process of a run: its output, its log entries, and
// the claimed run that is handed to it.
type streams struct {
	outR, outW, errR, errW *os.File

	logs    *logSocket
	claimed *handover  // nil: the process reads its run from the server
	extra   []*os.File // the process's ends, from descriptor 3 on
}

func newStreams(r *run, l *launchable) (_ *streams, err error) {
	s := &streams{}
	defer func() {
		if err != nil {
			s.closeTheirs()
			s.close()
		}
	}()
	if s.outR, s.outW, err = os.Pipe(); err != nil {
		return nil, err
	}
	if s.errR, s.errW, err = os.Pipe(); err != nil {
		return nil, err
	}
	if s.logs, err = newLogSocket(); err != nil {
		return nil, err
	}
	s.extra = []*os.File{s.logs.theirs} // descriptor logFD
	if l.handsOver() {
		if s.claimed, err = newHandover(r.claim.FlowRun); err != nil {
			return nil, err
		}
		s.extra = append(s.extra, s.claimed.theirs) // descriptor runFD
	}
	return s, nil
}

// closeTheirs closes the process's ends in this process, so that reading ends with the
// process.
func (s *streams) closeTheirs() {
	s.outW.Close()
	s.errW.Close()
	for _, f := range s.extra {
		f.Close()
	}
}

// close closes the worker's ends. It may be repeated.
func (s *streams) close() {
	s.outR.Close()
	s.errR.Close()
	if s.logs != nil {
		s.logs.Close()
	}
	if s.claimed != nil {
		s.claimed.Close()
	}
}

// read takes what the process writes, until nothing holds its ends any more: then the
// channel is closed. It takes log entries while ctx lives.
func (w *Worker) read(ctx context.Context, r *run, l *launchable, s *streams, tail *tail) <-chan struct{} {
	var all sync.WaitGroup
	all.Go(func() { w.capture(r, s.outR, l.quiet, nil) })
	all.Go(func() { w.capture(r, s.errR, l.quiet, tail) })
	all.Go(func() { w.collect(ctx, r, s.logs) })
	drained := make(chan struct{})
	go func() { all.Wait(); close(drained) }()
	return drained
}

// drain waits for the end of read, but only for a while: something that left the process's
// group may still hold its ends.
func (s *streams) drain(drained <-chan struct{}) {
	late := time.NewTimer(pipeGrace)
	defer late.Stop()
	select {
	case <-drained:
	case <-late.C:
		s.outR.Close()
		s.errR.Close()
		s.logs.Close()
		<-drained
	}
}
