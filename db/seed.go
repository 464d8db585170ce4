package db

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"

	petname "github.com/dustinkirkland/golang-petname"
)

// SeedSize is how much history Seed makes up: rows, over Days that end now.
type SeedSize struct {
	FlowRuns, TaskRuns, Logs, Events int
	Days                             int
}

// Seed fills an empty database with made-up history, for measurements: flow
// runs of 20 flows and 60 deployments in three pools, 93 % of them completed,
// with tags, states, task runs, logs and events. progress hears of each table
// as it grows.
func Seed(ctx context.Context, dsn string, size SeedSize, progress func(table string, done, total int)) error {
	b, err := OpenBulk(ctx, dsn)
	if err != nil {
		return err
	}
	s := &seed{ctx: ctx, b: b, size: size, now: core.Now(), progress: progress}
	for _, part := range []func() error{s.things, s.flowRuns, s.flowRunTags, s.flowRunStates, s.taskRuns, s.taskRunStates, s.logs, s.events} {
		if err := part(); err != nil {
			_ = b.Close()
			return err
		}
	}
	progress("indexes", 0, 1)
	if err := b.Commit(ctx); err != nil {
		_ = b.Close()
		return err
	}
	return b.Close()
}

type seed struct {
	ctx      context.Context
	b        Bulk
	size     SeedSize
	now      core.Time
	progress func(string, int, int)

	flows, pools, queues, deployments [][]any // rows; their ids come first
}

var seedStates = []struct {
	upTo int // of 1,000 runs
	typ  core.StateType
	name string
}{
	{930, core.Completed, "Completed"}, {970, core.Failed, "Failed"}, {980, core.Crashed, "Crashed"},
	{995, core.Cancelled, "Cancelled"}, {1000, core.Failed, "TimedOut"},
}

// seedRun is what is made up of a run, the same each time it is asked for.
type seedRun struct {
	id, state      core.UUID
	deployment     int
	at, start, end core.Time
	typ            core.StateType
	name           string
	took           time.Duration
	running        bool
}

const (
	seedDeployments = 60
	seedAhead       = 500 // runs that are scheduled for later
	seedLive        = 20  // that are running
)

// seedID is a UUIDv7 of a time: kind and n keep it apart from others.
func seedID(at core.Time, kind byte, n int) (u core.UUID) {
	binary.BigEndian.PutUint64(u[:8], uint64(at/1000)<<16)
	u[6] = 0x70
	u[8], u[9] = 0x80, kind
	binary.BigEndian.PutUint32(u[10:], uint32(n))
	return u
}

func mix(n int) uint64 { // splitmix64
	z := uint64(n)*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (s *seed) run(i int) seedRun {
	h := mix(i)
	span := time.Duration(s.size.Days) * 24 * time.Hour
	past := max(1, s.size.FlowRuns-seedAhead)
	at := s.now.Add(-span).Add(time.Duration(float64(span) * float64(i) / float64(past)))
	r := seedRun{deployment: int(h % seedDeployments), took: time.Duration(1+h>>8%90) * time.Second, at: at}
	r.id, r.state = seedID(at, 1, i), seedID(at, 2, i)
	switch {
	case i >= past:
		r.at = s.now.Add(time.Duration(i-past+1) * time.Minute)
		r.typ, r.name = core.Scheduled, "Scheduled"
		r.id, r.state = seedID(s.now, 1, i), seedID(s.now, 2, i)
	case i >= past-seedLive:
		r.start, r.typ, r.name, r.running = at.Add(time.Second), core.Running, "Running", true
	default:
		r.start = at.Add(time.Second)
		r.end = r.start.Add(r.took)
		for _, st := range seedStates {
			if int(h>>20%1000) < st.upTo {
				r.typ, r.name = st.typ, st.name
				break
			}
		}
	}
	return r
}

func (s *seed) load(table string, total int, columns []string, rows iter.Seq[[]any]) error {
	n := 0
	_, err := s.b.Load(s.ctx, table, columns, func(yield func([]any) bool) {
		for r := range rows {
			if !yield(r) {
				return
			}
			if n++; n%10_000 == 0 {
				s.progress(table, n, max(n, total))
			}
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	s.progress(table, n, max(n, total))
	return nil
}

// things are what there are few of.
func (s *seed) things() error {
	began := s.now.Add(-time.Duration(s.size.Days) * 24 * time.Hour)
	for i := range 20 {
		s.flows = append(
			s.flows,
			[]any{
				seedID(began, 10, i),
				began,
				began,
				fmt.Sprintf("%s-%d", []string{"etl", "report", "sync", "train", "backup"}[i%5], i),
				core.Tags{},
				core.JSON("{}"),
			},
		)
	}
	for i, name := range []string{"default", "prod", "gpu"} {
		queue := seedID(began, 12, i)
		s.pools = append(s.pools, []any{seedID(began, 11, i), began, began, name, "process", core.JSON("{}"), false, queue})
		s.queues = append(s.queues, []any{queue, began, began, "default", false, int64(1), s.pools[i][0], "READY"})
	}
	for i := range seedDeployments {
		s.deployments = append(
			s.deployments,
			[]any{
				seedID(began, 13, i),
				began,
				began,
				fmt.Sprintf("%s-%d", []string{"nightly", "hourly", "adhoc"}[i%3], i),
				s.flows[i%len(s.flows)][0],
				false,
				core.JSON("{}"),
				core.JSON(`{"source":"orders"}`),
				core.Tags{"prod"},
				core.JSON("{}"),
				s.queues[i%len(s.queues)][0],
				"flows/etl.go:ETL",
				"READY",
				true,
			},
		)
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"flow", []string{"id", "created", "updated", "name", "tags", "labels"}, s.flows},
		{"work_pool", []string{"id", "created", "updated", "name", "type", "base_job_template", "is_paused", "default_queue_id"}, s.pools},
		{"work_queue", []string{"id", "created", "updated", "name", "is_paused", "priority", "work_pool_id", "status"}, s.queues},
		{"deployment", []string{"id", "created", "updated", "name", "flow_id", "paused", "job_variables", "parameters", "tags", "labels", "work_queue_id", "entrypoint", "status", "enforce_parameter_schema"}, s.deployments},
	} {
		if err := s.load(t.table, len(t.rows), t.columns, func(yield func([]any) bool) {
			for _, r := range t.rows {
				if !yield(r) {
					return
				}
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// rows gives up to n rows of each flow run, whose sum is total.
func (s *seed) rows(total int, row func(r *seedRun, i, k int) []any) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for i := range s.size.FlowRuns {
			r := s.run(i)
			for k := range (i+1)*total/s.size.FlowRuns - i*total/s.size.FlowRuns {
				if v := row(&r, i, k); v != nil && !yield(v) {
					return
				}
			}
		}
	}
}

func (s *seed) tags(i int) core.Tags {
	tags := core.Tags{"prod"}
	if i%50 == 0 {
		tags = append(tags, "team-data")
	}
	return tags
}

func (s *seed) flowRuns() error {
	policy := core.ToJSON(core.FlowRunPolicy{PauseKeys: []string{}})
	return s.load(
		"flow_run",
		s.size.FlowRuns,
		[]string{
			"id",
			"created",
			"updated",
			"name",
			"flow_id",
			"state_id",
			"deployment_id",
			"work_queue_id",
			"parameters",
			"empirical_policy",
			"tags",
			"labels",
			"state_type",
			"state_name",
			"state_timestamp",
			"run_count",
			"expected_start_time",
			"next_scheduled_start_time",
			"start_time",
			"end_time",
			"total_run_time",
			"auto_scheduled",
			"in_process_retry",
			"recoveries",
		},
		s.rows(s.size.FlowRuns, func(r *seedRun, i, _ int) []any {
			d := s.deployments[r.deployment]
			var next core.Time
			if r.typ == core.Scheduled {
				next = r.at
			}
			began, total := min(r.at, s.now), 0.0
			if r.typ.Final() {
				total = r.took.Seconds()
			}
			return []any{
				r.id,
				began,
				max(began, r.start, r.end),
				petname.Adjective() + "-" + petname.Name(),
				d[4],
				r.state,
				d[0],
				d[10],
				core.JSON(`{"source":"orders"}`),
				policy,
				s.tags(i),
				core.JSON("{}"),
				string(r.typ),
				r.name,
				max(began, r.start, r.end),
				int64(1),
				r.at,
				next,
				r.start,
				r.end,
				total,
				i%2 == 0,
				false,
				int64(0),
			}
		}),
	)
}

func (s *seed) flowRunTags() error {
	return s.load("flow_run_tag", s.size.FlowRuns, []string{"tag", "expected_start_time", "flow_run_id"}, func(yield func([]any) bool) {
		for i := range s.size.FlowRuns {
			r := s.run(i)
			for _, tag := range s.tags(i) {
				if !yield([]any{tag, r.at, r.id}) {
					return
				}
			}
		}
	})
}

var seedStateColumns = []string{"id", "flow_run_id", "type", "name", "timestamp", "message", "state_details"}

// flowRunStates are three a run: scheduled, running, and how it ended.
func (s *seed) flowRunStates() error {
	return s.load("flow_run_state", 3*s.size.FlowRuns, seedStateColumns, s.rows(3*s.size.FlowRuns, func(r *seedRun, i, k int) []any {
		details := storedDetails(core.StateDetails{FlowRunID: r.id})
		switch {
		case k == 0:
			id := seedID(min(r.at, s.now), 3, i)
			if r.typ == core.Scheduled {
				id = r.state
			}
			return []any{id, r.id, "SCHEDULED", "Scheduled", min(r.at, s.now), nil, details}
		case k == 1 && r.start != 0:
			id := seedID(r.start, 4, i)
			if r.running {
				id = r.state
			}
			return []any{id, r.id, "RUNNING", "Running", r.start, nil, details}
		case k == 2 && r.end != 0:
			var message *string
			if r.typ == core.Failed {
				message = core.Ptr("load: dial tcp 10.4.9.3:5432: connection refused (3 attempts)")
			}
			return []any{r.state, r.id, string(r.typ), r.name, r.end, message, details}
		}
		return nil
	}))
}

func (s *seed) taskRuns() error {
	names := []string{"extract", "load", "check", "notify"}
	return s.load(
		"task_run",
		s.size.TaskRuns,
		[]string{
			"id",
			"created",
			"updated",
			"name",
			"flow_run_id",
			"task_key",
			"dynamic_key",
			"empirical_policy",
			"tags",
			"labels",
			"state_id",
			"task_inputs",
			"state_type",
			"state_name",
			"state_timestamp",
			"run_count",
			"flow_run_run_count",
			"expected_start_time",
			"start_time",
			"end_time",
			"total_run_time",
		},
		s.rows(s.size.TaskRuns, func(r *seedRun, i, k int) []any {
			if r.start == 0 {
				return nil
			}
			t := s.task(r, i, k)
			key := names[k%len(names)]
			return []any{
				t.id,
				t.start,
				max(t.start, t.end),
				fmt.Sprintf("%s-%d", key, k/len(names)),
				r.id,
				key,
				strconv.Itoa(k / len(names)),
				core.JSON("{}"),
				core.Tags{},
				core.JSON("{}"),
				t.state,
				core.JSON("{}"),
				string(t.typ),
				t.typ.Name(),
				max(t.start, t.end),
				int64(1),
				int64(1),
				t.start,
				t.start,
				t.end,
				t.end.Sub(t.start).Seconds(),
			}
		}),
	)
}

type seedTask struct {
	id, state  core.UUID
	start, end core.Time
	typ        core.StateType
}

func (s *seed) task(r *seedRun, i, k int) seedTask {
	start := r.start.Add(time.Duration(k) * 100 * time.Millisecond)
	n := i<<4 + k&15
	t := seedTask{
		id:    seedID(start, 20+byte(k>>4), n),
		start: start,
		end:   start.Add(r.took / 2),
		typ:   core.Completed,
		state: seedID(start, 60+byte(k>>4), n),
	}
	if r.typ == core.Failed {
		t.typ = core.Failed
	}
	return t
}

// taskRunStates are two a task run: running, and how it ended.
func (s *seed) taskRunStates() error {
	columns := append([]string{"id", "task_run_id"}, seedStateColumns[2:]...)
	return s.load("task_run_state", 2*s.size.TaskRuns, columns, func(yield func([]any) bool) {
		for i := range s.size.FlowRuns {
			r := s.run(i)
			if r.start == 0 {
				continue
			}
			for k := range (i+1)*s.size.TaskRuns/s.size.FlowRuns - i*s.size.TaskRuns/s.size.FlowRuns {
				t := s.task(&r, i, k)
				details := storedDetails(core.StateDetails{FlowRunID: r.id, TaskRunID: t.id})
				if !yield([]any{seedID(t.start, 100+byte(k>>4), i<<4+k&15), t.id, "RUNNING", "Running", t.start, nil, details}) ||
					!yield([]any{t.state, t.id, string(t.typ), t.typ.Name(), t.end, nil, details}) {
					return
				}
			}
		}
	})
}

func (s *seed) logs() error {
	return s.load("log", s.size.Logs, []string{"log_id", "created", "name", "level", "message", "timestamp", "flow_run_id", "task_run_id"},
		s.rows(s.size.Logs, func(r *seedRun, i, k int) []any {
			if r.start == 0 {
				return nil
			}
			at := r.start.Add(time.Duration(k) * time.Second)
			level := int64(20)
			if k == 4 && r.typ == core.Failed {
				level = 40
			}
			var task core.UUID
			if k > 0 && s.size.TaskRuns >= s.size.FlowRuns {
				task = s.task(r, i, 0).id
			}
			return []any{
				seedID(at, 150, i<<3+k&7),
				at,
				"flow",
				level,
				fmt.Sprintf("processed batch %d: %d rows of orders in %d ms", k+1, 100+mix(i+k)%900, 10+mix(i)%400),
				at,
				r.id,
				task,
			}
		}))
}

// events are of the youngest runs: retention takes older ones.
func (s *seed) events() error {
	return s.load(
		"event",
		s.size.Events,
		[]string{"id", "occurred", "received", "event", "event_resource_id", "resource", "related", "payload"},
		func(yield func([]any) bool) {
			for i := max(0, s.size.FlowRuns-s.size.Events); i < s.size.FlowRuns; i++ {
				r := s.run(i)
				id := "prefect.flow-run." + r.id.String()
				related := []map[string]string{
					{"prefect.resource.id": fmt.Sprint("prefect.flow.", s.deployments[r.deployment][4]), "prefect.resource.role": "flow"},
					{"prefect.resource.id": fmt.Sprint("prefect.deployment.", s.deployments[r.deployment][0]), "prefect.resource.role": "deployment"},
				}
				at := min(s.now, max(r.at, r.end))
				if !yield(
					[]any{
						r.state,
						at,
						at,
						"prefect.flow-run." + r.name,
						id,
						core.ToJSON(map[string]string{"prefect.resource.id": id, "prefect.state-name": r.name}),
						core.ToJSON(related),
						core.JSON("{}"),
					},
				) {
					return
				}
			}
		},
	)
}
