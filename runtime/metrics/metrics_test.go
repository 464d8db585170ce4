package metrics

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/flowlite/flowlite/db/dbtest"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// start returns a server that counts, and the address of its metrics.
func start(t *testing.T, cfg server.Config) (*server.Server, string) {
	t.Helper()
	cfg.Port, cfg.Home, cfg.WorkDir, cfg.DrainGrace = -1, t.TempDir(), t.TempDir(), time.Second
	cfg.Log, cfg.Meter = slog.New(slog.DiscardHandler), New("test")
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, s.URL() + "/metrics"
}

func get(t *testing.T, url, auth string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user, password, ok := strings.Cut(auth, ":"); ok {
		r.SetBasicAuth(user, password)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

type families map[string]*dto.MetricFamily

func scrape(t *testing.T, url string) families {
	t.Helper()
	status, body := get(t, url, "")
	if status != http.StatusOK {
		t.Fatal(status, body)
	}
	return parse(t, body)
}

func parse(t *testing.T, text string) families {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	f, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// value is that of the one series with these labels; of a histogram, its count.
// Series that are not there are -1.
func (f families) value(name string, labels ...string) float64 {
next:
	for _, m := range f[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		for i := 0; i < len(labels); i += 2 {
			if have[labels[i]] != labels[i+1] {
				continue next
			}
		}
		switch {
		case m.GetCounter() != nil:
			return m.GetCounter().GetValue()
		case m.GetHistogram() != nil:
			return float64(m.GetHistogram().GetSampleCount())
		}
		return m.GetGauge().GetValue()
	}
	return -1
}

func TestScrapeTellsWhatHappened(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			s, url := start(t, server.Config{DatabaseURL: e.URL(t), Worker: true})
			o, ctx := s.Service(), t.Context()
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			flow, err := o.CreateFlow(ctx, core.FlowCreate{Name: "shop"})
			must(err)
			d, err := o.CreateDeployment(ctx, core.DeploymentCreate{Name: "local", FlowID: flow.ID, WorkPoolName: core.Some("default"), EnforceParameterSchema: core.Some(false),
				JobVariables: core.Some(core.JSON(`{"command":"true"}`))})
			must(err)
			run, err := o.CreateDeploymentFlowRun(ctx, d.ID, core.DeploymentFlowRunCreate{})
			must(err)
			late, err := o.CreateFlowRun(ctx, core.FlowRunCreate{FlowID: flow.ID, State: &core.StateCreate{Type: core.Scheduled,
				Details: core.StateDetails{ScheduledTime: core.Now().Add(-time.Hour)}}})
			must(err)
			_, err = o.CreateGlobalLimit(ctx, core.GlobalConcurrencyLimitCreate{Name: "db", Limit: 3})
			must(err)
			_, err = o.AcquireSlots(ctx, core.SlotRequest{Slots: 2, Names: []string{"db"}})
			must(err)
			if _, err := o.AcquireSlots(ctx, core.SlotRequest{Slots: 2, Names: []string{"db"},
				Holder: core.ToJSON(map[string]any{"type": "flow_run", "id": late.ID})}); err == nil {
				t.Fatal("too many slots were granted")
			}
			for r := run; !r.StateType.Final(); {
				r, err = o.WaitFlowRun(ctx, r.ID, r.StateID, 10)
				must(err)
			}
			if status, _ := get(t, s.APIURL()+"/flow_runs/"+run.ID.String(), ""); status != http.StatusOK {
				t.Fatal(status)
			}
			f := scrape(t, url)
			for _, c := range []struct {
				want   float64
				name   string
				labels []string
			}{
				{1, "flowlite_flow_run_transitions_total", []string{"flow", "shop", "work_pool", "default", "state", "scheduled"}},
				{1, "flowlite_flow_run_transitions_total", []string{"flow", "shop", "work_pool", "default", "state", "completed"}},
				{1, "flowlite_flow_run_queue_seconds", []string{"flow", "shop", "work_pool", "default"}},
				{1, "flowlite_flow_run_duration_seconds", []string{"flow", "shop", "work_pool", "default", "state", "completed"}},
				{1, "flowlite_flow_runs", []string{"flow", "shop", "work_pool", "", "state", "scheduled"}},
				{3, "flowlite_concurrency_limit_slots", []string{"limit", "db"}},
				{2, "flowlite_concurrency_limit_active_slots", []string{"limit", "db"}},
				{2, "flowlite_concurrency_limit_waiting_slots", []string{"limit", "db"}},
				{1, "flowlite_workers", []string{"work_pool", "default", "status", "online"}},
				{1, "flowlite_work_pool_ready", []string{"work_pool", "default"}},
				{1, "flowlite_local_worker_ready", nil},
				{1, "flowlite_database_up", []string{"engine", e.Name}},
				{1, "flowlite_bus_ready", nil},
				{0, "flowlite_service_failing", []string{"service", "late"}},
				{1, "flowlite_service_lease_held", []string{"service", "late"}},
				{1, "flowlite_http_request_duration_seconds", []string{"method", "GET", "route", "/api/flow_runs/{id}", "status", "2xx"}},
				{1, "flowlite_build_info", []string{"version", "test"}},
				{0, "flowlite_database_write_errors_total", nil},
			} {
				if got := f.value(c.name, c.labels...); got != c.want {
					t.Errorf("%s%q: %v, want %v", c.name, c.labels, got, c.want)
				}
			}
			if got := f.value("flowlite_flow_run_oldest_due_seconds", "work_pool", ""); got < 3600 || got > 3700 {
				t.Error("oldest due", got)
			}
			for _, name := range []string{"flowlite_events_total", "flowlite_database_commits_total", "flowlite_database_write_seconds",
				"flowlite_database_size_bytes", "process_resident_memory_bytes", "go_goroutines"} {
				if f.value(name) <= 0 {
					t.Error(name, f.value(name))
				}
			}
		})
	}
}

// Prometheus' own checker finds nothing to complain about.
func TestNamesFollowConventions(t *testing.T) {
	_, url := start(t, server.Config{Worker: true})
	_, body := get(t, url, "")
	c := exec.CommandContext(t.Context(), program(t, "promtool"), "check", "metrics")
	c.Stdin = strings.NewReader(body)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWhoMayScrape(t *testing.T) {
	const auth = "admin:a-long-password"
	_, url := start(t, server.Config{AuthString: auth})
	for given, want := range map[string]int{"": http.StatusUnauthorized, "admin:wrong": http.StatusUnauthorized, auth: http.StatusOK} {
		if status, body := get(t, url, given); status != want || (status == http.StatusOK) != strings.Contains(body, "flowlite_build_info") {
			t.Error(given, status)
		}
	}
	_, at := start(t, server.Config{AuthString: auth, MetricsAddr: "127.0.0.1:0"})
	if status, _ := get(t, at, auth); status != http.StatusNotFound {
		t.Error("metrics have an address of their own, and the pages' address answers", status)
	}
}

// However many flows, pools, and words clients send, the number of series is bounded.
func TestSeriesAreBounded(t *testing.T) {
	m := New("test")
	for i := range 1000 {
		m.Committed(
			[]*core.Event{{Event: "prefect.task-run.X", Resource: map[string]string{"prefect.state-type": fmt.Sprint("word", i)}}},
			[]core.FlowRunTransition{{Flow: fmt.Sprint("flow", i), Pool: fmt.Sprint("pool", i), To: core.Running, Queued: 1}},
		)
		r, err := http.NewRequestWithContext(t.Context(), fmt.Sprint("WORD", i), fmt.Sprint("/", i), nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Wrap(http.NotFoundHandler()).ServeHTTP(discard{http.Header{}}, r)
	}
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range all {
		if n := len(f.GetMetric()); n > maxFlows+maxPools {
			t.Errorf("%s has %d series", f.GetName(), n)
		}
		for _, s := range f.GetMetric() {
			if f.GetName() == "flowlite_flow_run_transitions_total" {
				sum += s.GetCounter().GetValue()
			}
		}
	}
	if sum != 1000 {
		t.Errorf("%v of 1000 transitions were counted", sum)
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// Streams and websockets pass the measuring, and do not count as slow requests.
func TestStreamsPass(t *testing.T) {
	s, url := start(t, server.Config{})
	c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.APIURL(), "http")+"/events/in", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
	flow, err := s.Service().CreateFlow(t.Context(), core.FlowCreate{Name: "f"})
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Service().CreateFlowRun(t.Context(), core.FlowRunCreate{FlowID: flow.ID, State: &core.StateCreate{Type: core.Completed}})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, s.APIURL()+"/flow_runs/"+run.ID.String()+"/logs/stream", ""); status != http.StatusOK {
		t.Error(status)
	}
	for _, route := range []string{"/api/events/in", "/api/flow_runs/{id}/logs/stream"} {
		if got := scrape(t, url).value("flowlite_http_request_duration_seconds", "route", route); got != -1 {
			t.Error(route, got)
		}
	}
}
