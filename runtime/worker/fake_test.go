package worker

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// fake is a server for one pool, with only as many rules as a worker meets.
type fake struct {
	core.Orchestrator
	mu      sync.Mutex
	changed *sync.Cond
	pools   map[string]bool
	kind    string // the pools' type
	queue   []core.Claim
	runs    map[core.UUID]*core.FlowRun
	lease   map[core.UUID]core.UUID // run to token
	cancels []core.UUID
	logs    []core.LogCreate
	crashes map[core.UUID]string
	resumed map[core.UUID]bool
	beats   int
	polls   []core.PollRequest
	away    bool
}

func newFake() *fake {
	f := &fake{
		pools: map[string]bool{}, runs: map[core.UUID]*core.FlowRun{}, lease: map[core.UUID]core.UUID{},
		crashes: map[core.UUID]string{}, resumed: map[core.UUID]bool{},
	}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *fake) lock() func() {
	f.mu.Lock()
	return func() { f.changed.Broadcast(); f.mu.Unlock() }
}

func (f *fake) down() error {
	if f.away {
		return core.Errorf(core.EUnavailable, "connection refused")
	}
	return nil
}

// eventually waits for a condition without sleeping: each call of the worker wakes it.
func (f *fake) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.AfterFunc(20*time.Second, func() { f.lock()() })
	defer deadline.Stop()
	end := time.Now().Add(19 * time.Second)
	f.mu.Lock()
	defer f.mu.Unlock()
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s; states %v, logs %v", what, f.states(), f.messages())
		}
		f.changed.Wait()
	}
}

func (f *fake) states() (all []string) {
	for _, r := range f.runs {
		all = append(all, r.Name+"="+string(r.StateType)+" "+f.crashes[r.ID])
	}
	return all
}

func (f *fake) messages() (all []string) {
	for _, l := range f.logs {
		all = append(all, l.Message)
	}
	return all
}

func (f *fake) submit(name string, job map[string]any, entrypoint string) core.UUID {
	defer f.lock()()
	d := &core.Deployment{ID: core.NewID()}
	if entrypoint != "" {
		d.Entrypoint = &entrypoint
	}
	r := &core.FlowRun{ID: core.NewID(), Name: name, DeploymentID: d.ID, StateType: core.Scheduled, JobVariables: core.ToJSON(job)}
	f.runs[r.ID] = r
	f.queue = append(f.queue, core.Claim{FlowRun: r, Deployment: d, WorkPool: &core.WorkPool{BaseJobTemplate: core.ProcessTemplate}, Token: core.NewID()})
	return r.ID
}

func (f *fake) cancel(id core.UUID) {
	defer f.lock()()
	f.runs[id].StateType = core.Cancelling
	f.cancels = append(f.cancels, id)
}

func (f *fake) is(id core.UUID, s core.StateType) func() bool {
	return func() bool { return f.runs[id].StateType == s }
}

func (f *fake) WorkPoolByName(_ context.Context, name string) (*core.WorkPool, error) {
	defer f.lock()()
	if err := f.down(); err != nil {
		return nil, err
	}
	if !f.pools[name] {
		return nil, core.NotFound("Work pool")
	}
	return &core.WorkPool{Name: name, Type: f.kind}, nil
}

func (f *fake) CreateWorkPool(_ context.Context, c core.WorkPoolCreate) (*core.WorkPool, error) {
	defer f.lock()()
	f.pools[c.Name] = true
	return &core.WorkPool{Name: c.Name}, nil
}

func (f *fake) Heartbeat(context.Context, string, core.WorkerHeartbeat) error {
	defer f.lock()()
	f.beats++
	return f.down()
}

func (f *fake) Poll(ctx context.Context, r core.PollRequest) (*core.PollResponse, error) {
	stop := context.AfterFunc(ctx, func() { f.lock()() })
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls = append(f.polls, r)
	f.changed.Broadcast()
	for {
		if err := f.down(); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		res := &core.PollResponse{}
		for i := 0; i < len(f.queue) && len(res.Claims) < r.Free; {
			c := f.queue[i]
			if slices.Contains(r.Except, c.Deployment.ID) {
				i++
				continue
			}
			f.queue = slices.Delete(f.queue, i, i+1)
			f.runs[c.FlowRun.ID].StateType = core.Pending
			f.lease[c.FlowRun.ID] = c.Token
			res.Claims = append(res.Claims, c)
		}
		for _, id := range f.cancels {
			if !slices.Contains(r.Known, id) {
				res.Cancel = append(res.Cancel, id)
			}
		}
		if len(res.Claims)+len(res.Cancel) > 0 {
			f.changed.Broadcast()
			return res, nil
		}
		f.changed.Wait()
	}
}

func (f *fake) RenewLeases(context.Context, core.UUID) (held []core.UUID, err error) {
	defer f.lock()()
	if err := f.down(); err != nil {
		return nil, err
	}
	for id := range f.lease {
		held = append(held, id)
	}
	return held, nil
}

func (f *fake) FlowRun(_ context.Context, id core.UUID) (*core.FlowRun, error) {
	defer f.lock()()
	if err := f.down(); err != nil {
		return nil, err
	}
	r := *f.runs[id]
	return &r, nil
}

func (f *fake) UpdateFlowRun(context.Context, core.UUID, core.FlowRunUpdate) error { return nil }

func (f *fake) SetFlowRunState(ctx context.Context, id core.UUID, s core.StateCreate, _ bool) (*core.OrchestrationResult, error) {
	defer f.lock()()
	if err := f.down(); err != nil {
		return nil, err
	}
	if t := core.RunToken(ctx); !t.IsZero() && t != f.lease[id] {
		return nil, core.Errorf(core.ELeaseLost, "lease lost")
	}
	f.runs[id].StateType = s.Type
	f.crashes[id] = core.Deref(s.Message)
	if s.Type.Final() || s.Type == core.Scheduled {
		delete(f.lease, id)
	}
	return &core.OrchestrationResult{Status: core.Accept}, nil
}

func (f *fake) ReportCrash(ctx context.Context, id core.UUID, message string, recoverable bool) (*core.OrchestrationResult, error) {
	defer f.lock()()
	if err := f.down(); err != nil {
		return nil, err
	}
	if t := core.RunToken(ctx); !t.IsZero() && t != f.lease[id] {
		return nil, core.Errorf(core.ELeaseLost, "lease lost")
	}
	f.crashes[id] = message
	switch {
	case f.runs[id].StateType == core.Cancelling:
		f.runs[id].StateType = core.Cancelled
	case recoverable:
		f.runs[id].StateType = core.Scheduled
	default:
		f.runs[id].StateType = core.Crashed
	}
	f.resumed[id] = recoverable
	delete(f.lease, id)
	return &core.OrchestrationResult{Status: core.Accept}, nil
}

func (f *fake) WriteLogs(_ context.Context, logs []core.LogCreate) error {
	defer f.lock()()
	if err := f.down(); err != nil {
		return err
	}
	f.logs = append(f.logs, logs...)
	return nil
}

func (f *fake) VariableByName(_ context.Context, name string) (*core.Variable, error) {
	if name == "greeting" {
		return &core.Variable{Value: core.JSON(`"salve"`)}, nil
	}
	return nil, core.NotFound("Variable")
}

var credsID = core.NewID()

func (f *fake) BlockDocument(_ context.Context, id core.UUID, secrets bool) (*core.BlockDocument, error) {
	if id != credsID || !secrets {
		return nil, core.NotFound("Block document")
	}
	return &core.BlockDocument{Data: core.JSON(`{"token":"by id"}`), BlockSchema: &core.BlockSchema{Fields: core.JSON(`{"secret_fields":["token"]}`)}}, nil
}

func (f *fake) BlockDocumentByName(_ context.Context, kind, name string, secrets bool) (*core.BlockDocument, error) {
	doc := func(data, fields string) (*core.BlockDocument, error) {
		if !secrets {
			return nil, core.Errorf(core.EInvalid, "masked")
		}
		return &core.BlockDocument{Data: core.JSON(data), BlockSchema: &core.BlockSchema{Fields: core.JSON(fields)}}, nil
	}
	switch kind + "/" + name {
	case "secret/api-key":
		return doc(`{"value":"s3cret"}`, `{"secret_fields":["value"]}`)
	case "creds/db":
		return doc(`{"host":"localhost","port":5432,"login":{"user":"me","password":"hunter2"}}`, `{"secret_fields":["login.password"]}`)
	}
	return nil, core.NotFound("Block document")
}

func (f *fake) logged(text string) func() bool {
	return func() bool {
		return slices.ContainsFunc(f.logs, func(l core.LogCreate) bool { return strings.Contains(l.Message, text) })
	}
}
