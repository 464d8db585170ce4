package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Retry is the one vocabulary of retries, for flows and tasks.
type Retry struct {
	Max    int
	Delays []time.Duration // the last one repeats
	Base   time.Duration   // exponential: Base, 2 Base, 4 Base … up to Cap
	Cap    time.Duration
	Jitter float64 // adds up to this share of the delay
	If     func(error) bool
}

// delay before the attempt after the n-th failure; false means there is none.
func (r Retry) delay(err error, n int) (time.Duration, bool) {
	if n > r.Max || !r.retriable(err) {
		return 0, false
	}
	if after, ok := errors.AsType[retryAfter](err); ok {
		return after.delay, true
	}
	var d time.Duration
	switch {
	case r.Base > 0:
		d = r.Base
		for i := 1; i < n && (r.Cap == 0 || d < r.Cap) && d < 1<<55; i++ {
			d *= 2
		}
		if r.Cap > 0 {
			d = min(d, r.Cap)
		}
	case len(r.Delays) > 0:
		d = r.Delays[min(n, len(r.Delays))-1]
	}
	if r.Jitter > 0 {
		d += time.Duration(rand.Float64() * r.Jitter * float64(d))
	}
	return d, true
}

func (r Retry) retriable(err error) bool {
	if _, ok := errors.AsType[permanent](err); ok {
		return false
	}
	return r.If == nil || r.If(err)
}

// Hook runs after a flow run entered a final state.
type Hook func(ctx context.Context, run *core.FlowRun, state *core.State)

// Hooks of a flow. Crashed runs where the process still can say so.
type Hooks struct {
	Completed, Failed, Cancelled, Crashed []Hook
}

// FlowOptions are the settings of a flow.
type FlowOptions struct {
	Description string
	Version     string
	Retry       Retry
	Timeout     time.Duration
	Tags        []string
	Hooks       Hooks
	RunName     string
}

// TaskOptions are the settings of a task.
type TaskOptions struct {
	Retry       Retry
	Timeout     time.Duration
	Tags        []string
	CacheKey    func(in any) string
	CacheFor    time.Duration
	Key         string
	KeyBy       func(in any) string
	Renamed     []string // former names
	Concurrency int
	After       []*Future
}

// Flow is a flow with its types erased.
type Flow struct {
	Name    string
	Schema  core.JSON // of the parameters
	Options FlowOptions
	Fn      func(ctx context.Context, params core.JSON) (core.JSON, error)
	// Check completes parameters that come from outside the program, or says
	// what is wrong with them. Nil takes them as they are.
	Check func(params core.JSON) (core.JSON, error)
	// Decode and InputType are those of the Task that stands for a subflow.
	Decode    func(stored core.JSON) ([]any, error)
	InputType func() string
	// Declared returns the deployments that the flow's code declares, or one of
	// that name if it declares none.
	Declared func(name string) ([]core.DeploymentCreate, error)
}

// Checked returns the flow for parameters from outside the program: a run whose
// parameters do not pass Check fails.
func (f *Flow) Checked() *Flow {
	if f.Check == nil {
		return f
	}
	c := *f
	c.Fn = func(ctx context.Context, params core.JSON) (core.JSON, error) {
		params, err := f.Check(params)
		if err != nil {
			return nil, Permanent(err)
		}
		return f.Fn(ctx, params)
	}
	return &c
}

// Task is a task with its types erased. Its input is encoded once, for its
// identity; Fn gets the value itself.
type Task struct {
	Name    string
	Options TaskOptions
	Fn      func(ctx context.Context, in any) (core.JSON, error)
	NoInput bool // a step: identity is name and occurrence
	Subflow bool // the call stands for a run of a flow
	// Decode reads an input that an earlier version of the code stored into
	// today's type: with new fields at zero and, where the type declares
	// defaults, with those. Nil compares the calls of no earlier version.
	Decode func(stored core.JSON) ([]any, error)
	// InputType is a digest of the input's type, stored with calls whose input is not.
	InputType func() string
}
