package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/bus/bustest"
	"github.com/flowlite/flowlite/runtime/bus/redisbus"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/worker"
)

// fleet is some servers on one Postgres database, and what tests do with them.
type fleet struct {
	t        testing.TB
	database string
	redis    string
	a, b     *Server
	toA, toB *client.Client
}

const testKey = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="

func newFleet(t testing.TB, database, redis string) *fleet {
	t.Helper()
	f := &fleet{t: t, database: database, redis: redis}
	f.a, f.b = f.server(), f.server()
	f.toA, f.toB = to(f.a), to(f.b)
	return f
}

func to(s *Server) *client.Client { return client.New(client.Config{URL: s.APIURL()}) }

func (f *fleet) server() *Server {
	f.t.Helper()
	cfg := testConfig(f.t)
	cfg.DatabaseURL, cfg.EncryptionKey = f.database, testKey
	if f.redis != "" {
		cfg.Redis = redisbus.At(f.redis)
	}
	return start(f.t, cfg)
}

// worker of the pool, over HTTP.
func (f *fleet) worker(url string) *worker.Worker {
	f.t.Helper()
	w := worker.New(worker.Config{Orchestrator: client.New(client.Config{URL: url}), Pool: "shared", APIURL: url,
		WorkDir: f.t.TempDir(), CacheDir: f.t.TempDir(), Log: slog.New(slog.DiscardHandler), Grace: time.Second, DrainGrace: time.Second})
	if err := w.Start(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = w.Stop(context.Background()) })
	<-w.Ready()
	return w
}

func post(t testing.TB, c *client.Client, path string, body any) map[string]any {
	t.Helper()
	raw, err := c.Raw(t.Context(), "POST", path, body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out map[string]any
	_ = json.Unmarshal(raw, &out)
	return out
}

func (f *fleet) deployment(name string, more map[string]any) string {
	f.t.Helper()
	flow := post(f.t, f.toA, "/flows/", map[string]any{"name": "f"})
	body := map[string]any{"name": name, "flow_id": flow["id"], "work_pool_name": "shared", "enforce_parameter_schema": false}
	maps.Copy(body, more)
	return post(f.t, f.toA, "/deployments/", body)["id"].(string)
}

func command(line string) map[string]any {
	return map[string]any{"job_variables": map[string]any{"command": line}}
}

func (f *fleet) run(c *client.Client, deployment string) core.UUID {
	f.t.Helper()
	id, err := core.ParseUUID(post(f.t, c, "/deployments/"+deployment+"/create_flow_run", map[string]any{})["id"].(string))
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// until a run is in a state, as the server sees it.
func (f *fleet) until(c *client.Client, id core.UUID, want core.StateType) {
	f.t.Helper()
	bustest.Soon(f.t, fmt.Sprintf("run %s is %s", id, want), func() bool {
		r, err := c.FlowRun(f.t.Context(), id)
		return err == nil && r.StateType == want
	})
}

// lines follows a run's log as a server streams it.
func (f *fleet) lines(c *client.Client, id core.UUID) <-chan string {
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(cancel)
	out := make(chan string, 100)
	go func() {
		defer close(out)
		for l, err := range c.StreamLogs(ctx, id, 0) {
			if err != nil {
				return
			}
			out <- l.Message
		}
	}()
	return out
}

func (f *fleet) line(from <-chan string, want string) {
	f.t.Helper()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	for {
		select {
		case l, open := <-from:
			if !open {
				f.t.Fatalf("the log ended without %q", want)
			}
			if strings.Contains(l, want) {
				return
			}
		case <-end.C:
			f.t.Fatalf("%q was not logged within 30 s", want)
		}
	}
}

func eachFleet(t *testing.T, test func(t *testing.T, redis string)) {
	bustest.Postgres(t)
	modes := map[string]string{"postgres": ""}
	if at := bustest.RedisURL(t); at != "" {
		modes["redis"] = at
	}
	for name, redis := range modes {
		t.Run(name, func(t *testing.T) { test(t, redis) })
	}
}

// TestServers: two servers and a worker do together what one process does.
func TestServers(t *testing.T) {
	eachFleet(t, func(t *testing.T, redis string) {
		f := newFleet(t, bustest.Postgres(t), redis)
		post(t, f.toA, "/work_pools/", map[string]any{"name": "shared", "type": "process"})
		f.worker(f.b.APIURL())

		gate := filepath.Join(t.TempDir(), "gate")
		talks := f.deployment("talks", command("echo first; until [ -e "+gate+" ]; do sleep 0.05; done; echo second"))
		quick := f.deployment("quick", command("echo done"))
		for range 3 {
			began := time.Now()
			id := f.run(f.toA, quick)
			f.until(f.toA, id, core.Completed)
			t.Logf("created on A, completed by a worker of B after %s", time.Since(began))
			if d := time.Since(began); d > 2500*time.Millisecond { // a poll that is not woken looks again after 3 s
				t.Errorf("the worker was not woken: it took %s", d)
			}
		}
		id := f.run(f.toA, talks)
		f.until(f.toA, id, core.Running)
		log := f.lines(f.toA, id)
		f.line(log, "first")
		if err := os.WriteFile(gate, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		f.line(log, "second")
		f.until(f.toA, id, core.Completed)

		sleeps := f.run(f.toA, f.deployment("sleeps", command("echo up; sleep 600")))
		f.line(f.lines(f.toA, sleeps), "up")
		post(t, f.toA, "/flow_runs/"+sleeps.String()+"/set_state", map[string]any{"state": map[string]any{"type": "CANCELLING", "name": "Cancelling"}})
		f.until(f.toA, sleeps, core.Cancelled)

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		heard := make(chan *core.Event, 10)
		go func() {
			_ = f.toA.StreamEvents(ctx, core.EventFilter{Event: &core.EventName{Name: []string{"order.placed"}}, Occurred: &core.EventOccurred{Until: core.Now().Add(time.Hour)}},
				func(e *core.Event, _ core.JSON) error { heard <- e; return nil })
		}()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ { // the stream needs a moment to begin, and backfills
			post(t, f.toB, "/events", []any{map[string]any{"id": core.NewID(), "occurred": core.Now(), "event": "order.placed", "resource": map[string]any{"prefect.resource.id": "order"}}})
			select {
			case <-heard:
			case <-tick.C:
				if n > 300 {
					t.Fatal("A does not hear B's events")
				}
				continue
			}
			break
		}
		cancel()

		f.schedulesOnce()
		f.automatesOnce(talks)
		f.sharesTokens()
	})
}

// schedulesOnce: both servers schedule at the same time, again and again.
func (f *fleet) schedulesOnce() {
	f.t.Helper()
	id := f.deployment("clock", map[string]any{"schedules": []any{map[string]any{"schedule": map[string]any{"interval": 60}}}})
	var wg sync.WaitGroup
	for _, s := range []*Server{f.a, f.b, f.a, f.b} {
		wg.Go(func() {
			for range 3 {
				if _, err := s.Service().ScheduleRuns(f.t.Context()); err != nil {
					f.t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	uuid, _ := core.ParseUUID(id)
	runs, err := f.a.Store().FlowRuns(f.t.Context(), core.Filters{Deployments: &core.DeploymentFilter{ID: &core.IDFilter{Any: []core.UUID{uuid}}}}, core.Page{Limit: 200})
	if err != nil {
		f.t.Fatal(err)
	}
	seen := map[core.Time]int{}
	for _, r := range runs {
		seen[r.ExpectedStartTime]++
	}
	if len(seen) < 3 || len(seen) != len(runs) {
		f.t.Errorf("%d scheduled runs at %d times", len(runs), len(seen))
	}
}

// automatesOnce: an automation that A has made fires once for an event at B.
func (f *fleet) automatesOnce(deployment string) {
	f.t.Helper()
	post(f.t, f.toA, "/automations/", map[string]any{"name": "again", "trigger": map[string]any{"type": "event", "posture": "Reactive", "threshold": 1, "within": 0, "expect": []string{"order.paid"}},
		"actions": []any{map[string]any{"type": "run-deployment", "source": "selected", "deployment_id": deployment}}})
	uuid, _ := core.ParseUUID(deployment)
	count := func() int64 {
		n, err := f.a.Store().CountFlowRuns(f.t.Context(), core.Filters{Deployments: &core.DeploymentFilter{ID: &core.IDFilter{Any: []core.UUID{uuid}}}})
		if err != nil {
			f.t.Fatal(err)
		}
		return n
	}
	before := count()
	// B learns of the automation within a second.
	events := 0
	bustest.Soon(f.t, "the automation fires", func() bool {
		if events < 1 {
			if seen, _ := f.b.Service().EvaluateAutomations(f.t.Context()); seen >= 0 {
				post(f.t, f.toB, "/events", []any{map[string]any{"id": core.NewID(), "occurred": core.Now(), "event": "order.paid", "resource": map[string]any{"prefect.resource.id": "order"}}})
				events++
			}
		}
		var wg sync.WaitGroup
		for _, s := range []*Server{f.a, f.b} {
			wg.Go(func() { _, _ = s.Service().EvaluateAutomations(f.t.Context()) })
			wg.Go(func() { _, _ = s.Service().DoActions(f.t.Context()) })
		}
		wg.Wait()
		return count() > before
	})
	for _, s := range []*Server{f.a, f.b, f.a} {
		_, _ = s.Service().EvaluateAutomations(f.t.Context())
		_, _ = s.Service().DoActions(f.t.Context())
	}
	if n := count() - before; n != 1 {
		f.t.Errorf("the automation fired %d times", n)
	}
}

// sharesTokens: what one server signed or kept, the other knows.
func (f *fleet) sharesTokens() {
	f.t.Helper()
	data := bytes.Repeat([]byte("x"), 100_000)
	if err := f.a.Service().PutResult(f.t.Context(), "run/task-1.json", data); err != nil {
		f.t.Fatal(err)
	}
	got, err := f.b.Service().Result(f.t.Context(), "run/task-1.json")
	if err != nil || !bytes.Equal(got, data) {
		f.t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := f.b.Service().Result(f.t.Context(), "run/none"); !core.IsNotFound(err) {
		f.t.Errorf("%v", err)
	}
}

// TestRollingRestart: servers go and come, and a worker and its runs go on.
func TestRollingRestart(t *testing.T) {
	eachFleet(t, func(t *testing.T, redis string) {
		f := newFleet(t, bustest.Postgres(t), redis)
		post(t, f.toA, "/work_pools/", map[string]any{"name": "shared", "type": "process"})
		both := client.New(client.Config{URL: f.a.APIURL() + "," + f.b.APIURL(), Patience: 20 * time.Second})
		f.worker(f.a.APIURL() + "," + f.b.APIURL())
		gate := filepath.Join(t.TempDir(), "gate")
		waits := f.run(both, f.deployment("waits", command("echo begun; until [ -e "+gate+" ]; do sleep 0.05; done; echo over")))
		f.until(both, waits, core.Running)

		// Requests flow all the time; none may fail.
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := both.Raw(ctx, "POST", "/flows/", map[string]any{"name": fmt.Sprint("r", n%10)}); err != nil && ctx.Err() == nil {
					t.Errorf("request %d: %v", n, err)
				}
			}
		})
		if err := f.a.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		quick := f.run(f.toB, f.deploymentOn(f.toB, "quick", command("echo done")))
		f.until(f.toB, quick, core.Completed)
		if both.URL() != f.b.APIURL() {
			t.Errorf("the client is still at %s", both.URL())
		}
		bustest.Soon(t, "B runs all loops", func() bool {
			for _, l := range f.b.services.Health() {
				if l.Elsewhere || l.LastSuccess == 0 {
					return false
				}
			}
			return true
		})
		if err := os.WriteFile(gate, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		f.until(f.toB, waits, core.Completed)
		cancel()
		wg.Wait()
	})
}

func (f *fleet) deploymentOn(c *client.Client, name string, more map[string]any) string {
	f.t.Helper()
	was := f.toA
	f.toA = c
	defer func() { f.toA = was }()
	return f.deployment(name, more)
}

// TestDatabaseOutage: without the database a server says so, and goes on by
// itself when it is back.
func TestDatabaseOutage(t *testing.T) {
	eachFleet(t, func(t *testing.T, redis string) {
		at, proxy := bustest.Through(t, bustest.Postgres(t))
		f := &fleet{t: t, database: at, redis: redis}
		f.a = f.server()
		f.toA = client.New(client.Config{URL: f.a.APIURL(), Patience: -1})
		post(t, f.toA, "/work_pools/", map[string]any{"name": "shared", "type": "process"})
		f.worker(f.a.APIURL())
		d := f.deployment("quick", command("echo done"))
		first := f.run(f.toA, d)
		f.until(f.toA, first, core.Completed)

		proxy.Cut()
		for path, body := range map[string]any{
			"/deployments/" + d + "/create_flow_run": map[string]any{}, "/flow_runs/filter": map[string]any{}, "/flows/": map[string]any{"name": "x"},
			"/work_pools/shared/workers/heartbeat": map[string]any{"name": "w"}, "/logs/": []any{map[string]any{"name": "n", "level": 20, "message": "m", "timestamp": core.Now(), "flow_run_id": first}},
			"/events": []any{map[string]any{"id": core.NewID(), "occurred": core.Now(), "event": "e", "resource": map[string]any{"prefect.resource.id": "r"}}},
		} {
			raw, _ := json.Marshal(body)
			code, text := postRaw(t, f.a.APIURL()+path, raw)
			if code != 503 || !strings.Contains(text, "database") {
				t.Errorf("%s answers %d %s", path, code, text)
			}
		}
		if code, text, _ := get(t, f.a.APIURL()+"/ready", nil); code != 503 || !strings.Contains(text, "database") {
			t.Errorf("ready: %d %s", code, text)
		}
		if code, _, _ := get(t, f.a.APIURL()+"/health", nil); code != 200 {
			t.Errorf("health: %d", code)
		}
		bustest.Soon(t, "a loop notices", func() bool { return f.a.services.Health()[6].LastError != "" })

		proxy.Restore()
		bustest.Soon(t, "it is ready again", func() bool { code, _, _ := get(t, f.a.APIURL()+"/ready", nil); return code == 200 })
		second := f.run(f.toA, d)
		f.until(f.toA, second, core.Completed)
		bustest.Soon(t, "the loops work again", func() bool {
			for _, l := range f.a.services.Health() {
				if l.LastError != "" && l.Every < 30 {
					return false
				}
			}
			return f.a.bus.Status().Ready
		})
	})
}

// TestRedisOutage: Redis goes in the middle of work, is empty when it is back,
// and no run notices.
func TestRedisOutage(t *testing.T) {
	eachFleet(t, func(t *testing.T, redis string) {
		if redis == "" {
			t.Log("nothing to break")
			return
		}
		at, proxy := bustest.Through(t, redis)
		f := newFleet(t, bustest.Postgres(t), at)
		post(t, f.toA, "/work_pools/", map[string]any{"name": "shared", "type": "process"})
		f.worker(f.b.APIURL())
		d := f.deployment("quick", command("echo done"))
		f.until(f.toA, f.run(f.toA, d), core.Completed)
		proxy.Cut()
		bustest.Soon(t, "ready tells of it", func() bool {
			code, text, _ := get(t, f.a.APIURL()+"/ready", nil)
			return code == 200 && strings.Contains(text, `"kind":"redis","ready":false`)
		})
		for range 3 {
			f.until(f.toA, f.run(f.toA, d), core.Completed)
		}
		proxy.Restore()
		bustest.Soon(t, "it heals", func() bool { return f.a.bus.Status().Ready && f.b.bus.Status().Ready })
		f.until(f.toA, f.run(f.toA, d), core.Completed)
		if n, err := f.a.Store().CountFlowRuns(t.Context(), core.Filters{}); err != nil || n != 5 {
			t.Errorf("%d runs, %v", n, err)
		}
	})
}

func TestServersRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"only one server":   func(c *Config) { c.Redis = redisbus.At("redis://127.0.0.1") },
		"cannot be read":    func(c *Config) { c.DatabaseURL, c.Redis = "postgres://x", redisbus.At("127.0.0.1:6379") },
		"let --roles have":  func(c *Config) { c.NoAPI, c.Worker = true, true },
		"cannot be read (r": func(c *Config) { c.DatabaseURL, c.Redis = "postgres://x", redisbus.At("redis://h/notanumber") },
	} {
		cfg := testConfig(t)
		change(&cfg)
		if _, err := New(cfg); core.CodeOf(err) != core.EInvalid && want != "" || err == nil {
			t.Errorf("%s: %v", want, err)
		} else if want != "cannot be read (r" && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestRoles: a server without the API still says how it is.
func TestRoles(t *testing.T) {
	cfg := testConfig(t)
	cfg.NoAPI, cfg.NoUI = true, true
	s := start(t, cfg)
	for path, want := range map[string]int{"/api/health": 200, "/api/ready": 200, "/api/flows/filter": 404, "/runs": 404} {
		if code, text, _ := get(t, s.URL()+path, nil); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

func postRaw(t *testing.T, url string, body []byte) (int, string) {
	t.Helper()
	res, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
