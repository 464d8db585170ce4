package queries

import "github.com/flowlite/flowlite/runtime/core"

// History counts runs of a table ("flow_run" or "task_run") by bucket and
// state: bucket, type, name, count, run time and lateness in seconds. Buckets
// without runs may be left out. rare are tags that few runs of its time have.
func History(d Dialect, table string, q core.HistoryQuery, rare Rare, buckets int, now core.Time) Query {
	h := history{&builder{d: d, rare: rare, due: DueIn(q)}, table, "r", q.Start, max(1, int64(q.Interval*1e6)), int64(buckets), now, q.Counts}
	if table == "task_run" {
		h.a = "t"
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
	table, a      string
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
		h.w(" FROM ", h.table, " ", h.a, " WHERE ", h.a, ".expected_start_time >= b.lo AND ", h.a, ".expected_start_time < b.hi")
	}
	group := func(more string) {
		h.w("SELECT ", h.a, ".state_type AS type, ", h.a, ".state_name AS name, COUNT(*) AS n, ")
		h.sums()
		of()
		h.w(more, " GROUP BY 1, 2")
	}
	if h.d == Postgres {
		at := func(i string) {
			h.w("CAST(")
			h.arg(h.start)
			h.w(" AS TIMESTAMPTZ) + ", i, " * CAST(")
			h.arg(h.step)
			h.w(" AS BIGINT) * INTERVAL '1 microsecond'")
		}
		h.w("SELECT b.i, g.* FROM (SELECT i, ")
		at("i")
		h.w(" AS lo, ")
		at("(i + 1)")
		h.w(" AS hi FROM generate_series(0, CAST(")
		h.arg(h.buckets - 1)
		h.w(" AS BIGINT)) AS i) AS b CROSS JOIN LATERAL (")
		group("")
		h.w(") AS g ORDER BY 1, 2, 3")
		return
	}
	h.w("WITH RECURSIVE b(i, lo, hi) AS (SELECT 0, ")
	h.arg(int64(h.start))
	h.w(", ")
	h.arg(int64(h.start) + h.step)
	h.w(" UNION ALL SELECT i + 1, hi, hi + ")
	h.arg(h.step)
	h.w(" FROM b WHERE i < ")
	h.arg(h.buckets - 1)
	h.w(") SELECT b.i, ")
	for i, col := range []string{"0", "1", "2", "3", "4"} {
		if i > 0 {
			h.w(", ")
		}
		h.w("json_extract(e.value, '$[", col, "]')")
	}
	// SQLite has no lateral join.
	h.w(" FROM b, json_each((SELECT json_group_array(json_array(type, name, n, run, late)) FROM (")
	// It sorts what it groups, so most runs, which are completed, are not grouped.
	completed := "+" + h.a + ".state_type = 'COMPLETED' AND " + h.a + ".state_name = 'Completed'" // +: by the index on time
	h.w("SELECT 'COMPLETED' AS type, 'Completed' AS name, COUNT(*) AS n, ")
	h.sumsOf(true)
	of()
	h.w(" AND ", completed, " HAVING COUNT(*) > 0 UNION ALL ")
	group(" AND NOT (" + completed + ")")
	h.w("))) e ORDER BY 1, 2, 3")
}

func (h *history) filtered(fs core.Filters) {
	// No row is before the start, so that whole numbers divide as FLOOR does, and faster.
	h.w("SELECT (", h.micros(h.a+".expected_start_time"), " - ")
	h.arg(int64(h.start))
	h.w(") / CAST(")
	h.arg(h.step)
	h.w(" AS BIGINT), ", h.a, ".state_type, ", h.a, ".state_name, COUNT(*), ")
	h.sums()
	h.w(" FROM ", h.table, " ", h.a, " WHERE ", h.a, ".expected_start_time >= ")
	h.arg(h.start)
	h.w(" AND ", h.a, ".expected_start_time < ")
	h.arg(h.start + core.Time(h.step*h.buckets))
	h.w(" AND ")
	if h.table == "task_run" {
		h.whereTaskRuns(fs)
	} else {
		h.whereFlowRuns(fs)
	}
	h.w(" GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
}

// sums are run time and lateness.
func (h *history) sums() { h.sumsOf(false) }

func (h *history) sumsOf(completed bool) {
	if h.counts {
		h.w("CAST(0 AS DOUBLE PRECISION) AS run, CAST(0 AS DOUBLE PRECISION) AS late")
		return
	}
	if completed { // the same for runs that do not run and have started
		at := h.a + ".expected_start_time"
		h.w("CAST(SUM(", h.a, ".total_run_time) AS DOUBLE PRECISION) AS run, CAST(SUM(CASE WHEN ", h.a, ".start_time > ", at, " THEN ", h.seconds(at, h.a+".start_time"), " ELSE 0 END) AS DOUBLE PRECISION) AS late")
		return
	}
	h.w("CAST(SUM(", h.a, ".total_run_time + CASE WHEN ", h.a, ".state_type = 'RUNNING' THEN ")
	h.since(h.a+".state_timestamp", h.now)
	h.w(" ELSE 0 END) AS DOUBLE PRECISION) AS run, CAST(SUM(")
	h.lateness(h.a, h.now)
	h.w(") AS DOUBLE PRECISION) AS late")
}

// lateness is how many seconds after its expected time a run started, or has
// not started yet.
func (b *builder) lateness(a string, now core.Time) {
	at := a + ".expected_start_time"
	b.w("CASE WHEN ", a, ".start_time > ", at, " THEN ", b.seconds(at, a+".start_time"),
		" WHEN ", a, ".start_time IS NULL AND ", a, ".state_type NOT IN ('COMPLETED','FAILED','CANCELLED','CRASHED') AND ", at, " < ")
	b.arg(now)
	b.w(" THEN ")
	b.since(at, now)
	b.w(" ELSE 0 END")
}

// since is how many seconds after the column's time it is now.
func (b *builder) since(col string, now core.Time) {
	if b.d == Postgres {
		b.w("date_part('epoch', CAST(")
		b.arg(now)
		b.w(" AS TIMESTAMPTZ) - ", col, ")")
		return
	}
	b.w("(")
	b.arg(int64(now))
	b.w(" - ", col, ") / 1000000.0")
}

func (b *builder) seconds(from, to string) string {
	if b.d == Postgres {
		return "date_part('epoch', " + to + " - " + from + ")"
	}
	return "(" + to + " - " + from + ") / 1000000.0"
}
