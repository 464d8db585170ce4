package flowlite

import (
	"context"
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// FlowOption is a setting of a flow.
type FlowOption interface{ applyFlow(*flowSettings) }

// TaskOption is a setting of a task or step.
type TaskOption interface{ applyTask(*engine.TaskOptions) }

// Option is a setting of flows and tasks alike.
type Option interface {
	FlowOption
	TaskOption
}

type flowSettings struct {
	engine.FlowOptions
	deployments []Deployment
}

type flowOption func(*flowSettings)

func (o flowOption) applyFlow(s *flowSettings) { o(s) }

type taskOption func(*engine.TaskOptions)

func (o taskOption) applyTask(s *engine.TaskOptions) { o(s) }

type bothOption struct {
	flow func(*flowSettings)
	task func(*engine.TaskOptions)
}

func (o bothOption) applyFlow(s *flowSettings)       { o.flow(s) }
func (o bothOption) applyTask(s *engine.TaskOptions) { o.task(s) }

func retryOption(set func(*engine.Retry)) Option {
	return bothOption{func(s *flowSettings) { set(&s.Retry) }, func(s *engine.TaskOptions) { set(&s.Retry) }}
}

// Retries allows n more attempts after a failure. The delays come one after
// the other before each, and the last one repeats; none means at once.
func Retries(n int, delays ...time.Duration) Option {
	return retryOption(func(r *engine.Retry) { r.Max, r.Delays = n, delays })
}

// Exponential makes the delays base, 2 base, 4 base … up to limit, each longer
// by a random share of it up to jitter. Give the number of attempts by Retries.
func Exponential(base, limit time.Duration, jitter float64) Option {
	return retryOption(func(r *engine.Retry) { r.Base, r.Cap, r.Jitter = base, limit, jitter })
}

// RetryIf retries only the errors that it says true to.
func RetryIf(retriable func(error) bool) Option {
	return retryOption(func(r *engine.Retry) { r.If = retriable })
}

// Permanent marks an error that no retry can mend.
func Permanent(err error) error { return engine.Permanent(err) }

// RetryAfter marks an error after which the next attempt must wait d.
func RetryAfter(err error, d time.Duration) error { return engine.RetryAfter(err, d) }

// Timeout ends the context of an attempt after d, with ErrTimedOut as cause.
func Timeout(d time.Duration) Option {
	return bothOption{func(s *flowSettings) { s.Timeout = d }, func(s *engine.TaskOptions) { s.Timeout = d }}
}

// Tags label runs.
func Tags(tags ...string) Option {
	return bothOption{func(s *flowSettings) { s.Tags = append(s.Tags, tags...) },
		func(s *engine.TaskOptions) { s.Tags = append(slices.Clip(s.Tags), tags...) }}
}

// Description of a flow, for people.
func Description(text string) FlowOption {
	return flowOption(func(s *flowSettings) { s.FlowOptions.Description = text })
}

// Version of a flow.
func Version(v string) FlowOption { return flowOption(func(s *flowSettings) { s.Version = v }) }

// RunName names the run that Run makes; without it the server finds a name.
func RunName(name string) FlowOption { return flowOption(func(s *flowSettings) { s.RunName = name }) }

// Deploys declares deployments that `flowlite up` and `deploy` make.
func Deploys(d ...Deployment) FlowOption {
	return flowOption(func(s *flowSettings) { s.deployments = append(s.deployments, d...) })
}

// CacheBy lets calls with the same key, of whatever run, share one result. An
// empty key does not cache.
func CacheBy[In any](key func(In) string) TaskOption {
	return taskOption(func(s *engine.TaskOptions) {
		s.CacheKey = func(in any) string {
			v, _ := in.(In)
			return key(v)
		}
	})
}

// CacheFor is how long a cached result may be used; without it, for ever.
func CacheFor(d time.Duration) TaskOption {
	return taskOption(func(s *engine.TaskOptions) { s.CacheFor = d })
}

// Key is a call's identity within its run in place of its input: calls with
// the same key are one call.
func Key(key string) TaskOption { return taskOption(func(s *engine.TaskOptions) { s.Key = key }) }

// KeyBy makes a call's identity within its run from its input: calls with the
// same key are one call, whatever else their inputs hold. An input type can then
// change as long as the key stays. With an empty key, the input is the identity.
func KeyBy[In any](key func(In) string) TaskOption {
	return taskOption(func(s *engine.TaskOptions) {
		s.KeyBy = func(in any) string {
			v, _ := in.(In)
			return key(v)
		}
	})
}

// Renamed names what the task or step was called before: runs that were begun
// by earlier code reuse what they did under those names.
func Renamed(old ...string) TaskOption {
	return taskOption(func(s *engine.TaskOptions) { s.Renamed = append(slices.Clip(s.Renamed), old...) })
}

// MaxConcurrency bounds how many calls of the task a run executes at once.
func MaxConcurrency(n int) TaskOption {
	return taskOption(func(s *engine.TaskOptions) { s.Concurrency = n })
}

// Waitable is a Future of whatever type.
type Waitable interface{ raw() *engine.Future }

// After makes the call wait for futures, and draws the edge in the timeline.
// Their failure does not stop it.
func After(futures ...Waitable) TaskOption {
	return taskOption(func(s *engine.TaskOptions) {
		s.After = slices.Clip(s.After)
		for _, f := range futures {
			s.After = append(s.After, f.raw())
		}
	})
}

// Hook runs after a flow run has ended; ctx still is in the run.
type Hook func(ctx context.Context, end End)

// End is how a flow run ended.
type End struct {
	RunID   string
	RunName string
	State   string // Completed, Failed, TimedOut, Cancelled, Crashed
	Message string
}

func hook(h Hook) engine.Hook {
	return func(ctx context.Context, r *core.FlowRun, s *core.State) {
		h(ctx, End{RunID: r.ID.String(), RunName: r.Name, State: s.Name, Message: core.Deref(s.Message)})
	}
}

// OnCompletion runs h after a run of the flow completed.
func OnCompletion(h Hook) FlowOption {
	return flowOption(func(s *flowSettings) { s.Hooks.Completed = append(s.Hooks.Completed, hook(h)) })
}

// OnFailure runs h after a run of the flow failed for good.
func OnFailure(h Hook) FlowOption {
	return flowOption(func(s *flowSettings) { s.Hooks.Failed = append(s.Hooks.Failed, hook(h)) })
}

// OnCancellation runs h after a run of the flow was cancelled.
func OnCancellation(h Hook) FlowOption {
	return flowOption(func(s *flowSettings) { s.Hooks.Cancelled = append(s.Hooks.Cancelled, hook(h)) })
}

// OnCrashed runs h after the run crashed where its process lived to tell: the
// flow's code ended its goroutine (runtime.Goexit), or the engine could not go
// on, as when a result cannot be stored. A process that died — killed, out of
// memory, os.Exit, a panic in a goroutine of its own — runs no hook: its worker
// reports the crash, as the event prefect.flow-run.Crashed. A panic of the
// flow's own code is a failure: OnFailure.
func OnCrashed(h Hook) FlowOption {
	return flowOption(func(s *flowSettings) { s.Hooks.Crashed = append(s.Hooks.Crashed, hook(h)) })
}
