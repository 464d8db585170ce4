package chaostest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
)

const (
	tasks      = 10
	slotLimit  = 2 // tasks at once that hold a slot of the global limit
	runLimit   = 2 // runs at once of the deployment with a limit
	clocks     = 2
	clockEvery = 3 * time.Second
	orderEvery = 300 * time.Millisecond
)

// load orders runs all the time, and looks whether limits hold.
type load struct {
	t   *testing.T
	w   *fixture
	rnd *rand.Rand
	api *client.Client

	plain, slots, limited, fired *core.Deployment
	clocks                       []*core.Deployment
	limit                        *core.GlobalConcurrencyLimit

	mu    sync.Mutex
	asked map[string]bool // idempotency keys of runs that the API has acknowledged
	over  []string        // where a limit did not hold
	wg    sync.WaitGroup
	until core.Time // schedules are looked at up to here
}

func newLoad(w *fixture, rnd *rand.Rand) *load {
	w.t.Helper()
	l := &load{t: w.t, w: w, rnd: rnd, asked: map[string]bool{}, api: client.New(client.Config{URL: w.apis[0] + "," + w.apis[1] + "," + w.apis[2], Patience: 2 * time.Minute})}
	var flow core.Flow
	l.must("POST", "/work_pools/", map[string]any{"name": "chaos", "type": "process"}, nil)
	l.must("POST", "/flows/", map[string]any{"name": "chain"}, &flow)
	l.must("POST", "/v2/concurrency_limits/", map[string]any{"name": "chaos", "limit": slotLimit}, &l.limit)
	deploy := func(name string, params, more map[string]any) *core.Deployment {
		all := map[string]any{"tasks": tasks, "millis": 30, "dir": filepath.Join(w.dir, "effects")}
		maps.Copy(all, params)
		body := map[string]any{"name": name, "flow_id": flow.ID, "work_pool_name": "chaos", "path": w.dir, "entrypoint": "chain:chain", "parameters": all, "enforce_parameter_schema": false}
		maps.Copy(body, more)
		var d core.Deployment
		l.must("POST", "/deployments/", body, &d)
		return &d
	}
	l.plain = deploy("plain", nil, nil)
	l.slots = deploy("slots", map[string]any{"limit": "chaos"}, nil)
	l.limited = deploy("limited", nil, map[string]any{"concurrency_limit": runLimit, "concurrency_options": map[string]any{"collision_strategy": "ENQUEUE"}})
	l.fired = deploy("fired", map[string]any{"tasks": 1}, nil)
	l.must("POST", "/automations/", map[string]any{"name": "after each plain run", "enabled": true,
		"trigger": map[string]any{"type": "event", "posture": core.Reactive, "threshold": 1, "within": 0, "expect": []string{"prefect.flow-run.Completed"},
			"for_each":      []string{"prefect.resource.id"},
			"match_related": map[string]any{"prefect.resource.role": "deployment", "prefect.resource.id": "prefect.deployment." + l.plain.ID.String()}},
		"actions": []any{map[string]any{"type": "run-deployment", "source": "selected", "deployment_id": l.fired.ID,
			"parameters": map[string]any{"of": "{{ flow_run.id }}"}}}}, nil)
	for i := range clocks {
		l.clocks = append(l.clocks, deploy(fmt.Sprintf("clock-%d", i), map[string]any{"millis": 5},
			map[string]any{"schedules": []any{map[string]any{"schedule": map[string]any{"interval": clockEvery.Seconds()}}}}))
	}
	w.addWorkers("chaos")
	return l
}

func (l *load) call(method, path string, in, out any) error {
	raw, err := l.api.Raw(context.Background(), method, path, in)
	if err == nil && out != nil {
		err = json.Unmarshal(raw, out)
	}
	return err
}

func (l *load) must(method, path string, in, out any) {
	l.t.Helper()
	if err := l.call(method, path, in, out); err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
}

func (l *load) start(ctx context.Context) {
	every := func(d time.Duration, do func(n int)) {
		l.wg.Go(func() {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					do(n)
				}
			}
		})
	}
	every(orderEvery, l.order)
	every(100*time.Millisecond, func(int) { l.look() })
}

// order asks for a run. The key lets the client ask again whatever happened.
func (l *load) order(n int) {
	of, most := l.plain, 600
	switch l.rnd.IntN(5) {
	case 0, 1:
		of, most = l.slots, 60
	case 2:
		of, most = l.limited, 200
	}
	name := fmt.Sprintf("order-%d", n)
	body := map[string]any{"idempotency_key": name, "parameters": map[string]any{"millis": 10 + l.rnd.IntN(most)}}
	if err := l.call("POST", "/deployments/"+of.ID.String()+"/create_flow_run", body, nil); err != nil {
		l.t.Errorf("a run could not be ordered: %v", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[name] = true
}

// look at the limits, in the database: what the API says may be late.
func (l *load) look() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	note := func(what string, held, most int64) {
		if held > most {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.over = append(l.over, fmt.Sprintf("%s: %d of %d %s", time.Now().Format("15:04:05.000"), held, most, what))
		}
	}
	if n, err := l.w.store.CountFlowRuns(ctx, runsOf(l.limited.ID, core.Pending, core.Running, core.Cancelling)); err == nil {
		note("runs of the deployment with a limit", n, runLimit)
	}
	if n, err := l.w.store.SlotsHeld(ctx, l.limit.ID, core.Now()); err == nil {
		note("slots of the global limit", n, slotLimit)
	}
}

func runsOf(deployment core.UUID, in ...core.StateType) core.Filters {
	f := core.Filters{Deployments: &core.DeploymentFilter{ID: &core.IDFilter{Any: []core.UUID{deployment}}}}
	if len(in) > 0 {
		f.FlowRuns = &core.FlowRunFilter{State: &core.StateFilter{Type: &core.StateTypeFilter{Any: in}}}
	}
	return f
}

// first waits until so many ordered runs and one of the automation are done.
func (l *load) first(n int64) {
	l.t.Helper()
	l.w.soon(time.Minute, fmt.Sprintf("%d runs are completed", n), func() bool {
		plain, err := l.w.store.CountFlowRuns(context.Background(), runsOf(l.plain.ID, core.Completed))
		fired, err2 := l.w.store.CountFlowRuns(context.Background(), runsOf(l.fired.ID, core.Completed))
		return err == nil && err2 == nil && plain >= n/2 && fired > 0
	})
}

// stop orders no more; clocks go on until their slots up to now are looked at.
func (l *load) stop(end context.CancelFunc) {
	end()
	l.wg.Wait()
	l.until = core.Now()
}
