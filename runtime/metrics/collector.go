package metrics

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/server"
)

// scrapeTime bounds the questions of one scrape.
const scrapeTime = 5 * time.Second

// collector reads a server.MeterSource at each scrape.
type collector struct {
	server.MeterSource
	names *bounded
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("flowlite_"+name, help, labels, nil)
}

var (
	runsDesc      = desc("flow_runs", "Flow runs that have not ended, by flow, work pool, and state type.", "flow", "work_pool", "state")
	lateDesc      = desc("flow_runs_late", "Scheduled flow runs that are late, by work pool.", "work_pool")
	oldestDesc    = desc("flow_run_oldest_due_seconds", "How long the longest-waiting scheduled flow run has been due, by work pool.", "work_pool")
	workersDesc   = desc("workers", "Workers by work pool and status.", "work_pool", "status")
	poolDesc      = desc("work_pool_ready", "1 if the work pool has an online worker and is not paused, else 0.", "work_pool")
	limitDesc     = desc("concurrency_limit_slots", "Slots of a global or tag concurrency limit.", "limit")
	activeDesc    = desc("concurrency_limit_active_slots", "Active slots of a concurrency limit.", "limit")
	waitingDesc   = desc("concurrency_limit_waiting_slots", "Slots that clients are waiting for.", "limit")
	successDesc   = desc("service_last_success_timestamp_seconds", "When a background service last succeeded on this server.", "service")
	failingDesc   = desc("service_failing", "1 if the last run of a background service failed, else 0.", "service")
	holderDesc    = desc("service_lease_held", "1 if this server holds the lease of a background service, else 0.", "service")
	busReadyDesc  = desc("bus_ready", "1 if this server receives the messages of other servers, else 0.", "kind")
	sentDesc      = desc("bus_messages_sent_total", "Messages sent to other servers.")
	receivedDesc  = desc("bus_messages_received_total", "Messages received from other servers.")
	droppedDesc   = desc("bus_messages_dropped_total", "Messages that could not be sent or received in time.")
	databaseDesc  = desc("database_up", "1 if the database answered this scrape, else 0.", "engine")
	sizeDesc      = desc("database_size_bytes", "Size of the database, with its write-ahead log on SQLite.")
	walDesc       = desc("database_wal_bytes", "Size of SQLite's write-ahead log.")
	commitsDesc   = desc("database_commits_total", "Transactions that committed.")
	statedDesc    = desc("database_statements_total", "Statements sent to the database, with BEGIN and COMMIT.")
	failedDesc    = desc("database_write_errors_total", "Writes that the database refused.")
	writeDesc     = desc("database_write_seconds", "Duration of writes; on SQLite many share one commit.")
	connDesc      = desc("database_connections", "Connections of the pool by state.", "state")
	connMaxDesc   = desc("database_connections_max", "Most connections of the pool.")
	connWaitsDesc = desc("database_connection_waits_total", "Requests that had to wait for a connection.")
	workerDesc    = desc("local_worker_runs", "Flow runs that this server's own worker executes.")
	workerUpDesc  = desc("local_worker_ready", "1 if this server's own worker can claim flow runs, else 0.")
)

// Describe sends nothing: which series there are depends on the server.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect asks the database for its size, its live runs, workers, pools, and limits,
// the slots of each limit by a question of its own. The rest is in memory.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	s := sink{out}
	c.database(ctx, s)
	c.services(s)
	if c.Worker != nil {
		runs, fault := c.Worker()
		s.gauge(workerDesc, float64(runs))
		s.gauge(workerUpDesc, truth(fault == nil))
	}
	for _, read := range []func(context.Context, sink) error{c.runs, c.pools, c.limits} {
		if err := read(ctx, s); err != nil {
			c.Log.Warn("metrics not read", "error", err)
			return // the database is away, and the next would wait as long
		}
	}
}

type sink struct{ out chan<- prometheus.Metric }

func (s sink) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (s sink) counter(d *prometheus.Desc, v int64) {
	s.out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (c *collector) database(ctx context.Context, s sink) {
	facts, err := c.Store.Facts(ctx)
	s.gauge(databaseDesc, truth(err == nil), c.Store.Engine())
	if err == nil {
		s.gauge(sizeDesc, float64(facts.Bytes))
	}
	t := c.Store.Stats()
	s.counter(commitsDesc, t.Commits)
	s.counter(statedDesc, t.Statements)
	s.counter(failedDesc, t.Failed)
	s.gauge(walDesc, float64(t.WALBytes))
	s.gauge(connDesc, float64(t.InUse), "in_use")
	s.gauge(connDesc, float64(t.Idle), "idle")
	s.gauge(connMaxDesc, float64(t.MaxConnections))
	s.counter(connWaitsDesc, t.Waits)
	buckets, sum := map[float64]uint64{}, uint64(0)
	for i, bound := range core.DurationBounds {
		sum += t.WriteTime.Within[i]
		buckets[bound] = sum
	}
	s.out <- prometheus.MustNewConstHistogram(writeDesc, uint64(t.WriteTime.Count), t.WriteTime.Seconds, buckets)
}

func (c *collector) services(s sink) {
	b := c.Bus()
	s.gauge(busReadyDesc, truth(b.Ready), b.Kind)
	s.counter(sentDesc, b.Sent)
	s.counter(receivedDesc, b.Heard)
	s.counter(droppedDesc, b.Dropped)
	if c.Services == nil {
		return
	}
	for _, p := range c.Services() {
		name := strings.ReplaceAll(p.Name, " ", "_")
		s.gauge(holderDesc, truth(!p.Elsewhere), name)
		s.gauge(failingDesc, truth(p.LastError != ""), name)
		if p.LastSuccess != 0 {
			s.gauge(successDesc, float64(p.LastSuccess.Time().UnixMilli())/1e3, name)
		}
	}
}

// runs sums what has the same labels: names beyond the bound share "other".
func (c *collector) runs(ctx context.Context, s sink) error {
	live, err := c.Store.LiveFlowRuns(ctx)
	if err != nil {
		return err
	}
	now := core.Now()
	count, late, oldest := map[stateKey]int64{}, map[string]int64{}, map[string]float64{}
	for _, r := range live {
		pool := c.names.pool(r.Pool)
		count[stateKey{c.names.flow(r.Flow), pool, strings.ToLower(string(r.State))}] += r.Runs
		if r.State != core.Scheduled {
			continue
		}
		if r.Name == "Late" {
			late[pool] += r.Runs
		}
		oldest[pool] = max(oldest[pool], now.Sub(r.Due).Seconds(), 0)
	}
	for k, n := range count {
		s.gauge(runsDesc, float64(n), k.flow, k.pool, k.state)
	}
	for pool, seconds := range oldest {
		s.gauge(oldestDesc, seconds, pool)
		s.gauge(lateDesc, float64(late[pool]), pool)
	}
	return nil
}

func (c *collector) pools(ctx context.Context, s sink) error {
	workers, err := c.Store.CountWorkers(ctx)
	if err != nil {
		return err
	}
	count := map[[2]string]int64{}
	for _, w := range workers {
		count[[2]string{c.names.pool(w.Pool), strings.ToLower(w.Status)}] += w.Workers
	}
	for k, n := range count {
		s.gauge(workersDesc, float64(n), k[0], k[1])
	}
	pools, err := c.Store.WorkPools(ctx, nil, core.Page{Limit: maxPools})
	if err != nil {
		return err
	}
	for _, p := range pools {
		if name := c.names.pool(p.Name); name != other {
			s.gauge(poolDesc, truth(!p.IsPaused && count[[2]string{name, "online"}] > 0), name)
		}
	}
	return nil
}

func (c *collector) limits(ctx context.Context, s sink) error {
	waiting := c.Waiting()
	for _, ofTags := range []bool{false, true} {
		limits, err := c.Store.GlobalLimits(ctx, ofTags, core.Page{Limit: maxLimits / 2})
		if err != nil {
			return err
		}
		for _, l := range limits {
			active, err := c.Slots(ctx, l)
			if err != nil {
				return err
			}
			s.gauge(limitDesc, float64(l.Limit), l.Name)
			s.gauge(activeDesc, float64(active), l.Name)
			s.gauge(waitingDesc, float64(waiting[l.Name]), l.Name)
		}
	}
	return nil
}
