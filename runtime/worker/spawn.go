package worker

import (
	"runtime"
	"sync"
)

// spawner starts processes from one thread that stays. Linux sends the
// parent-death signal when the *thread* that forked ends, not the process; a
// thread of Go's pool may end under us, this one ends only with close.
type spawner struct {
	once sync.Once
	jobs chan func()
	done chan struct{}
}

func (s *spawner) open() {
	s.once.Do(func() {
		s.jobs, s.done = make(chan func()), make(chan struct{})
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for {
				select {
				case job := <-s.jobs:
					job()
				case <-s.done:
					return
				}
			}
		}()
	})
}

func (s *spawner) do(start func() error) error {
	var err error
	ok := make(chan struct{})
	s.jobs <- func() { err = start(); close(ok) }
	<-ok
	return err
}

func (s *spawner) close() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}
