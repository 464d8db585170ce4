package core

import (
	"testing"
	"time"
)

func TestDurationsFallIntoTheirBuckets(t *testing.T) {
	var c DurationCounter
	for _, d := range []time.Duration{0, 500 * time.Microsecond, 501 * time.Microsecond, 10 * time.Second, time.Minute} {
		c.Add(d)
	}
	s := c.Snapshot()
	last := len(DurationBounds)
	if s.Count != 5 || s.Within[0] != 2 || s.Within[1] != 1 || s.Within[last-1] != 1 || s.Within[last] != 1 {
		t.Error(s)
	}
	if s.Seconds < 70 || s.Seconds > 70.01 {
		t.Error(s.Seconds)
	}
}
