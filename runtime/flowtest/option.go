package flowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// Option prepares the run.
type Option func(*settings)

type settings struct {
	inputs    []json.RawMessage
	variables map[string]any
	secrets   map[string]any
	deployed  []deployed
	cancelAt  string
	cancelled sync.Once
	// held is told of a paused run and tells whether it has dealt with it.
	held   func(*core.FlowRun) bool
	replay *replay

	mu       sync.Mutex
	tasks    map[string]*taskSettings // by name
	messages []scripted
}

// scripted is what the next receiver of a topic gets.
type scripted struct {
	topic string
	value core.JSON // nil: no message until its time-out
}

type taskSettings struct {
	stub     func(ctx context.Context, in any) (core.JSON, error)
	failures int
	err      error
	crash    bool // when its next outcome is stored
}

type deployed struct {
	name string
	flow *engine.Flow
}

func (s *settings) task(name string) *taskSettings {
	if s.tasks[name] == nil {
		s.tasks[name] = &taskSettings{}
	}
	return s.tasks[name]
}

// Answer resumes the run's next Pause with v.
func Answer(v any) Option {
	return func(s *settings) { s.inputs = append(s.inputs, json.RawMessage(core.ToJSON(v))) }
}

// Message is a message to topic that the run's next Receive or Select gets. Messages
// and NoMessages of a topic come in the order of the options.
func Message(topic string, v any) Option {
	return func(s *settings) { s.messages = append(s.messages, scripted{topic, core.ToJSON(v)}) }
}

// NoMessage lets the time-out of the run's next Receive or Select of topic pass.
func NoMessage(topic string) Option {
	return func(s *settings) { s.messages = append(s.messages, scripted{topic: topic}) }
}

// Variable is there for the flow to read.
func Variable(name string, v any) Option {
	return func(s *settings) { s.variables[name] = v }
}

// Secret is there for the flow to read.
func Secret(name string, v any) Option {
	return func(s *settings) { s.secrets[name] = v }
}

// Stub runs fn in place of the task's function. Retries, time limits, and
// caching of the task stay.
func Stub[In, Out any](task *flowlite.Task[In, Out], fn func(ctx context.Context, in In) (Out, error)) Option {
	return func(s *settings) {
		s.task(task.Name()).stub = func(ctx context.Context, in any) (core.JSON, error) {
			v, _ := in.(In)
			out, err := fn(ctx, v)
			if err != nil {
				return nil, err
			}
			b, err := json.Marshal(out)
			if err != nil {
				return nil, fmt.Errorf("the result of the stub of %s cannot be encoded as JSON: %w", task.Name(), err)
			}
			return b, nil
		}
	}
}

// Fail makes the first times executions of the task or step of this name fail
// with err, without calling its function.
func Fail(task string, times int, err error) Option {
	return func(s *settings) { s.task(task).failures, s.task(task).err = times, err }
}

// CrashAfter ends the run's process once, right after the first outcome of the
// task or step of this name is stored. The run continues in another process.
func CrashAfter(task string) Option {
	return func(s *settings) { s.task(task).crash = true }
}

// Cancel cancels the run at the first execution of the task or step of this
// name, whose function is called when its context has ended; or at the pause of
// this key.
func Cancel(at string) Option { return func(s *settings) { s.cancelAt = at } }

// Deployed is a deployment "flow/name" that RunDeployment and SubmitDeployment
// find, and whose runs call fn.
func Deployed[P, R any](name string, fn func(ctx context.Context, params P) (R, error)) Option {
	return func(s *settings) {
		flow, deployment, _ := strings.Cut(name, "/")
		s.deployed = append(s.deployed, deployed{deployment, engine.FlowOf(flowlite.NewFlow(flow, fn))})
	}
}

// calls applies the settings of tasks.
func (b *bench) calls() engine.Calls {
	if r := b.set.replay; r != nil {
		return engine.Calls{Replayed: r.replayed, Execute: r.execute}
	}
	return engine.Calls{Execute: b.call}
}

func (b *bench) call(ctx context.Context, t *engine.Task, _ *core.TaskRun, in any) (core.JSON, error) {
	s := b.set
	if s.cancelAt == t.Name {
		first := false
		s.cancelled.Do(func() { first = true })
		if first {
			if _, err := b.svc.CancelFlowRun(core.WithRunToken(context.WithoutCancel(ctx), core.UUID{}), b.run); err != nil {
				return nil, err
			}
			<-ctx.Done()
		}
	}
	s.mu.Lock()
	set := s.tasks[t.Name]
	fail := set != nil && set.failures > 0
	if fail {
		set.failures--
	}
	s.mu.Unlock()
	switch {
	case fail:
		return nil, set.err
	case set != nil && set.stub != nil:
		return set.stub(ctx, in)
	}
	return t.Fn(ctx, in)
}

// process is the server as one process of a run sees it.
type process struct {
	core.Orchestrator
	b     *bench
	id    core.UUID
	token core.UUID
	kill  context.CancelCauseFunc
}

// ReceiveMessage sends what the options say when a call of the tested run asks for
// the first time. Later, the call has its message, or the time-out passes.
func (p *process) ReceiveMessage(ctx context.Context, id core.UUID, r core.MessageRequest) (*core.RunMessage, error) {
	if id == p.b.run && r.By != "" {
		if err := p.b.deliver(ctx, r); err != nil {
			return nil, err
		}
	}
	return p.Orchestrator.ReceiveMessage(ctx, id, r)
}

// deliver sends the next message of the options to one of the topics, once for a call.
func (b *bench) deliver(ctx context.Context, r core.MessageRequest) error {
	s := b.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.asked[r.By] {
		return nil
	}
	b.asked[r.By] = true
	i := slices.IndexFunc(s.messages, func(m scripted) bool { return slices.Contains(r.Topics, m.topic) })
	if i < 0 {
		return nil
	}
	m := s.messages[i]
	s.messages = slices.Delete(s.messages, i, i+1)
	if m.value == nil {
		return nil
	}
	_, err := b.svc.SendMessage(ctx, b.run, core.MessageCreate{Topic: m.topic, Value: m.value})
	return err
}

// RecordTaskRuns ends the process after the outcome of a task that is to be
// followed by a crash.
func (p *process) RecordTaskRuns(ctx context.Context, reports []*core.TaskRunReport) error {
	if err := p.Orchestrator.RecordTaskRuns(ctx, reports); err != nil {
		return err
	}
	s := p.b.set
	s.mu.Lock()
	crash := false
	for _, r := range reports {
		if set := s.tasks[r.TaskRun.TaskKey]; set != nil && set.crash && r.TaskRun.StateType.Final() {
			set.crash, crash = false, true
		}
	}
	s.mu.Unlock()
	if !crash {
		return nil
	}
	if _, err := p.Orchestrator.ReportCrash(core.WithRunToken(ctx, p.token), p.id, "crashed by the test", true); err != nil {
		return err
	}
	p.kill(engine.ErrLeaseLost)
	return core.Errorf(core.ELeaseLost, "crashed by the test")
}
