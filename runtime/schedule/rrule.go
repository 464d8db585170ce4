package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	rr "github.com/teambition/rrule-go"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	maxRRule = 6500
	// maxCount bounds what has to be counted or made at once.
	maxCount = 100_000
)

// recurrence holds wall times; its zone turns them into instants.
type recurrence struct {
	rules   []rr.ROption
	dates   []time.Time
	exclude map[time.Time]bool
	loc     *time.Location
}

var _ dates = (*recurrence)(nil)

func parseRRule(m map[string]json.RawMessage, loc *time.Location, zone *string) (*Rule, error) {
	s, err := text(m, "rrule", "FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9")
	if err != nil {
		return nil, err
	}
	if len(s) > maxRRule {
		return nil, invalid("rrule", nil, "rrule has %d characters; at most %d are allowed", len(s), maxRRule)
	}
	if zone == nil {
		zone = core.Ptr("UTC")
	}
	r := &recurrence{loc: loc, exclude: map[time.Time]bool{}}
	shown, err := r.parse(s)
	if err != nil {
		return nil, invalid("rrule", s, "rrule %q is not valid: %v; write one such as FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9", cut(s), err)
	}
	return &Rule{
		kind: KindRRule, loc: loc, dates: r, describe: shown + inZone(zone), meaning: "rrule " + strings.TrimSpace(s) + inZone(zone),
		json: core.ToJSON(struct {
			RRule    string  `json:"rrule"`
			Timezone *string `json:"timezone"`
		}{s, zone}),
	}, nil
}

func (r *recurrence) parse(s string) (shown string, err error) {
	// The library panics on some malformed input.
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it cannot be read")
		}
	}()
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for line := range strings.FieldsSeq(strings.ToUpper(s)) {
		if rest, ok := strings.CutPrefix(line, "DTSTART"); ok && !strings.HasPrefix(line, "DTSTART=") {
			if start, err = dateOf(rest); err != nil {
				return "", err
			}
		}
	}
	for line := range strings.FieldsSeq(strings.ToUpper(s)) {
		name, rest, _ := strings.Cut(line, ":")
		switch property, _, _ := strings.Cut(name, ";"); {
		case property == "DTSTART":
		case property == "EXDATE" || property == "RDATE":
			for d := range strings.SplitSeq(rest, ",") {
				t, err := dateOf(":" + d)
				if err != nil {
					return "", err
				}
				if property == "RDATE" {
					r.dates = append(r.dates, t)
				} else {
					r.exclude[t] = true
				}
			}
		case property == "EXRULE":
			return "", errors.New("EXRULE is not supported, use EXDATE")
		default:
			rule := strings.TrimPrefix(line, "RRULE:")
			o, err := rr.StrToROptionInLocation(rule, time.UTC)
			if err != nil {
				return "", err
			}
			if o.Dtstart.IsZero() {
				o.Dtstart = start
			}
			for _, list := range []*[]int{&o.Bysetpos, &o.Bymonth, &o.Bymonthday, &o.Byyearday, &o.Byweekno, &o.Byhour, &o.Byminute, &o.Bysecond, &o.Byeaster} {
				slices.Sort(*list)
				*list = slices.Compact(*list)
			}
			if o.Interval < 0 || o.Interval > 100_000 {
				return "", errors.New("INTERVAL must be 1 to 100000")
			}
			if o.Count < 0 || o.Count > maxCount {
				return "", fmt.Errorf("COUNT must be 1 to %d", maxCount)
			}
			if y := o.Dtstart.Year(); y < 1900 || y > 2200 {
				return "", errors.New("DTSTART must lie between the years 1900 and 2200")
			}
			if err := matchable(*o); err != nil {
				return "", err
			}
			if _, err := rr.NewRRule(*o); err != nil {
				return "", err
			}
			r.rules = append(r.rules, *o)
			if shown == "" {
				shown = rule
			}
		}
	}
	if len(r.rules) > 10 {
		return "", fmt.Errorf("it has %d rules, at most 10 are allowed", len(r.rules))
	}
	if len(r.rules) == 0 && len(r.dates) == 0 {
		return "", errors.New("it has no rule")
	}
	if shown == "" {
		shown = fmt.Sprintf("%d dates", len(r.dates))
	}
	return shown, nil
}

// matchable refuses rules that would never fire, and those of which the library
// would make too many dates at once.
func matchable(o rr.ROption) error {
	if o.Freq <= rr.DAILY {
		days := map[rr.Frequency]int{rr.YEARLY: 366, rr.MONTHLY: 31, rr.WEEKLY: 7, rr.DAILY: 1}[o.Freq]
		if n := days * len(clock(o)); len(o.Bysetpos) > 0 && n > maxCount {
			return fmt.Errorf("BYSETPOS would choose among up to %d times; at most %d are allowed", n, maxCount)
		}
		next, err := walk(o, o.Dtstart, o.Dtstart.AddDate(searchYears, 0, 0))
		if err != nil {
			return err
		}
		if _, ok := next(); !ok {
			return errors.New("it never matches a date")
		}
		return nil
	}
	if len(o.Byyearday)+len(o.Byweekno)+len(o.Byeaster)+len(o.Bymonthday)+len(o.Bymonth)+len(o.Bysetpos) > 0 {
		return fmt.Errorf("%s rules take only BYDAY, BYHOUR, BYMINUTE and BYSECOND", o.Freq)
	}
	days := map[int]bool{}
	for _, d := range o.Byweekday {
		if d.N() != 0 {
			return fmt.Errorf("%s rules take BYDAY without numbers", o.Freq)
		}
		days[(d.Day()+1)%7] = true
	}
	const week = 7 * 86400
	step := max(o.Interval, 1) * map[rr.Frequency]int{rr.HOURLY: 3600, rr.MINUTELY: 60, rr.SECONDLY: 1}[o.Freq]
	start := int(o.Dtstart.Weekday())*86400 + o.Dtstart.Hour()*3600 + o.Dtstart.Minute()*60 + o.Dtstart.Second()
	for steps := 0; steps*step < searchYears*366*86400 && steps < week; steps++ { // after a week of steps all come again
		t := (start + steps*step) % week
		if (len(days) == 0 || days[t/86400]) && in(o.Byhour, t/3600%24) &&
			(o.Freq < rr.MINUTELY || in(o.Byminute, t/60%60)) && (o.Freq < rr.SECONDLY || in(o.Bysecond, t%60)) {
			return nil
		}
	}
	return errors.New("it never matches: its interval steps over the hours, minutes or days that it asks for")
}

func in(list []int, n int) bool {
	if slices.Contains(list, n) {
		return true
	}
	return len(list) == 0
}

// dateOf reads what follows a property's name, ";TZID=Zone:date" or ":date",
// as digits on the wall: the schedule's timezone is the one that counts.
func dateOf(s string) (time.Time, error) {
	_, s, ok := strings.Cut(s, ":")
	if !ok {
		return time.Time{}, errors.New("a date needs a colon before it")
	}
	s = strings.TrimSuffix(s, "Z")
	for _, layout := range []string{"20060102T150405", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date such as 20261123T090000", s)
}

func (r *recurrence) between(after, until time.Time, n int) (out []time.Time) {
	from := wall(after, r.loc).Add(-3 * time.Hour) // the clock may have been put back
	to := from.AddDate(searchYears, 0, 0)
	if !until.IsZero() {
		to = wall(until, r.loc).Add(3 * time.Hour)
	}
	for _, d := range r.dates {
		if !r.exclude[d] {
			out = append(out, instant(d, r.loc))
		}
	}
	for _, o := range r.rules {
		out = append(out, r.times(o, from, to, after, n)...)
	}
	return window(out, after, until, n)
}

func (r *recurrence) times(o rr.ROption, from, to, after time.Time, n int) (out []time.Time) {
	first := o.Dtstart
	if o.Count == 0 {
		o.Dtstart, first = nearer(o, from), from
	}
	if !o.Until.IsZero() && o.Until.Before(to) {
		to = o.Until
	}
	next, err := walk(o, first, to)
	if err != nil {
		return nil
	}
	for made := 0; len(out) < n && (o.Count == 0 || made < o.Count); made++ {
		w, ok := next()
		if !ok || w.After(to) {
			break
		}
		if r.exclude[w] || w.Before(from) {
			continue
		}
		if t := instant(w, r.loc); t.After(after) {
			out = append(out, t)
		}
	}
	return out
}

// walk gives a rule's dates one after the other, at least those between first
// and to; COUNT and UNTIL are the caller's. The library is spared what it is
// slow at:
//
// It makes all times of a year, month or week at once, which may be millions:
// it is asked for the days alone, and the times of day are put in here.
//
// It looks for the next match up to the year 9999, whatever UNTIL says: the
// calendar repeats every 400 years, so the search takes place near that end.
func walk(o rr.ROption, first, to time.Time) (next func() (time.Time, bool), err error) {
	start, shift, times := o.Dtstart, 0, []time.Duration{0}
	o.Count, o.Until = 0, time.Time{}
	if o.Freq <= rr.DAILY {
		if len(o.Byeaster) == 0 { // its cycle is longer
			shift = max(0, (9998-to.Year())/400*400)
		}
		if c := clock(o); len(o.Bysetpos) == 0 || len(c) == 1 {
			times, o.Byhour, o.Byminute, o.Bysecond = c, []int{0}, []int{0}, []int{0}
			o.Dtstart = o.Dtstart.Truncate(day)
		}
		o.Dtstart = o.Dtstart.AddDate(shift, 0, 0)
	}
	rule, err := rr.NewRRule(o)
	if err != nil {
		return nil, err
	}
	dates, date, i := rule.Iterator(), time.Time{}, len(times)
	return func() (time.Time, bool) {
		for {
			if i == len(times) {
				d, ok := dates()
				if !ok {
					return d, false
				}
				if date = d.AddDate(-shift, 0, 0); date.Before(first.Add(-day)) {
					continue
				}
				i = 0
			}
			w := date.Add(times[i])
			if i++; !w.Before(start) {
				return w, true
			}
		}
	}, nil
}

// clock is at which times a rule of whole days fires in its days, ascending.
func clock(o rr.ROption) (times []time.Duration) {
	or := func(list []int, n int) []int {
		if len(list) == 0 {
			return []int{n}
		}
		return list
	}
	for _, h := range or(o.Byhour, o.Dtstart.Hour()) {
		for _, m := range or(o.Byminute, o.Dtstart.Minute()) {
			for _, s := range or(o.Bysecond, o.Dtstart.Second()) {
				times = append(times, time.Duration(h)*time.Hour+time.Duration(m)*time.Minute+time.Duration(s)*time.Second)
			}
		}
	}
	return times
}

// nearer moves the start of an uncounted rule close to from, by a whole number
// of its intervals, so that a rule by the second need not be walked from 2020.
func nearer(o rr.ROption, from time.Time) time.Time {
	unit := map[rr.Frequency]time.Duration{
		rr.SECONDLY: time.Second, rr.MINUTELY: time.Minute, rr.HOURLY: time.Hour, rr.DAILY: day, rr.WEEKLY: 7 * day,
	}[o.Freq]
	step := unit * time.Duration(max(o.Interval, 1))
	// Day and week rules keep the weekday of their start, the finer ones its
	// place in the day: a multiple of the step keeps both.
	if k := from.Sub(o.Dtstart)/max(step, 1) - 2; step > 0 && k > 0 {
		return o.Dtstart.Add(k * step)
	}
	return o.Dtstart
}

func cut(s string) string {
	if len(s) > 120 {
		return strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}
