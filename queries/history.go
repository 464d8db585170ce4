package queries

import "github.com/flowlite/flowlite/runtime/core"

// History counts runs of a table ("flow_run" or "task_run") by bucket and
// state: bucket, type, name, count, run time and lateness in seconds. Buckets
// without runs may be left out. rare are tags that few runs of its time have.
func History(d Dialect, table string, q core.HistoryQuery, rare Rare, buckets int, now core.Time) Query {
	h := history{&builder{d: d, rare: rare, due: DueIn(q)}, table, "r", q.Start, max(1, int64(q.Interval*1e6)), int64(buckets), now, q.Counts}
	if table == "task_run" {
		h.alias = "t"
	}
	if q.Filters == (core.Filters{}) {
		h.byBucket()
	} else {
		h.filtered(q.Filters)
	}
	return h.query()
}

type history struct {
	*builder
	table, alias  string
	start         core.Time
	step, buckets int64
	now           core.Time
	counts        bool // only
}

// byBucket reads one bucket after the other, each by the index on time: to sort
// the runs of a week by bucket and state takes three times as long as to read
// them.
func (h *history) byBucket() {
	of := func() {
		h.write(" FROM ", h.table, " ", h.alias, " WHERE ", h.alias, ".expected_start_time >= b.lo AND ", h.alias, ".expected_start_time < b.hi")
	}
	group := func(more string) {
		h.write("SELECT ", h.alias, ".state_type AS type, ", h.alias, ".state_name AS name, COUNT(*) AS n, ")
		h.sums()
		of()
		h.write(more, " GROUP BY 1, 2")
	}
	if h.d == Postgres {
		at := func(i string) {
			h.write("CAST(")
			h.arg(h.start)
			h.write(" AS TIMESTAMPTZ) + ", i, " * CAST(")
			h.arg(h.step)
			h.write(" AS BIGINT) * INTERVAL '1 microsecond'")
		}
		h.write("SELECT b.i, g.* FROM (SELECT i, ")
		at("i")
		h.write(" AS lo, ")
		at("(i + 1)")
		h.write(" AS hi FROM generate_series(0, CAST(")
		h.arg(h.buckets - 1)
		h.write(" AS BIGINT)) AS i) AS b CROSS JOIN LATERAL (")
		group("")
		h.write(") AS g ORDER BY 1, 2, 3")
		return
	}
	h.write("WITH RECURSIVE b(i, lo, hi) AS (SELECT 0, ")
	h.arg(int64(h.start))
	h.write(", ")
	h.arg(int64(h.start) + h.step)
	h.write(" UNION ALL SELECT i + 1, hi, hi + ")
	h.arg(h.step)
	h.write(" FROM b WHERE i < ")
	h.arg(h.buckets - 1)
	h.write(") SELECT b.i, ")
	for i, col := range []string{"0", "1", "2", "3", "4"} {
		if i > 0 {
			h.write(", ")
		}
		h.write("json_extract(e.value, '$[", col, "]')")
	}
	// SQLite has no lateral join.
	h.write(" FROM b, json_each((SELECT json_group_array(json_array(type, name, n, run, late)) FROM (")
	// It sorts what it groups, so most runs, which are completed, are not grouped.
	completed := "+" + h.alias + ".state_type = 'COMPLETED' AND " + h.alias + ".state_name = 'Completed'" // +: by the index on time
	h.write("SELECT 'COMPLETED' AS type, 'Completed' AS name, COUNT(*) AS n, ")
	h.sumsOf(true)
	of()
	h.write(" AND ", completed, " HAVING COUNT(*) > 0 UNION ALL ")
	group(" AND NOT (" + completed + ")")
	h.write("))) e ORDER BY 1, 2, 3")
}

func (h *history) filtered(fs core.Filters) {
	// No row is before the start, so that whole numbers divide as FLOOR does, and faster.
	h.write("SELECT (", h.micros(h.alias+".expected_start_time"), " - ")
	h.arg(int64(h.start))
	h.write(") / CAST(")
	h.arg(h.step)
	h.write(" AS BIGINT), ", h.alias, ".state_type, ", h.alias, ".state_name, COUNT(*), ")
	h.sums()
	h.write(" FROM ", h.table, " ", h.alias, " WHERE ", h.alias, ".expected_start_time >= ")
	h.arg(h.start)
	h.write(" AND ", h.alias, ".expected_start_time < ")
	h.arg(h.start + core.Time(h.step*h.buckets))
	h.write(" AND ")
	if h.table == "task_run" {
		h.whereTaskRuns(fs)
	} else {
		h.whereFlowRuns(fs)
	}
	h.write(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
}

// sums are run time and lateness.
func (h *history) sums() { h.sumsOf(false) }

func (h *history) sumsOf(completed bool) {
	if h.counts {
		h.write("CAST(0 AS DOUBLE PRECISION) AS run, CAST(0 AS DOUBLE PRECISION) AS late")
		return
	}
	if completed { // the same for runs that do not run and have started
		at := h.alias + ".expected_start_time"
		h.write(
			"CAST(SUM(",
			h.alias,
			".total_run_time) AS DOUBLE PRECISION) AS run, CAST(SUM(CASE WHEN ",
			h.alias,
			".start_time > ",
			at,
			" THEN ",
			h.seconds(at, h.alias+".start_time"),
			" ELSE 0 END) AS DOUBLE PRECISION) AS late",
		)
		return
	}
	h.write("CAST(SUM(")
	h.runTime(h.alias, h.now)
	h.write(") AS DOUBLE PRECISION) AS run, CAST(SUM(")
	h.lateness(h.alias, h.now)
	h.write(") AS DOUBLE PRECISION) AS late")
}

// runTime is how many seconds a run has run so far.
func (b *builder) runTime(a string, now core.Time) {
	b.write(a, ".total_run_time + CASE WHEN ", a, ".state_type = 'RUNNING' THEN ")
	b.since(a+".state_timestamp", now)
	b.write(" ELSE 0 END")
}

// lateness is how many seconds after its expected time a run started, or has
// not started yet.
func (b *builder) lateness(a string, now core.Time) {
	at := a + ".expected_start_time"
	b.write("CASE WHEN ", a, ".start_time > ", at, " THEN ", b.seconds(at, a+".start_time"),
		" WHEN ", a, ".start_time IS NULL AND ", a, ".state_type NOT IN ('COMPLETED','FAILED','CANCELLED','CRASHED') AND ", at, " < ")
	b.arg(now)
	b.write(" THEN ")
	b.since(at, now)
	b.write(" ELSE 0 END")
}

// since is how many seconds after the column's time it is now.
func (b *builder) since(col string, now core.Time) {
	if b.d == Postgres {
		b.write("date_part('epoch', CAST(")
		b.arg(now)
		b.write(" AS TIMESTAMPTZ) - ", col, ")")
		return
	}
	b.write("(")
	b.arg(int64(now))
	b.write(" - ", col, ") / 1000000.0")
}

func (b *builder) seconds(from, to string) string {
	if b.d == Postgres {
		return "date_part('epoch', " + to + " - " + from + ")"
	}
	return "(" + to + " - " + from + ") / 1000000.0"
}
