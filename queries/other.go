package queries

import "github.com/flowlite/flowlite/runtime/core"

var byName = map[string]string{"": "p.name, p.id"}

func WorkPools(d Dialect, x *core.WorkPoolFilter, p *core.Page) Query {
	return list(d, "work_pool", "p", func(b *builder) {
		if x == nil {
			x = &core.WorkPoolFilter{}
		}
		b.workPool(x)
	}, byName, "", p)
}

// WorkQueues of a pool; the zero pool is all.
func WorkQueues(d Dialect, pool core.UUID, x *core.WorkQueueFilter, p *core.Page) Query {
	return list(d, "work_queue", "q", func(b *builder) {
		if x == nil {
			x = &core.WorkQueueFilter{}
		}
		b.workQueue(x)
		b.inPool("q", pool)
	}, map[string]string{"": "q.work_pool_id, q.priority, q.name, q.id"}, "", p)
}

func (b *builder) inPool(alias string, pool core.UUID) {
	if !pool.IsZero() {
		b.write(" AND ")
		b.cmp(alias+".work_pool_id", " = ", pool)
	}
}

func Workers(d Dialect, pool core.UUID, x *core.WorkerFilter, p *core.Page) Query {
	return list(d, "worker", "w", func(b *builder) {
		if x == nil {
			x = &core.WorkerFilter{}
		}
		f := b.fields()
		f.time("w.last_heartbeat_time", x.LastHeartbeatTime)
		f.textFilter("w.status", x.Status)
		b.all(x.Operator, f.terms)
		b.inPool("w", pool)
	}, map[string]string{"": "w.name, w.id"}, "", p)
}

func Logs(d Dialect, x *core.LogFilter, p *core.Page) Query {
	return list(d, "log", "l", func(b *builder) {
		if x == nil {
			x = &core.LogFilter{}
		}
		f := b.fields()
		f.int("l.level", x.Level)
		f.time("l.timestamp", x.Timestamp)
		f.id("l.flow_run_id", x.FlowRunID)
		f.id("l.task_run_id", x.TaskRunID)
		f.search(x.Text, b.plainText("l.message"), b.plainText("l.name"))
		b.all(x.Operator, f.terms)
		if x.AfterSeq > 0 {
			b.write(" AND ")
			b.cmp("l.id", " > ", x.AfterSeq)
		}
		if x.BeforeSeq > 0 {
			b.write(" AND ")
			b.cmp("l.id", " < ", x.BeforeSeq)
		}
	}, map[string]string{
		"TIMESTAMP_ASC": "l.timestamp, l.id", "TIMESTAMP_DESC": "l.timestamp DESC, l.id DESC",
		"SEQ_ASC": "l.id", "SEQ_DESC": "l.id DESC",
	}, "TIMESTAMP_ASC", p)
}

func artifacts(d Dialect, table string, x *core.ArtifactFilter, p *core.Page) Query {
	return list(d, table, "a", func(b *builder) {
		if x == nil {
			x = &core.ArtifactFilter{}
		}
		f := b.fields()
		f.id("a.id", x.ID)
		if table == "artifact_collection" {
			f.id("a.latest_id", x.LatestID)
		}
		f.textFilter("a.key", x.Key)
		f.id("a.flow_run_id", x.FlowRunID)
		f.id("a.task_run_id", x.TaskRunID)
		f.textFilter("a.type", x.Type)
		b.all(x.Operator, f.terms)
		b.artifactOf(x.Of)
	}, map[string]string{
		"ID_DESC": "a.id DESC", "CREATED_DESC": "a.created DESC, a.id DESC", "UPDATED_DESC": "a.updated DESC, a.id DESC",
		"KEY_ASC": "a.key ASC NULLS LAST, a.id", "KEY_DESC": "a.key DESC NULLS LAST, a.id DESC",
	}, "ID_DESC", p)
}

// artifactOf keeps the artifacts of runs that pass: flow run, flow, and deployment
// of one flow run, as Prefect does.
func (b *builder) artifactOf(of core.Filters) {
	if of.FlowRuns != nil || of.Flows != nil || of.Deployments != nil {
		b.write(" AND ")
		b.exists("flow_run r WHERE r.id = a.flow_run_id", func() {
			b.whereFlowRuns(core.Filters{FlowRuns: of.FlowRuns, Flows: of.Flows, Deployments: of.Deployments})
		})()
	}
	if of.TaskRuns != nil {
		b.write(" AND ")
		b.exists("task_run t WHERE t.id = a.task_run_id", func() { b.taskRun(of.TaskRuns) })()
	}
}

// Sized selects the ids of a page of q, and how large the text or JSON in a column
// of each row is. It looks at the rows of the page alone.
func Sized(d Dialect, q Query, table, column string) Query {
	value := "s." + column
	if d == Postgres {
		value += "::text"
	}
	q.SQL = "SELECT p.id, (SELECT COALESCE(octet_length(" + value + "), 0) FROM " + table + " s WHERE s.id = p.id) FROM (" + q.SQL + ") p"
	return q
}

func Artifacts(d Dialect, x *core.ArtifactFilter, p *core.Page) Query {
	return artifacts(d, "artifact", x, p)
}

func ArtifactCollections(d Dialect, x *core.ArtifactFilter, p *core.Page) Query {
	return artifacts(d, "artifact_collection", x, p)
}

func Variables(d Dialect, x *core.VariableFilter, p *core.Page) Query {
	return list(d, "variable", "v", func(b *builder) {
		if x == nil {
			x = &core.VariableFilter{}
		}
		f := b.fields()
		f.id("v.id", x.ID)
		f.textFilter("v.name", x.Name)
		f.tags("v.tags", x.Tags, nil)
		b.all(x.Operator, f.terms)
	}, map[string]string{
		"NAME_ASC": "v.name, v.id", "NAME_DESC": "v.name DESC, v.id DESC",
		"CREATED_DESC": "v.created DESC, v.id DESC", "UPDATED_DESC": "v.updated DESC, v.id DESC",
	}, "NAME_ASC", p)
}

// GlobalLimits are those of tags, or all others.
func GlobalLimits(d Dialect, ofTags bool, p *core.Page) Query {
	return list(d, "global_limit", "g", func(b *builder) {
		if !ofTags {
			b.write("NOT ")
		}
		b.write("substr(g.name, 1, 4) = 'tag:'")
	}, map[string]string{"": "g.name, g.id"}, "", p)
}
