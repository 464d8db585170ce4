package metrics

import (
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// Metrics are those of one server.
type Metrics struct {
	registry *prometheus.Registry
	names    bounded

	flowRuns *prometheus.CounterVec
	taskRuns *prometheus.CounterVec
	events   prometheus.Counter
	queued   *prometheus.HistogramVec
	ran      *prometheus.HistogramVec
	requests *prometheus.HistogramVec

	mu     sync.Mutex
	routes map[routeKey]prometheus.Observer
	states map[stateKey]prometheus.Counter
}

var _ server.Meter = (*Metrics)(nil)

// ranBuckets reach from a short function to a day.
var ranBuckets = []float64{.1, .5, 1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400}

// New returns the Metrics of a server of this version.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), routes: map[routeKey]prometheus.Observer{}, states: map[stateKey]prometheus.Counter{}}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	m.flowRuns = counter("flowlite_flow_run_transitions_total",
		"State transitions of flow runs that this server committed, by flow, work pool, and state type.", "flow", "work_pool", "state")
	m.taskRuns = counter("flowlite_task_run_transitions_total",
		"State transitions of task runs that this server stored, by state type.", "state")
	m.events = prometheus.NewCounter(prometheus.CounterOpts{Name: "flowlite_events_total", Help: "Events that this server stored."})
	m.queued = histogram("flowlite_flow_run_queue_seconds",
		"Time from when a flow run was due to its first start.", []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300, 900, 3600}, "flow", "work_pool")
	m.ran = histogram("flowlite_flow_run_duration_seconds",
		"Time from the start of a flow run to its end, by final state type.", ranBuckets, "flow", "work_pool", "state")
	m.requests = histogram("flowlite_http_request_duration_seconds",
		"Duration of HTTP requests by route and status class. Websockets and event streams are not counted.",
		[]float64{.001, .005, .025, .1, .5, 2.5, 10}, "method", "route", "status")
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "flowlite_build_info", Help: "Always 1; the label names the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry.MustRegister(m.flowRuns, m.taskRuns, m.events, m.queued, m.ran, m.requests, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Attach adds what is read from s at each scrape, until the returned function is called.
func (m *Metrics) Attach(s server.MeterSource) (detach func()) {
	c := &collector{MeterSource: s, names: &m.names}
	m.registry.MustRegister(c)
	return func() { m.registry.Unregister(c) }
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

type stateKey struct{ flow, pool, state string }

// Committed counts transitions and events.
func (m *Metrics) Committed(events []*core.Event, runs []core.FlowRunTransition) {
	m.events.Add(float64(len(events)))
	for _, r := range runs {
		flow, pool, state := m.names.flow(r.Flow), m.names.pool(r.Pool), strings.ToLower(string(r.To))
		m.transitions(stateKey{flow, pool, state}).Inc()
		if r.To == core.Running && r.Queued > 0 {
			m.queued.WithLabelValues(flow, pool).Observe(float64(r.Queued))
		}
		if r.Ran > 0 {
			m.ran.WithLabelValues(flow, pool, state).Observe(float64(r.Ran))
		}
	}
	for _, e := range events {
		if strings.HasPrefix(e.Event, "prefect.task-run.") {
			m.transitions(stateKey{state: taskState(e)}).Inc()
		}
	}
}

// transitions is the counter of flow runs, or without a flow that of task runs.
func (m *Metrics) transitions(k stateKey) prometheus.Counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.states[k]
	if c == nil {
		if k.flow == "" {
			c = m.taskRuns.WithLabelValues(k.state)
		} else {
			c = m.flowRuns.WithLabelValues(k.flow, k.pool, k.state)
		}
		m.states[k] = c
	}
	return c
}

// taskState is the state type that an event tells of. Events are sent by
// clients, so that any other text must not become a label.
func taskState(e *core.Event) string {
	t := core.StateType(e.Resource["prefect.state-type"])
	switch t {
	case core.Scheduled, core.Pending, core.Running, core.Completed, core.Failed, core.Cancelled, core.Crashed, core.Paused, core.Cancelling:
		return strings.ToLower(string(t))
	}
	return other
}
