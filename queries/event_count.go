package queries

import "github.com/flowlite/flowlite/runtime/core"

// EventCounts groups events: by their name, by their resource (each with its
// names), or by the number of the span, width microseconds long, since pivot.
func EventCounts(d Dialect, x *core.EventFilter, by string, pivot core.Time, width int64) Query {
	b := &builder{d: d}
	b.write("SELECT ")
	switch by {
	case core.CountByEvent:
		b.write("e.event, e.event")
	case core.CountByResource:
		b.write("e.event_resource_id, COALESCE(")
		b.label("e.resource", "prefect.resource.name")
		b.write(", e.event_resource_id)")
	default:
		b.write("CAST(CAST(FLOOR((", b.micros("e.occurred"), " - ")
		b.arg(int64(pivot))
		b.write(") / CAST(")
		b.arg(width)
		b.write(" AS DOUBLE PRECISION)) AS BIGINT) AS TEXT), ''")
	}
	b.write(", COUNT(*), MIN(e.occurred), MAX(e.occurred) FROM event e WHERE ")
	if x == nil {
		x = &core.EventFilter{}
	}
	b.event(x)
	b.write(" GROUP BY 1, 2 ORDER BY 3 DESC, 2")
	return b.query()
}
