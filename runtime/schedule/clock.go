package schedule

import "time"

// Wall times are carried as UTC times whose digits are those on the local clock.

// wall is what a clock in loc shows at t.
func wall(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant is when the clock in loc shows w. A time that the clock shows twice is
// the first of the two. A time that the clock skips counts by the offset before
// the gap, as RFC 5545 (3.3.5) has it: where 02:00 becomes 03:00, 02:30 is 03:30.
// So a run never starts early, nor on the day before where midnight is skipped.
func instant(w time.Time, loc *time.Location) time.Time {
	_, before := w.Add(-26 * time.Hour).In(loc).Zone()
	first := w.Add(-time.Duration(before) * time.Second)
	_, after := w.Add(26 * time.Hour).In(loc).Zone()
	if before == after || shows(first, w, loc) {
		return first
	}
	if later := w.Add(-time.Duration(after) * time.Second); shows(later, w, loc) {
		return later
	}
	return first
}

func shows(t, w time.Time, loc *time.Location) bool { return wall(t, loc).Equal(w) }

// steady says whether the clock in loc is not changed during the day of date, a
// wall time, nor in the hours beside it.
func steady(date time.Time, loc *time.Location) bool {
	_, before := date.Add(-26 * time.Hour).In(loc).Zone()
	_, after := date.Add(50 * time.Hour).In(loc).Zone()
	return before == after
}
