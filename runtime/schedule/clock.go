package schedule

import "time"

// Wall times are carried as UTC times whose digits are those on the local clock.

// wall is what a clock in loc shows at t.
func wall(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant is when the clock in loc shows w. A time shown twice is the first of
// the two; a time that is skipped counts by the offset that holds after the
// gap, so 02:30 in New York's spring is 06:30Z.
func instant(w time.Time, loc *time.Location) time.Time {
	_, before := w.Add(-26 * time.Hour).In(loc).Zone()
	_, after := w.Add(26 * time.Hour).In(loc).Zone()
	first := w.Add(-time.Duration(before) * time.Second)
	if before == after || shows(first, w, loc) {
		return first
	}
	return w.Add(-time.Duration(after) * time.Second)
}

func shows(t, w time.Time, loc *time.Location) bool { return wall(t, loc).Equal(w) }
