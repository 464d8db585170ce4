package api

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// pivot is where spans are counted from: a Monday, before any event.
var pivot = core.Time(time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC).UnixMicro())

const (
	maxSpans  = 1000
	leastSpan = 0.01
)

var spanUnits = map[string]time.Duration{
	"week":   7 * 24 * time.Hour,
	"day":    24 * time.Hour,
	"hour":   time.Hour,
	"minute": time.Minute,
	"second": time.Second,
}

type eventCountQuery struct {
	Filter   *core.EventFilter `json:"filter"`
	Unit     *string           `json:"time_unit"`
	Interval *float64          `json:"time_interval"`
}

func (a *API) countEvents(ctx context.Context, in *struct {
	Countable string `path:"countable"`
	Body      eventCountQuery
}) ([]core.EventCount, error) {
	unit, interval := "day", 1.0
	by := in.Countable
	switch by {
	case "day":
		by = core.CountByTime
	case core.CountByTime:
		if in.Body.Unit != nil {
			unit = *in.Body.Unit
		}
		if in.Body.Interval != nil {
			interval = *in.Body.Interval
		}
	case core.CountByEvent, core.CountByResource:
	default:
		return nil, &core.Error{Code: core.EInvalid, Message: "events are counted by day, time, event or resource", Fields: []core.FieldError{{
			Type: "enum", Loc: []any{"path", "countable"}, Msg: "Input should be 'day', 'time', 'event' or 'resource'", Input: by}}}
	}
	size, known := spanUnits[unit]
	switch {
	case in.Body.Filter == nil:
		return nil, invalid("missing", "Field required", nil, "filter")
	case !known:
		return nil, invalid("enum", "Input should be 'week', 'day', 'hour', 'minute' or 'second'", unit, "time_unit")
	case interval < leastSpan:
		return nil, invalid("greater_than_equal", "Input should be greater than or equal to 0.01", interval, "time_interval")
	}
	if err := boundEvents(in.Body.Filter); err != nil {
		return nil, err
	}
	if by == core.CountByTime {
		return a.eventSpans(ctx, in.Body.Filter, size, interval)
	}
	counts, err := rows(a.store.EventCounts(ctx, in.Body.Filter, by, pivot, 1))
	return mergeNames(counts), err
}

// mergeNames makes one count of a resource's, under its latest name.
func mergeNames(counts []core.EventCount) []core.EventCount {
	at := map[string]int{}
	out := counts[:0]
	for _, c := range counts {
		i, has := at[c.Value]
		if !has {
			at[c.Value] = len(out)
			out = append(out, c)
			continue
		}
		if c.End > out[i].End {
			out[i].Label = c.Label
		}
		out[i].Count += c.Count
		out[i].Start, out[i].End = min(out[i].Start, c.Start), max(out[i].End, c.End)
	}
	slices.SortStableFunc(out, func(a, b core.EventCount) int { return int(b.Count - a.Count) })
	return out
}

// eventSpans counts by spans of time, empty ones too, up to the present one.
func (a *API) eventSpans(ctx context.Context, f *core.EventFilter, unit time.Duration, interval float64) ([]core.EventCount, error) {
	width := int64(float64(unit.Microseconds()) * interval)
	since, until := f.Occurred.Since, f.Occurred.Until
	if n := (int64(until-since) + width - 1) / width; n > maxSpans {
		return nil, core.Errorf(core.EInvalid, "The given interval would create %d buckets, which is too many. "+
			"Please increase the interval or reduce the time range to produce %d buckets or fewer.", n, maxSpans)
	}
	if now := core.Now(); until > now {
		whole := unit.Microseconds()
		until = pivot + core.Time((int64(now-pivot)/whole+1)*whole-1)
	}
	counts, err := a.store.EventCounts(ctx, f, core.CountByTime, pivot, width)
	if err != nil {
		return nil, err
	}
	found := make(map[string]int64, len(counts))
	for _, c := range counts {
		found[c.Value] = c.Count
	}
	first := floorDiv(int64(since-pivot), width)
	out := []core.EventCount{}
	for i := first; pivot+core.Time(i*width) < until && len(out) <= maxSpans; i++ {
		start := pivot + core.Time(i*width)
		out = append(out, core.EventCount{
			Value: strconv.FormatInt(
				i-first,
				10,
			),
			Label: start.Time().UTC().Format("2006-01-02T15:04:05+00:00"),
			Count: found[strconv.FormatInt(i, 10)],
			Start: start,
			End:   start + core.Time(width) - 1,
		})
	}
	return out, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
