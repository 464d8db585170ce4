package schedule

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// interval fires at multiples of every from the anchor. Less than a day is
// elapsed time; a day or more is time on the clock, so that 36 h from 08:00 are
// 20:00 and 08:00 in winter and in summer. Counting the hours beyond whole days
// as elapsed time would move these times by an hour at each change of the clock.
type interval struct {
	anchor time.Time
	every  time.Duration
	loc    *time.Location
}

var _ dates = (*interval)(nil)

const (
	day         = 24 * time.Hour
	maxInterval = 36500 * day
)

func parseInterval(m map[string]json.RawMessage, loc *time.Location, zone *string) (*Rule, error) {
	every, err := duration(m["interval"])
	if err != nil {
		return nil, err
	}
	anchor := core.Now()
	if raw := m["anchor_date"]; len(raw) > 0 && string(raw) != "null" {
		if err := json.Unmarshal(raw, &anchor); err != nil {
			return nil, invalid("anchor_date", raw, "anchor_date: %v", err)
		}
		if y := anchor.Time().Year(); y < 1900 || y > 2200 {
			return nil, invalid("anchor_date", raw, "anchor_date %s is out of range; use a year from 1900 to 2200", raw)
		}
	}
	if zone == nil {
		zone = core.Ptr("UTC")
	}
	r := &interval{anchor: anchor.Time(), every: every, loc: loc}
	seconds := strconv.FormatFloat(every.Seconds(), 'f', -1, 64)
	if !strings.Contains(seconds, ".") {
		seconds += ".0"
	}
	return &Rule{
		kind: KindInterval, loc: loc, dates: r,
		describe: "every " + inWords(every) + inZone(zone), meaning: "interval " + seconds + inZone(zone),
		json: core.ToJSON(struct {
			Interval json.RawMessage `json:"interval"`
			Anchor   core.Time       `json:"anchor_date"`
			Timezone *string         `json:"timezone"`
		}{json.RawMessage(seconds), anchor, zone}),
	}, nil
}

// KeepAnchor returns given with the anchor of stored, where both are intervals
// and given has none: it would start to count anew.
func KeepAnchor(given, stored core.JSON) core.JSON {
	g, old := given.Map(), stored.Map()
	if g["interval"] == nil || g["anchor_date"] != nil || old["interval"] == nil || old["anchor_date"] == nil {
		return given
	}
	var m map[string]json.RawMessage // the other keys stay as they were written
	if json.Unmarshal(given, &m) != nil {
		return given
	}
	m["anchor_date"] = json.RawMessage(core.ToJSON(old["anchor_date"]))
	return core.ToJSON(m)
}

func (r *interval) between(after, until time.Time, n int) []time.Time {
	// A zone that moved across the date line shifts the count by two steps.
	k := int64(math.Floor(float64(after.Sub(r.anchor))/float64(r.every))) - 2
	var out []time.Time
	for last := after; len(out) < n; k++ {
		t := r.at(k)
		if !until.IsZero() && t.After(until) {
			break
		}
		if t.After(last) {
			out, last = append(out, t), t
		}
	}
	return out
}

func (r *interval) at(k int64) time.Time {
	if r.every < day {
		return r.anchor.Add(time.Duration(k) * r.every)
	}
	// The days by themselves: a Duration ends after 292 years.
	days, rest := r.every/day, r.every%day
	w := wall(r.anchor, r.loc).AddDate(0, 0, int(k)*int(days)).Add(time.Duration(k) * rest)
	return instant(w, r.loc).UTC()
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

// duration reads seconds, or an ISO 8601 duration such as PT1H.
func duration(raw json.RawMessage) (time.Duration, error) {
	var seconds float64
	var s string
	if err := json.Unmarshal(raw, &seconds); err != nil {
		if err := json.Unmarshal(raw, &s); err != nil {
			return 0, invalid("interval", raw, `interval must be a number of seconds or a duration such as "PT15M"`)
		}
		m := isoDuration.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
		if m == nil || strings.HasSuffix(m[0], "T") || m[0] == "P" {
			f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil {
				return 0, invalid("interval", raw, `interval %q is not a duration; write seconds, or a duration such as "PT15M"`, s)
			}
			seconds = f
		} else {
			for i, unit := range []float64{7 * 86400, 86400, 3600, 60, 1} {
				f, _ := strconv.ParseFloat(m[i+1], 64)
				seconds += f * unit
			}
		}
	}
	switch {
	case !(seconds > 0):
		return 0, invalid("interval", raw, "interval must be greater than 0 seconds")
	case seconds > maxInterval.Seconds():
		return 0, invalid("interval", raw, "interval must be at most 36500 days")
	}
	d := time.Duration(math.Round(seconds*1e6)) * time.Microsecond
	if d < time.Millisecond {
		return 0, invalid("interval", raw, "interval must be at least 0.001 seconds")
	}
	return d, nil
}

func inWords(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if n := d / u.d; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.d
		}
	}
	if d > 0 {
		parts = append(parts, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+" s")
	}
	return strings.Join(parts, " ")
}
