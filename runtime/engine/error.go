package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Why a context of a run ended: context.Cause tells one of these.
var (
	ErrCancelled = errors.New("the run was cancelled")
	ErrTimedOut  = errors.New("the time limit was exceeded")
	// ErrUnanswered is a time-out, too: errors.Is tells both.
	ErrUnanswered = fmt.Errorf("nobody answered the pause: %w", ErrTimedOut)

	ErrLeaseLost = errors.New("the run was given to another process")
	ErrSuspended = errors.New("the run is suspended: its process ends, and the run continues when it is resumed")

	// ErrStopped: this process ends, the run does not.
	ErrStopped = errors.New("the process is stopping: the run continues in another one")

	errAborted = errors.New("the server refused to run it")
)

// Replayed is the error of a task or flow that failed in an earlier process:
// its message, and of its chain the sentinels of this package.
type Replayed struct {
	Message string
	Cause   error
}

func (e *Replayed) Error() string { return e.Message }
func (e *Replayed) Unwrap() error { return e.Cause }

// EndedError is the error of a submitted run that did not complete.
type EndedError struct {
	State   core.StateType
	Message string
	Cause   error // as its caller would get it
}

func (e *EndedError) Error() string { return e.Cause.Error() }
func (e *EndedError) Unwrap() error { return e.Cause }

// PanicError is a panic of a flow's or task's code.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no retry can mend.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

type retryAfter struct {
	error
	delay time.Duration
}

func (r retryAfter) Unwrap() error { return r.error }

// RetryAfter marks an error whose next attempt must wait d.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return retryAfter{err, d}
}

// ErrorOf is what a final state that is no success means to its caller.
func ErrorOf(s *core.State) error {
	text := core.Deref(s.Message)
	if text == "" {
		text = "finished in state " + s.Name
	}
	switch {
	case s.Type == core.Cancelled:
		return &Replayed{text, ErrCancelled}
	case s.Name == core.NameTimedOut:
		return &Replayed{text, ErrTimedOut}
	}
	return &Replayed{text, nil}
}

// left tells whether the process is to leave the run as it stands: it will be
// continued elsewhere or later.
func left(ctx context.Context) error {
	if cause := context.Cause(ctx); leaves(cause) {
		return cause
	}
	return nil
}

func leaves(cause error) bool {
	return errors.Is(cause, ErrSuspended) || errors.Is(cause, ErrLeaseLost) || errors.Is(cause, ErrStopped) || errors.Is(cause, errAborted)
}
