package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// LogSocket sends log lines to the worker that started this process. A line
// that was written survives the process: the worker stores it.
//
// Each line of the stream is a core.LogCreate as JSON, or {"flush": N}, which
// the worker answers with N when all lines before it are stored.
type LogSocket struct {
	conn net.Conn

	mu      sync.Mutex
	flushes int
	waiting map[int]chan struct{}
	gone    chan struct{} // closed when the worker does not listen any more
}

// WorkerLogs returns the socket that a worker gave this process, or nil. The
// process's own children do not get it.
func WorkerLogs() *LogSocket {
	fd, err := strconv.Atoi(os.Getenv(core.LogSocketEnv))
	_ = os.Unsetenv(core.LogSocketEnv)
	if err != nil {
		return nil
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "worker logs")
	conn, err := net.FileConn(f) // an error if a shell in between made something else of the descriptor
	if err != nil {
		return nil
	}
	_ = f.Close()
	return NewLogSocket(conn)
}

// NewLogSocket returns a LogSocket that writes to conn.
func NewLogSocket(conn net.Conn) *LogSocket {
	s := &LogSocket{conn: conn, waiting: map[int]chan struct{}{}, gone: make(chan struct{})}
	go s.listen()
	return s
}

func (s *LogSocket) listen() {
	defer close(s.gone)
	for sc := bufio.NewScanner(s.conn); sc.Scan(); {
		n, _ := strconv.Atoi(sc.Text())
		s.mu.Lock()
		if done := s.waiting[n]; done != nil {
			close(done)
			delete(s.waiting, n)
		}
		s.mu.Unlock()
	}
}

// write returns false if the worker does not listen any more.
func (s *LogSocket) write(l core.LogCreate) bool { return s.put(l) == nil }

func (s *LogSocket) put(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.conn.Write(append(b, '\n')) // net.Conn writes whole, one goroutine after the other
	return err
}

// flush waits until the worker has stored what was written.
func (s *LogSocket) flush(ctx context.Context) error {
	done := make(chan struct{})
	s.mu.Lock()
	s.flushes++
	n := s.flushes
	s.waiting[n] = done
	s.mu.Unlock()
	if err := s.put(map[string]int{"flush": n}); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-s.gone:
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
