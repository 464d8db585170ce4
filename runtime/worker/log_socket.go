package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/flowlite/flowlite/runtime/core"
)

// logFD is the descriptor under which the process finds its end.
const logFD = "3"

// logSocket is the stream on which a flow's process hands over its log lines
// as it makes them: what a dying process has written can still be read. See
// engine.LogSocket for what is written.
type logSocket struct {
	net.Conn          // the worker's end
	theirs   *os.File // the process's end
}

func newLogSocket() (*logSocket, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("socket for logs: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "logs of a flow"), os.NewFile(uintptr(fds[1]), "logs to the worker")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, fmt.Errorf("socket for logs: %w", err)
	}
	return &logSocket{conn, theirs}, nil
}

// collect takes the lines of a run until its process and the processes that it
// started have closed the socket. While the shipper has no room and the process
// lives it does not read, so that a flood slows the flow down and nothing of it
// is lost.
func (w *Worker) collect(lives context.Context, r *run, from net.Conn) {
	rd := bufio.NewReaderSize(from, maxLine)
	for {
		line, err := rd.ReadBytes('\n')
		if err != nil {
			return // a line without its end was cut off by the process's death
		}
		var said struct {
			core.LogCreate
			Flush int `json:"flush"`
		}
		switch err := json.Unmarshal(line, &said); {
		case err != nil:
			w.log.Warn("a log line of a run cannot be read", "flow_run", r.id(), "error", err)
		case said.Flush > 0:
			upTo := w.logs.mark()
			go func() {
				w.logs.wait(lives, upTo)
				_, _ = fmt.Fprintln(from, said.Flush)
			}()
		default:
			said.Message = clean([]byte(said.Message))
			w.logs.put(lives, r.id(), said.LogCreate)
		}
	}
}
