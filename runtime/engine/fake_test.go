package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// fake is as much of a server as the engine's own tests need.
type fake struct {
	core.Orchestrator // calls that no test makes
	mu                sync.Mutex
	now               func() core.Time
	runs              map[core.UUID]*core.FlowRun
	tasks             map[core.UUID]*core.TaskRun
	order             []core.UUID
	states            map[core.UUID][]string
	cache             map[string]*core.State
	inputs            map[string]string
	results           map[string][]byte
	logs              []core.LogCreate
	batches           int
	changed           chan struct{}
	away              int // how many records fail before the server is back
}

func newFake() *fake {
	return &fake{now: core.Now, runs: map[core.UUID]*core.FlowRun{}, tasks: map[core.UUID]*core.TaskRun{}, states: map[core.UUID][]string{},
		cache: map[string]*core.State{}, inputs: map[string]string{}, results: map[string][]byte{}, changed: make(chan struct{})}
}

func (f *fake) CreateFlow(_ context.Context, c core.FlowCreate) (*core.Flow, error) {
	return &core.Flow{ID: core.NameID(c.Name), Name: c.Name}, nil
}

func (f *fake) CreateFlowRun(_ context.Context, c core.FlowRunCreate) (*core.FlowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &core.FlowRun{ID: core.NewID(), FlowID: c.FlowID, Name: "run", Parameters: c.Parameters, ParentTaskRunID: c.ParentTaskRunID}
	if c.EmpiricalPolicy != nil {
		r.EmpiricalPolicy = *c.EmpiricalPolicy
	}
	f.runs[r.ID] = r
	f.set(r, c.State.State(f.now()))
	cp := *r
	return &cp, nil
}

func (f *fake) StartFlowRun(ctx context.Context, c core.FlowRunCreate, _ core.UUID) (*core.FlowRun, *core.Lease, error) {
	r, err := f.CreateFlowRun(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if _, err := f.SetFlowRunState(ctx, r.ID, core.StateCreate{Type: core.Running}, false); err != nil {
		return nil, nil, err
	}
	r, err = f.FlowRun(ctx, r.ID)
	return r, nil, err
}

func (f *fake) set(r *core.FlowRun, s *core.State) {
	r.State, r.StateID, r.StateType, r.StateName = s, s.ID, s.Type, s.Name
	f.states[r.ID] = append(f.states[r.ID], s.Name)
	if s.Type == core.Running {
		if !r.EmpiricalPolicy.Resuming {
			r.RunCount++
		}
		r.EmpiricalPolicy.Resuming = false
		if r.StartTime == 0 {
			r.StartTime = s.Timestamp
		}
	}
	if t := f.tasks[r.ParentTaskRunID]; t != nil {
		c := *s
		c.Details.ChildFlowRunID = r.ID
		t.State, t.StateType, t.StateName = &c, c.Type, c.Name
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) FlowRun(_ context.Context, id core.UUID) (*core.FlowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.runs[id]
	if r == nil {
		return nil, core.NotFound("Flow run")
	}
	cp := *r
	return &cp, nil
}

func (f *fake) UpdateFlowRun(_ context.Context, id core.UUID, u core.FlowRunUpdate) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs[id].EmpiricalPolicy = u.EmpiricalPolicy.Or(f.runs[id].EmpiricalPolicy)
	return nil
}

func (f *fake) SetFlowRunState(_ context.Context, id core.UUID, c core.StateCreate, force bool) (*core.OrchestrationResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, s := f.runs[id], c.State(f.now())
	res := &core.OrchestrationResult{Status: core.Accept, State: s}
	switch {
	case r.StateType == core.Cancelling && s.Type != core.Cancelled:
		return &core.OrchestrationResult{Status: core.Reject, State: r.State}, nil
	case s.Type == core.Failed && !force && r.RunCount <= core.Deref(r.EmpiricalPolicy.Retries):
		s.Type, s.Name = core.Scheduled, core.NameAwaitingRetry
		s.Details.ScheduledTime = f.now().Add(core.Seconds(core.Deref(r.EmpiricalPolicy.RetryDelay)).Duration())
		res.Status = core.Reject
	}
	f.set(r, s)
	return res, nil
}

func (f *fake) WaitFlowRun(ctx context.Context, id, state core.UUID, wait core.Seconds) (*core.FlowRun, error) {
	t := time.NewTimer(wait.Duration())
	defer t.Stop()
	for {
		f.mu.Lock()
		r, ch := *f.runs[id], f.changed
		f.mu.Unlock()
		if r.StateID != state {
			return &r, nil
		}
		select {
		case <-ch:
		case <-t.C:
			return &r, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *fake) TaskRunsOf(_ context.Context, id, after core.UUID, _ int) ([]*core.TaskRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*core.TaskRun
	for _, tid := range f.order {
		if t := f.tasks[tid]; t.FlowRunID == id && after.IsZero() {
			cp := *t
			out = append(out, &cp)
		}
	}
	return out, nil
}

func (f *fake) RecordTaskRuns(_ context.Context, reports []*core.TaskRunReport) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away > 0 {
		f.away--
		return core.Errorf(core.EUnavailable, "away")
	}
	f.batches++
	for _, r := range reports {
		if f.tasks[r.TaskRun.ID] == nil {
			f.order = append(f.order, r.TaskRun.ID)
		}
		f.tasks[r.TaskRun.ID] = r.TaskRun
		for _, s := range r.States {
			f.states[r.TaskRun.ID] = append(f.states[r.TaskRun.ID], s.Name)
			if s.Details.CacheKey != nil {
				f.cache[*s.Details.CacheKey] = s
			}
		}
	}
	return nil
}

func (f *fake) CachedState(_ context.Context, key string) (*core.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.cache[key]; s != nil && (s.Details.CacheExpiration == 0 || s.Details.CacheExpiration > f.now()) {
		return s, nil
	}
	return nil, core.NotFound("State")
}

func (f *fake) CreateFlowRunInput(_ context.Context, _ core.UUID, key, value, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inputs[key] = value
	return nil
}

func (f *fake) FlowRunInput(_ context.Context, _ core.UUID, key string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v, ok := f.inputs[key]; ok {
		return v, nil
	}
	return "", core.NotFound("Input")
}

func (f *fake) PutResult(_ context.Context, key string, b []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.results[key] = slices.Clone(b)
	return nil
}

func (f *fake) Result(_ context.Context, key string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.results[key], nil
}

func (f *fake) WriteLogs(_ context.Context, l []core.LogCreate) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs = append(f.logs, l...)
	return nil
}

func (f *fake) RunLogs(context.Context, core.UUID, int, int) ([]*core.Log, error) { return nil, nil }

func (f *fake) task(key string) *core.TaskRun {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.order {
		if f.tasks[id].TaskKey == key {
			return f.tasks[id]
		}
	}
	return &core.TaskRun{}
}
