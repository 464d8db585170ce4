package python

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/flowlite/flowlite/runtime/worker/account"
)

// ErrNoFork says that runs of this interpreter must be processes of their own.
var ErrNoFork = errors.New("no forking here")

const (
	// DefaultIdle is how long a warm parent waits for its next run.
	DefaultIdle = 5 * time.Minute
	maxParents  = 4
)

// Forker keeps warm parents: interpreters that have imported Prefect and fork a
// child for each run. There is none before the first run asks for it, one for
// each interpreter, folder and environment, and each ends when it was idle.
// The zero value is ready for use where Start is set.
type Forker struct {
	Start func(func() error) error // runs a function on the thread that starts processes
	Idle  time.Duration            // default: DefaultIdle
	Log   *slog.Logger
	As    *account.User // whom the processes belong to

	mu      sync.Mutex
	parents map[string]*parent
	closed  bool
}

// Request is one run.
type Request struct {
	Interpreter, Runner string
	ParentDir           string   // where the parent lives
	Dir                 string   // where the run does
	Env                 []string // of parent and run
	Own                 []string // of the run alone
	Stdout, Stderr      *os.File
	Logs                *os.File // descriptor 3 of the run; may be nil
}

// Child is a forked run. Done is closed at its end.
type Child struct {
	PID  int
	Done chan struct{}

	status syscall.WaitStatus
	err    error
}

// Wait returns how it ended; an error means that nobody knows.
func (c *Child) Wait() (syscall.WaitStatus, error) {
	<-c.Done
	return c.status, c.err
}
