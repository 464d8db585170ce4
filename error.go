package flowlite

import (
	"errors"
	"fmt"

	"github.com/flowlite/flowlite/runtime/core"
)

// What is wrong, for errors.Is: of Start, Attach, and the methods of a Run.
var (
	ErrNotFound     = errors.New("not found")
	ErrInvalid      = errors.New("invalid")
	ErrConflict     = errors.New("conflict")
	ErrNotConnected = errors.New("not connected")
)

// RunError is the error of a run that ended, but did not complete. It wraps
// ErrCancelled and ErrTimedOut where these are the reason.
type RunError struct {
	ID      string // of the run
	State   string // FAILED, CRASHED, or CANCELLED
	Message string // of the state: what the flow returned, or what ended its process
	cause   error
}

// Error names the run, its state, and the state's message.
func (e *RunError) Error() string {
	return fmt.Sprintf("run %s is %s: %s", e.ID, e.State, e.Message)
}

// Unwrap returns the sentinel that the run ended with, if any.
func (e *RunError) Unwrap() error { return e.cause }

// sentinel adds to an error what errors.Is can tell of it.
func sentinel(err error) error {
	switch core.CodeOf(err) {
	case core.ENotFound:
		return kindError{err, ErrNotFound}
	case core.EInvalid, core.EBadRequest:
		return kindError{err, ErrInvalid}
	case core.EConflict:
		return kindError{err, ErrConflict}
	case core.EUnavailable:
		return kindError{err, ErrNotConnected}
	}
	return err
}

type kindError struct{ error, kind error }

func (e kindError) Error() string   { return e.error.Error() }
func (e kindError) Unwrap() []error { return []error{e.error, e.kind} }
