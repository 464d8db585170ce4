package queries

// Inserts of several rows at once: a statement costs more than a row.

// InvalidatesNothing begins a built write that leaves cached flow runs true, as
// the same line does in a .sql file.
const InvalidatesNothing = "-- invalidates: nothing\n"

func AddTaskRunStates(d Dialect, rows [][]any) Query {
	return insert(d, "task_run_state (id, task_run_id, type, name, timestamp, message, data, state_details)", rows, " ON CONFLICT DO NOTHING")
}

// AddLogs returns the numbers of the lines, in their order.
func AddLogs(d Dialect, rows [][]any) Query {
	return insert(d, "log (log_id, created, name, level, message, timestamp, flow_run_id, task_run_id)", rows, " RETURNING id")
}

// LockLogs lets one transaction at a time number lines of the runs that the
// keys stand for, until it has committed. Only Postgres needs it.
func LockLogs(keys []int64) Query {
	return Query{SQL: "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k", Args: []any{keys}}
}

func insert(d Dialect, into string, rows [][]any, end string) Query {
	b := &builder{d: d, args: make([]any, 0, len(rows)*8)}
	b.b.Grow(len(into) + 40*len(rows))
	b.write(InvalidatesNothing, "INSERT INTO ", into, " VALUES ")
	for i, row := range rows {
		if i > 0 {
			b.write(",")
		}
		for j, v := range row {
			if j == 0 {
				b.write("(")
			} else {
				b.write(",")
			}
			b.arg(v)
		}
		b.write(")")
	}
	b.write(end)
	return b.query()
}
