package queries

import (
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

var flowSorts = map[string]string{
	"NAME_ASC": "f.name, f.id", "NAME_DESC": "f.name DESC, f.id DESC",
	"CREATED_DESC": "f.created DESC, f.id DESC", "UPDATED_DESC": "f.updated DESC, f.id DESC",
}

func (b *builder) exists(from string, cond func()) term {
	return func() {
		b.write("EXISTS (SELECT 1 FROM ", from, " AND ")
		cond()
		b.write(")")
	}
}

func (b *builder) whereFlows(fs core.Filters) {
	var ts []term
	if fs.Flows != nil {
		ts = append(ts, func() { b.flow(fs.Flows) })
	}
	if fs.FlowRuns != nil {
		ts = append(ts, b.exists("flow_run r WHERE r.flow_id = f.id", func() { b.flowRun(fs.FlowRuns) }))
	}
	if fs.TaskRuns != nil {
		ts = append(
			ts,
			b.exists("flow_run tr JOIN task_run t ON t.flow_run_id = tr.id WHERE tr.flow_id = f.id", func() { b.taskRun(fs.TaskRuns) }),
		)
	}
	if fs.Deployments != nil {
		ts = append(ts, b.exists("deployment d WHERE d.flow_id = f.id", func() { b.deployment(fs.Deployments) }))
	}
	if fs.WorkPools != nil || fs.WorkQueues != nil {
		ts = append(ts, b.exists("deployment qd WHERE qd.flow_id = f.id", func() { b.all(core.And, b.queueOf("qd.work_queue_id", fs)) }))
	}
	b.all(core.And, ts)
}

func (b *builder) whereFlowRuns(fs core.Filters) {
	var ts []term
	if fs.Flows != nil {
		ts = append(ts, func() {
			b.write("r.flow_id IN (SELECT f.id FROM flow f WHERE ")
			b.flow(fs.Flows)
			b.write(")")
		})
	}
	if fs.FlowRuns != nil {
		ts = append(ts, func() { b.flowRun(fs.FlowRuns) })
	}
	if fs.TaskRuns != nil {
		ts = append(ts, b.exists("task_run t WHERE t.flow_run_id = r.id", func() { b.taskRun(fs.TaskRuns) }))
	}
	if fs.Deployments != nil {
		ts = append(ts, func() {
			b.write("r.deployment_id IN (SELECT d.id FROM deployment d WHERE ")
			b.deployment(fs.Deployments)
			b.write(")")
		})
	}
	b.all(core.And, append(ts, b.queueOf("r.work_queue_id", fs)...))
}

func (b *builder) whereTaskRuns(fs core.Filters) {
	var ts []term
	if fs.TaskRuns != nil {
		ts = append(ts, func() { b.taskRun(fs.TaskRuns) })
	}
	if fs.Flows != nil || fs.FlowRuns != nil || fs.Deployments != nil || fs.WorkPools != nil || fs.WorkQueues != nil {
		of := fs
		of.TaskRuns = nil
		if tag, ok := onlyTag(of); ok && of.FlowRuns.ExpectedStartTime == nil {
			ts = append(ts, func() { b.runHasTag("t.flow_run_id", tag) })
			b.all(core.And, ts)
			return
		}
		ts = append(ts, b.exists("flow_run r WHERE r.id = t.flow_run_id", func() { b.whereFlowRuns(of) }))
	}
	b.all(core.And, ts)
}

func (b *builder) whereDeployments(fs core.Filters) {
	var ts []term
	if fs.Flows != nil {
		ts = append(ts, func() {
			b.write("d.flow_id IN (SELECT f.id FROM flow f WHERE ")
			b.flow(fs.Flows)
			b.write(")")
		})
	}
	if fs.FlowRuns != nil {
		ts = append(ts, b.exists("flow_run r WHERE r.deployment_id = d.id", func() { b.flowRun(fs.FlowRuns) }))
	}
	if fs.TaskRuns != nil {
		ts = append(
			ts,
			b.exists("flow_run tr JOIN task_run t ON t.flow_run_id = tr.id WHERE tr.deployment_id = d.id", func() { b.taskRun(fs.TaskRuns) }),
		)
	}
	if fs.Deployments != nil {
		ts = append(ts, func() { b.deployment(fs.Deployments) })
	}
	b.all(core.And, append(ts, b.queueOf("d.work_queue_id", fs)...))
}

var flowRunSorts = map[string]string{
	"ID_DESC":                       "r.id DESC",
	"START_TIME_ASC":                "COALESCE(r.start_time, r.expected_start_time) ASC NULLS LAST, r.id",
	"START_TIME_DESC":               "COALESCE(r.start_time, r.expected_start_time) DESC NULLS LAST, r.id DESC",
	"EXPECTED_START_TIME_ASC":       "r.expected_start_time, r.id",
	"EXPECTED_START_TIME_DESC":      "r.expected_start_time DESC, r.id DESC",
	"NAME_ASC":                      "r.name, r.id",
	"NAME_DESC":                     "r.name DESC, r.id DESC",
	"NEXT_SCHEDULED_START_TIME_ASC": "r.next_scheduled_start_time ASC NULLS LAST, r.id",
	"END_TIME_DESC":                 "r.end_time DESC NULLS LAST, r.id DESC",
	"END_TIME_ASC":                  "r.end_time, r.id",
}

// flowRunKeys are the columns of the sorts that a cursor can continue.
var flowRunKeys = map[string]struct {
	col  string
	desc bool
}{
	"EXPECTED_START_TIME_ASC": {"r.expected_start_time", false}, "EXPECTED_START_TIME_DESC": {"r.expected_start_time", true},
	"END_TIME_ASC": {"r.end_time", false}, "END_TIME_DESC": {"r.end_time", true}, "NAME_ASC": {"r.name", false}, "NAME_DESC": {"r.name", true},
}

// after bounds the sort's column, which its index can do, and leaves out what
// stands in the same place up to the cursor.
func (b *builder) after(p core.Page) {
	k, ok := flowRunKeys[p.Sort]
	if p.After == nil || !ok {
		return
	}
	var v any = p.After.Time
	if k.col == "r.name" {
		v = p.After.Name
	}
	op := " > "
	if k.desc {
		op = " < "
	}
	b.write(" AND ")
	b.cmp(k.col, strings.TrimRight(op, " ")+"= ", v)
	b.write(" AND (")
	b.cmp(k.col, op, v)
	b.write(" OR ")
	b.cmp("r.id", op, p.After.ID)
	b.write(")")
}

var taskRunSorts = map[string]string{
	"ID_DESC":                       "t.id DESC",
	"EXPECTED_START_TIME_ASC":       "t.expected_start_time ASC NULLS LAST, t.id",
	"EXPECTED_START_TIME_DESC":      "t.expected_start_time DESC NULLS LAST, t.id DESC",
	"NAME_ASC":                      "t.name, t.id",
	"NAME_DESC":                     "t.name DESC, t.id DESC",
	"NEXT_SCHEDULED_START_TIME_ASC": "t.next_scheduled_start_time ASC NULLS LAST, t.id",
	"END_TIME_DESC":                 "t.end_time DESC NULLS LAST, t.id DESC",
	"DURATION_DESC":                 "t.run_time DESC, t.expected_start_time DESC, t.id DESC",
	"DURATION_ASC":                  "t.run_time, t.expected_start_time DESC, t.id DESC",
}

var deploymentSorts = map[string]string{
	"FLOW_NAME_ASC": "(SELECT f.name FROM flow f WHERE f.id = d.flow_id), d.name, d.id", // the pages'
	"NAME_ASC":      "d.name, d.id", "NAME_DESC": "d.name DESC, d.id DESC",
	"CREATED_DESC": "d.created DESC, d.id DESC", "UPDATED_DESC": "d.updated DESC, d.id DESC",
}

// list is a page of ids, or their count where p is nil.
func list(d Dialect, from, alias string, where func(*builder), sorts map[string]string, def string, p *core.Page) Query {
	b := &builder{d: d}
	b.b.Grow(512)
	if p == nil {
		b.write("SELECT COUNT(*) FROM ", from, " ", alias, " WHERE ")
		where(b)
		q := b.query()
		// Where nothing is asked of rows, not even 1=1, SQLite counts an index page by
		// page instead of row by row: a tenth of the time.
		q.SQL = strings.TrimSuffix(q.SQL, " WHERE 1=1")
		return q
	}
	b.write("SELECT ", alias, ".id FROM ", from, " ", alias, " WHERE ")
	where(b)
	b.page(sorts, def, *p)
	return b.query()
}

// Flows and its kin select a page of ids, or count where p is nil.
func Flows(d Dialect, fs core.Filters, p *core.Page) Query {
	return list(d, "flow", "f", func(b *builder) { b.whereFlows(fs) }, flowSorts, "NAME_ASC", p)
}

func FlowRuns(d Dialect, fs core.Filters, p *core.Page, rare Rare) Query {
	return list(d, "flow_run", "r", func(b *builder) {
		b.rare, b.due = rare, Due(fs)
		b.byEnd = p != nil && p.Sort == "END_TIME_DESC"
		b.listing = p != nil
		b.scan = p != nil && strings.HasPrefix(p.Sort, "EXPECTED_START_TIME")
		b.whereFlowRuns(fs)
		if p != nil {
			b.after(*p)
		}
	}, flowRunSorts, "ID_DESC", p)
}

// newest is how many runs NewestFlowRuns looks at, in some 20 ms.
const newest = 30_000

// NewestFlowRuns is FlowRuns among the newest runs alone; it is the same page if
// it is full. ok tells whether it is worth a try: else all names are compared
// before what was found is sorted, and most often a run of late is looked for.
func NewestFlowRuns(d Dialect, fs core.Filters, p core.Page, rare Rare) (q Query, ok bool) {
	f := fs.FlowRuns
	if _, other := flowRunSorts[p.Sort]; p.Limit <= 0 || other && p.Sort != "ID_DESC" ||
		f == nil || f.Operator == core.Or || f.Name == nil || f.Name.Like == nil && f.Name.Contains == nil ||
		f.ExpectedStartTime != nil || f.EndTime != nil {
		return q, false
	}
	from := "(SELECT * FROM flow_run ORDER BY id DESC LIMIT " + strconv.Itoa(newest) + ")"
	return list(d, from, "r", func(b *builder) {
		b.rare, b.scan = rare, true
		b.whereFlowRuns(fs)
	}, flowRunSorts, "ID_DESC", &p), true
}

// FlowRunsUpTo counts no further than most.
func FlowRunsUpTo(d Dialect, fs core.Filters, most int64, rare Rare) Query {
	b := &builder{d: d, rare: rare, due: Due(fs)}
	if tag, ok := onlyTag(fs); ok {
		b.countTagged(tag, most)
		return b.query()
	}
	b.write("SELECT COUNT(*) FROM (SELECT 1 FROM flow_run r WHERE ")
	b.whereFlowRuns(fs)
	b.write(" LIMIT ")
	b.arg(most)
	b.write(") AS matching")
	return b.query()
}

func TaskRuns(d Dialect, fs core.Filters, p *core.Page) Query {
	return list(d, "task_run", "t", func(b *builder) { b.whereTaskRuns(fs) }, taskRunSorts, "ID_DESC", p)
}

// EndedTaskRuns are those of all task runs that have ended.
func EndedTaskRuns(d Dialect, p core.Page) Query {
	return list(d, "task_run", "t", func(b *builder) { b.write("t.end_time IS NOT NULL") }, taskRunSorts, "ID_DESC", &p)
}

func Deployments(d Dialect, fs core.Filters, p *core.Page) Query {
	return list(d, "deployment", "d", func(b *builder) { b.whereDeployments(fs) }, deploymentSorts, "NAME_ASC", p)
}

// Lateness is the average lateness in seconds of runs, NULL if there are none.
func Lateness(d Dialect, fs core.Filters, now core.Time) Query {
	b := &builder{d: d}
	b.write("SELECT CAST(AVG(")
	b.lateness("r", now)
	b.write(") AS DOUBLE PRECISION) FROM flow_run r WHERE ")
	b.whereFlowRuns(fs)
	return b.query()
}
