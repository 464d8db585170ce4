package schedule

import (
	"encoding/json"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	robfig "github.com/robfig/cron/v3"

	"github.com/flowlite/flowlite/runtime/core"
)

// cron is five fields and, unlike other dialects, an optional sixth at the
// end for the seconds.
type cron struct {
	spec     robfig.SpecSchedule // the plain part of each field, as bits
	lastDay  bool                // L in day of month
	nth      map[nthDay]bool     // MON#1, L5 in day of week
	anyDom   bool
	anyDow   bool
	dayAnd   bool
	location *time.Location
}

// nthDay is the nth weekday of a month; n 0 is the last one.
type nthDay struct {
	day time.Weekday
	n   int
}

var _ dates = (*cron)(nil)

var cronFields = []struct {
	name, range_ string
	full         uint64
}{
	{"minute", "0 to 59", 1<<60 - 1},
	{"hour", "0 to 23", 1<<24 - 1},
	{"day of month", "1 to 31, L for the last day", 1<<32 - 2},
	{"month", "1 to 12 or JAN to DEC", 1<<13 - 2},
	{"day of week", "0 to 6 (0 and 7 are Sunday) or SUN to SAT, MON#1 for the first Monday, L5 for the last Friday", 1<<7 - 1},
	{"second", "0 to 59", 1<<60 - 1},
}

var cronNames = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

func parseCron(m map[string]json.RawMessage, loc *time.Location, zone *string) (*Rule, error) {
	s, err := text(m, "cron", "0 9 * * 1-5")
	if err != nil {
		return nil, err
	}
	dayOr := true
	if raw := m["day_or"]; len(raw) > 0 && string(raw) != "null" {
		if err := json.Unmarshal(raw, &dayOr); err != nil {
			return nil, invalid("day_or", raw, "day_or must be true or false")
		}
	}
	c := &cron{dayAnd: !dayOr, location: loc}
	if err := c.parse(s); err != nil {
		return nil, err
	}
	if len(c.between(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}, 1)) == 0 {
		return nil, invalid("cron", s, "cron %q never matches a date; check day of month and month", s)
	}
	return &Rule{
		kind: KindCron, loc: loc, dates: c, describe: strings.TrimSpace(s) + inZone(zone),
		meaning: "cron " + strings.Join(strings.Fields(s), " ") + inZone(zone) + " day_or=" + strconv.FormatBool(dayOr),
		json: core.ToJSON(struct {
			Cron     string  `json:"cron"`
			Timezone *string `json:"timezone"`
			DayOr    bool    `json:"day_or"`
		}{s, zone, dayOr}),
	}, nil
}

func (c *cron) parse(s string) error {
	expr := strings.TrimSpace(s)
	if strings.HasPrefix(expr, "@") {
		plain, ok := cronNames[strings.ToLower(expr)]
		if !ok {
			return invalid("cron", s, "cron %q is not known; use @hourly, @daily, @weekly, @monthly, @yearly or five fields such as 0 9 * * 1-5", s)
		}
		expr = plain
	}
	fields := strings.Fields(expr)
	if len(fields) != 5 && len(fields) != 6 {
		return invalid(
			"cron",
			s,
			"cron %q has %d fields; it takes five (minute, hour, day of month, month, day of week) and an optional sixth for seconds",
			s,
			len(fields),
		)
	}
	if len(fields) == 5 {
		fields = append(fields, "0")
	}
	sets := make([]uint64, len(fields))
	for i, f := range fields {
		set, ok := c.field(i, f)
		if !ok {
			hint := ""
			if strings.ContainsAny(strings.ToUpper(f), "RH") && strings.Trim(strings.ToUpper(f), "RH()0123456789-/,") == "" {
				hint = "; R and H (random and hashed values) are not supported"
			}
			return invalid("cron", s, "cron %q: the %s field %q is not valid; it takes %s, also as *, lists (1,2), ranges (1-5) or steps (*/2)%s",
				s, cronFields[i].name, f, cronFields[i].range_, hint)
		}
		sets[i] = set
	}
	c.spec = robfig.SpecSchedule{Minute: sets[0], Hour: sets[1], Dom: sets[2], Month: sets[3], Dow: sets[4], Second: sets[5]}
	c.anyDom = sets[2] == cronFields[2].full
	c.anyDow = sets[4] == cronFields[4].full
	return nil
}

// field reads one field into bits; what bits cannot say goes into c.
func (c *cron) field(i int, f string) (uint64, bool) {
	var set uint64
	for part := range strings.SplitSeq(strings.ToUpper(f), ",") {
		switch {
		case i == 2 && part == "L":
			c.lastDay = true
			continue
		case i == 4:
			if d, ok := nth(part); ok {
				if c.nth == nil {
					c.nth = map[nthDay]bool{}
				}
				c.nth[d] = true
				continue
			}
		}
		one, ok := plainField(i, part)
		if !ok {
			return 0, false
		}
		set |= one
	}
	return set, true
}

var oneField = []robfig.Parser{
	robfig.NewParser(robfig.Minute), robfig.NewParser(robfig.Hour), robfig.NewParser(robfig.Dom),
	robfig.NewParser(robfig.Month), robfig.NewParser(robfig.Dow), robfig.NewParser(robfig.Second),
}

func plainField(i int, part string) (uint64, bool) {
	if part == "" || strings.ContainsAny(part, "=@") {
		return 0, false
	}
	if i == 4 {
		part = sunday(part)
	}
	if set, ok := wraps(i, part); ok {
		return set, true
	}
	parsed, err := oneField[i].Parse(part)
	if err != nil {
		return 0, false
	}
	spec, ok := parsed.(*robfig.SpecSchedule)
	if !ok {
		return 0, false
	}
	set := [...]uint64{spec.Minute, spec.Hour, spec.Dom, spec.Month, spec.Dow, spec.Second}[i]
	return set & cronFields[i].full, true
}

var weekdays = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
var monthNames = []string{"", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

// sunday lets 7 stand for Sunday, which other crons know and the parser does not.
func sunday(part string) string {
	switch {
	case part == "7":
		return "0"
	case strings.HasPrefix(part, "7-"):
		return "0-" + part[2:]
	}
	return part
}

// wraps reads a range over the end, such as FRI-MON or 22-4/2, and one that ends
// where it begins, which is the whole field. With a step it counts as Prefect's
// cron does, which is a place too far where the step leaps over the end and more:
// 22-4/5 are 22 and 4. Schedules that come from there keep their times.
func wraps(i int, part string) (set uint64, ok bool) {
	bounds, by, stepped := strings.Cut(part, "/")
	a, b, ok := strings.Cut(bounds, "-")
	low, high, step := number(i, a), number(i, b), 1
	if stepped {
		step = number(i, by)
	}
	full := cronFields[i].full
	first, last := bits.TrailingZeros64(full), 63-bits.LeadingZeros64(full)
	if i == 4 && high == 7 {
		high = 0
	}
	if !ok || low < high || high < first || low > last || step < 1 {
		return 0, false
	}
	if low == high {
		low, high = first, last
	}
	at := low
	for ; at <= last; at += step {
		set |= 1 << at
	}
	if at -= step; low <= high {
		return set, true
	}
	skip := 0
	if at-first+step > last-first+1 {
		skip = max(0, step-(last-at))
	}
	for at = first + skip; at <= high; at += step {
		set |= 1 << at
	}
	return set, true
}

func number(i int, s string) int {
	names := map[int][]string{3: monthNames, 4: weekdays}[i]
	for n, name := range names {
		if name != "" && name == s {
			return n
		}
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 64 {
		return n
	}
	return -1
}

// nth reads MON#1, 5#3, FRI#L, L5 and 5L.
func nth(part string) (nthDay, bool) {
	var name string
	var n int
	a, b, numbered := strings.Cut(part, "#")
	switch {
	case numbered:
		name = a
		if b != "L" {
			var err error
			if n, err = strconv.Atoi(b); err != nil || n < 1 || n > 5 {
				return nthDay{}, false
			}
		}
	case strings.HasPrefix(part, "L"):
		name = part[1:]
	case strings.HasSuffix(part, "L"):
		name = part[:len(part)-1]
	default:
		return nthDay{}, false
	}
	d := number(4, name)
	if d < 0 || d > 7 {
		return nthDay{}, false
	}
	return nthDay{time.Weekday(d % 7), n}, true
}

// searchYears is how far a date is looked for: 29 February on a given weekday
// comes back after 28 years, or 40 over a century.
const searchYears = 41

func (c *cron) between(after, until time.Time, n int) []time.Time {
	var out []time.Time
	w := wall(after, c.location)
	date := time.Date(w.Year(), w.Month(), w.Day(), 0, 0, 0, 0, time.UTC)
	limit := date.AddDate(searchYears, 0, 0)
	for last := after; date.Before(limit); date = date.AddDate(0, 0, 1) {
		if !until.IsZero() && date.Add(-day).After(wall(until, c.location)) {
			return out
		}
		if c.spec.Month>>uint(date.Month())&1 == 0 {
			date = date.AddDate(0, 1, -date.Day())
			continue
		}
		if !c.matches(date) {
			continue
		}
		times := c.times(date, w.Add(-3*time.Hour))
		if !steady(date, c.location) {
			times = slices.Values(slices.SortedFunc(times, time.Time.Compare))
		}
		for t := range times {
			if !t.After(last) {
				continue // before the start, or a repeat around a change of offset
			}
			if !until.IsZero() && t.After(until) {
				return out
			}
			out, last = append(out, t), t
			if len(out) == n {
				return out
			}
		}
	}
	return out
}

// times yields the instants of a day, from the wall time from on, in the order
// of the clock. Where the clock is changed that order may not be that of time.
func (c *cron) times(date, from time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for h := c.spec.Hour; h != 0; h &= h - 1 {
			for m := c.spec.Minute; m != 0; m &= m - 1 {
				for s := c.spec.Second; s != 0; s &= s - 1 {
					at := date.Add(time.Duration(bits.TrailingZeros64(h))*time.Hour +
						time.Duration(bits.TrailingZeros64(m))*time.Minute + time.Duration(bits.TrailingZeros64(s))*time.Second)
					if !at.Before(from) && !yield(instant(at, c.location)) {
						return
					}
				}
			}
		}
	}
}

// matches says whether the day rules take the date. Where both day fields are
// restricted either may match, unless day_or is false.
func (c *cron) matches(date time.Time) bool {
	d := date.Day()
	final := date.AddDate(0, 1, -d).Day()
	dom := c.spec.Dom>>uint(d)&1 == 1 || c.lastDay && d == final
	dow := c.spec.Dow>>uint(date.Weekday())&1 == 1 || c.nth[nthDay{date.Weekday(), (d-1)/7 + 1}] ||
		d+7 > final && c.nth[nthDay{date.Weekday(), 0}]
	if c.anyDom || c.anyDow || c.dayAnd {
		return dom && dow
	}
	return dom || dow
}
