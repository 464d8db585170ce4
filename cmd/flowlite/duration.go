package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// duration is a time span as people write it: 15m, 1h30m, "10 min", "1 day", or seconds.
type duration time.Duration

func (l duration) Duration() time.Duration { return time.Duration(l) }

func (l *duration) UnmarshalText(b []byte) error {
	d, err := parseLength(string(b))
	*l = duration(d)
	return err
}

var durationPart = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]*)[\s,]*`) })

var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
}

func parseLength(text string) (d time.Duration, err error) {
	wrong := fmt.Errorf("%q is not a duration; write 15m, 1h30m, '10 min' or seconds", text)
	rest := strings.ToLower(strings.TrimSpace(text))
	if rest == "" {
		return 0, wrong
	}
	for rest != "" {
		m := durationPart().FindStringSubmatch(rest)
		if m == nil {
			return 0, wrong
		}
		unit, ok := units[m[2]]
		if !ok && len(m[2]) > 2 { // hours, but not ms or s
			unit, ok = units[strings.TrimSuffix(m[2], "s")]
		}
		if m[2] == "" && d == 0 && m[0] == rest {
			unit, ok = time.Second, true
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if !ok || err != nil || n*float64(unit) > float64(100*365*24*time.Hour) {
			return 0, wrong
		}
		d += time.Duration(n * float64(unit))
		rest = rest[len(m[0]):]
	}
	return d, nil
}
