package api

import (
	"testing"

	"github.com/flowlite/flowlite/db/dbtest"
)

func TestCountEvents(t *testing.T) {
	for _, engine := range dbtest.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			w := newWorld(t, engine.URL(t))
			for _, e := range []struct{ id, at, event, name string }{
				{"01", "2026-01-05T10:01:00Z", "a", "old"}, {"02", "2026-01-05T10:06:00Z", "a", "new"},
				{"03", "2026-01-05T10:07:00Z", "a", "new"}, {"04", "2026-01-05T10:21:00Z", "b", "new"},
			} {
				w.do(204, "POST", "/events", []object{{"id": "00000000-0000-4000-8000-0000000000" + e.id, "occurred": e.at, "event": e.event,
					"resource": object{"prefect.resource.id": "r", "prefect.resource.name": e.name}, "related": []any{}, "payload": object{}}})
			}
			span := object{"occurred": object{"since": "2026-01-05T10:01:00Z", "until": "2026-01-05T10:22:00Z"}}
			counts := func(by string, more object) []object {
				more["filter"] = span
				list := w.list("/events/count-by/"+by, more)
				shaped(t, "event_count", list[0])
				return list
			}
			equal(t, "by event", counts("event", object{}), []object{
				{"value": "a", "label": "a", "count": 3.0, "start_time": "2026-01-05T10:01:00Z", "end_time": "2026-01-05T10:07:00Z"},
				{"value": "b", "label": "b", "count": 1.0, "start_time": "2026-01-05T10:21:00Z", "end_time": "2026-01-05T10:21:00Z"}})
			equal(t, "by resource, with its latest name", counts("resource", object{}), []object{
				{"value": "r", "label": "new", "count": 4.0, "start_time": "2026-01-05T10:01:00Z", "end_time": "2026-01-05T10:21:00Z"}})
			equal(t, "by day", counts("day", object{}), []object{
				{"value": "0", "label": "2026-01-05T00:00:00+00:00", "count": 4.0, "start_time": "2026-01-05T00:00:00Z", "end_time": "2026-01-05T23:59:59.999999Z"}})
			five := counts("time", object{"time_unit": "minute", "time_interval": 5})
			equal(t, "by five minutes", names(five, "count"), []string{"1", "2", "0", "0", "1"})
			equal(t, "the second", five[1], object{"value": "1", "label": "2026-01-05T10:05:00+00:00", "count": 2.0, "start_time": "2026-01-05T10:05:00Z", "end_time": "2026-01-05T10:09:59.999999Z"})
			w.do(422, "POST", "/events/count-by/bogus", object{"filter": span})
			w.do(422, "POST", "/events/count-by/time", object{"filter": span, "time_unit": "second", "time_interval": 0.001})
			w.do(422, "POST", "/events/count-by/time", object{"filter": span, "time_unit": "second", "time_interval": 0.5})
			w.do(422, "POST", "/events/count-by/time", object{"filter": span, "time_unit": "fortnight"})
			w.do(422, "POST", "/events/count-by/event", object{})
			w.do(422, "POST", "/events/filter", object{"filter": object{"order": "sideways"}})
		})
	}
}
