package views

import (
	"slices"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// axisMark is a word under an axis of time.
type axisMark struct {
	At core.Time
	L  string
}

// axisSteps are what the marks of an axis may be apart: up to 14 days, and from
// there on whole months.
var axisSteps = []time.Duration{
	100 * time.Microsecond,
	200 * time.Microsecond,
	500 * time.Microsecond,
	time.Millisecond,
	2 * time.Millisecond,
	5 * time.Millisecond,
	10 * time.Millisecond,
	20 * time.Millisecond,
	50 * time.Millisecond,
	100 * time.Millisecond,
	200 * time.Millisecond,
	500 * time.Millisecond,
	time.Second,
	2 * time.Second,
	5 * time.Second,
	10 * time.Second,
	15 * time.Second,
	30 * time.Second,
	time.Minute,
	2 * time.Minute,
	5 * time.Minute,
	10 * time.Minute,
	15 * time.Minute,
	30 * time.Minute,
	time.Hour,
	2 * time.Hour,
	3 * time.Hour,
	6 * time.Hour,
	12 * time.Hour,
	day,
	2 * day,
	5 * day,
	7 * day,
	14 * day,
	month,
	3 * month,
	6 * month,
	12 * month,
	60 * month,
	240 * month,
}

const (
	day   = 24 * time.Hour
	month = 30 * day
)

// axisMarks are at most 8, at round times of the reader's clock. None is where
// its word would not fit before the end.
func axisMarks(from, to core.Time, loc *time.Location) (out []axisMark) {
	span, step := to.Sub(from), axisSteps[len(axisSteps)-1]
	for _, s := range axisSteps {
		if span/s <= 7 || s == 3*time.Hour && span <= day {
			step = s
			break
		}
	}
	at := from.Time().In(loc)
	midnight := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, loc)
	switch {
	case step < day:
		at = midnight.Add(at.Sub(midnight) / step * step)
	case step < month:
		at = midnight
	default:
		at = time.Date(at.Year(), 1, 1, 0, 0, 0, 0, loc)
	}
	end := to - core.Time(span.Microseconds()/16)
	var times []time.Time
	for ; core.TimeFrom(at) <= end && len(times) < 8; at = axisNext(at, step) {
		if core.TimeFrom(at) >= from {
			times = append(times, at)
		}
	}
	for i, word := range axisWords(times, func(t time.Time) string { return axisWord(t, step) }) {
		out = append(out, axisMark{core.TimeFrom(times[i]), word})
	}
	return out
}

// axisDetails tell times apart whose words are the same: of another day, of less
// than a minute, or of the hour that comes twice when clocks go back.
var axisDetails = []string{
	"15:04:05", "15:04:05.000", "15:04:05.0000", "2 Jan 15:04", "15:04 MST", "2 Jan 2006", "2 Jan 15:04:05", "2 Jan 15:04 MST",
	"2 Jan 15:04:05.000", "2 Jan 2006 15:04:05.000000 -0700",
}

// axisWords are the words of an axis, no two of them the same: those that would
// be have the first detail that tells them apart.
func axisWords(times []time.Time, word func(time.Time) string) []string {
	words, count := make([]string, len(times)), map[string]int{}
	for i, t := range times {
		words[i] = word(t)
		count[words[i]]++
	}
	if len(count) == len(words) {
		return words
	}
	for _, layout := range axisDetails {
		detailed, seen := slices.Clone(words), map[string]bool{}
		for i, t := range times {
			if count[words[i]] > 1 {
				detailed[i] = t.Format(layout)
			}
			seen[detailed[i]] = true
		}
		if len(seen) == len(words) {
			return detailed
		}
	}
	return words
}

// axisNext knows that days and months are not all of a length.
func axisNext(t time.Time, step time.Duration) time.Time {
	switch {
	case step < day:
		return t.Add(step)
	case step < month:
		return t.AddDate(0, 0, int(step/day))
	}
	return t.AddDate(0, int(step/month), 0)
}

func axisWord(t time.Time, step time.Duration) string {
	switch {
	case step >= month:
		return t.Format("Jan 2006")
	case step >= day, step >= time.Hour && t.Hour() == 0 && t.Minute() == 0:
		return t.Format("2 Jan")
	case step >= time.Minute:
		return t.Format("15:04")
	case step >= time.Second:
		return t.Format("15:04:05")
	}
	return t.Format("15:04:05.000")
}
