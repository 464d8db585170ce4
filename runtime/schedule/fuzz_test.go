package schedule

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	rr "github.com/teambition/rrule-go"
)

// Run one with
//
//	go test ./runtime/schedule -run '^$' -fuzz FuzzRRule -fuzztime 3m -fuzzminimizetime 10x
//
// By default the fuzzer tries for a minute to shorten each input that reaches
// new code, and seems to stand still meanwhile.

func FuzzCron(f *testing.F) {
	for _, s := range []string{"0 9 * * 1-5", "*/5 0 L * MON#1,L5", "@daily", "TZ=UTC * * * * *", "0 0 29 2 * 30", "0 0 31 6 *", "0 22-2 * JAN-MAR SUN-7"} {
		f.Add(s, "Europe/Berlin", true)
	}
	f.Add("30 2 * * *", "America/New_York", false)
	f.Fuzz(func(t *testing.T, s, zone string, dayOr bool) {
		fuzzed(t, map[string]any{"cron": s, "timezone": zone, "day_or": dayOr})
	})
}

func FuzzInterval(f *testing.F) {
	for _, s := range []string{"PT1H", "P1D", "0.5", "P2W3DT4H5M6.7S", "1e9", "-1", "NaN"} {
		f.Add(s, "2026-03-28T01:30:00Z", "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, s, anchor, zone string) {
		fuzzed(t, map[string]any{"interval": s, "anchor_date": anchor, "timezone": zone})
	})
}

func FuzzRRule(f *testing.F) {
	for _, s := range []string{
		"FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9", "FREQ=DAILY;BYHOUR=1,2\nEXDATE:20261201T010000", "DTSTART:20261101T120000\nRRULE:FREQ=DAILY;COUNT=3",
		"FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=-1,100;INTERVAL=3", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;BYMINUTE=5,6",
		"FREQ=SECONDLY;INTERVAL=86401", "FREQ=HOURLY;BYDAY=SU;BYHOUR=3", "FREQ=YEARLY;BYEASTER=-2", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "RDATE:20270101T000000",
		"FREQ=WEEKLY;WKST=SU;INTERVAL=2;BYDAY=SU,MO;UNTIL=20270101", "FREQ=MINUTELY;BYSECOND=1,2,3;INTERVAL=7",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := fuzzed(t, map[string]any{"rrule": s})
		if r != nil {
			likeLibrary(t, r.dates.(*recurrence))
		}
	})
}

var fuzzAfter, _ = core.ParseTime("2026-11-23")

// fuzzed holds what every schedule promises: it is refused as invalid, or gives
// ascending times, and either at once, for the scheduler reads every rule.
func fuzzed(t *testing.T, rule map[string]any) *Rule {
	t.Helper()
	text := core.ToJSON(rule)
	hung := time.AfterFunc(10*time.Second, func() { panic("hung on " + strconv.Quote(string(text))) })
	defer hung.Stop()
	r, err := Parse(text)
	if err != nil {
		if core.CodeOf(err) != core.EInvalid {
			t.Fatal(err)
		}
		return nil
	}
	last := fuzzAfter
	for _, at := range r.Between(fuzzAfter, 0, 20) {
		if at <= last {
			t.Fatalf("%s after %s", at, last)
		}
		last = at
	}
	if again, err := Parse(r.JSON()); err != nil || again.Describe() != r.Describe() {
		t.Fatalf("%s does not read its own JSON %s: %v", text, r.JSON(), err)
	}
	return r
}

// likeLibrary compares a rule's dates with those that the library makes when it
// is asked plainly, where it can be.
func likeLibrary(t *testing.T, r *recurrence) {
	t.Helper()
	if len(r.rules) != 1 || len(r.dates)+len(r.exclude) > 0 {
		return
	}
	o := r.rules[0]
	if o.Freq > rr.DAILY || len(clock(o)) > 100 || o.Dtstart.Year() < 2000 {
		return
	}
	rule, err := rr.NewRRule(o)
	if err != nil {
		t.Fatal(err)
	}
	end := fuzzAfter.Time().AddDate(3, 0, 0)
	var want []string
	next := rule.Iterator()
	for len(want) < 20 {
		w, ok := next()
		if !ok || w.After(end) {
			break
		}
		if w.After(fuzzAfter.Time()) {
			want = append(want, core.TimeFrom(w).String())
		}
	}
	var got []string
	for _, w := range r.between(fuzzAfter.Time(), end, 20) {
		got = append(got, core.TimeFrom(w).String())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("%s:\n got %v\nwant %v", o.RRuleString(), got, want)
	}
}
