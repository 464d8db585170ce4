package schedule

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

var whole = flag.Bool("schedule.whole", false, "ask Prefect for each date of the ten years, instead of a fifth of them")

// sample takes a fifth, which changes from run to run.
func sample(t *testing.T, asks []ask) []ask {
	if *whole {
		return asks
	}
	seed := rand.Uint64()
	t.Logf("sample %d; all with -schedule.whole", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	return slices.DeleteFunc(asks, func(ask) bool { return r.IntN(5) > 0 })
}

// zones change their clocks at 02:00 and at midnight, by an hour and by half an
// hour, in both hemispheres, or never.
var zones = []string{"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Kolkata", "UTC"}

type ask struct {
	Rule  map[string]any `json:"rule"`
	Start string         `json:"start"`
	N     int            `json:"n"`
}

type answer struct {
	Dates   []int64 `json:"dates"`
	Refused string  `json:"refused"`
}

// askPrefect lets the schedule classes of Prefect 3.4.9 answer.
func askPrefect(t *testing.T, asks []ask) []answer {
	t.Helper()
	python := ""
	for _, dir := range filepath.SplitList(os.Getenv("FLOWLITE_TEST_PREFECT")) {
		if filepath.Base(dir) == "prefect-3.4.9" {
			python = filepath.Join(dir, "bin", "python")
		}
	}
	if python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI is set, but FLOWLITE_TEST_PREFECT names no virtualenv prefect-3.4.9")
		}
		t.Skip("FLOWLITE_TEST_PREFECT names no virtualenv prefect-3.4.9; `bash .ci/check clients` makes it")
	}
	var in bytes.Buffer
	for _, a := range asks {
		in.Write(append(core.ToJSON(a), '\n'))
	}
	cmd := exec.Command(python, "testdata/prefect_dates.py")
	cmd.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir())
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := make([]answer, len(asks))
	decoder := json.NewDecoder(bytes.NewReader(out))
	for i := range answers {
		if err := decoder.Decode(&answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

func ours(t *testing.T, a ask) []int64 {
	t.Helper()
	r, err := Parse(core.ToJSON(a.Rule))
	if err != nil {
		t.Fatalf("%v: %v", a.Rule, err)
	}
	start, err := core.ParseTime(a.Start)
	if err != nil {
		t.Fatal(err)
	}
	found := r.Between(start-1, 0, a.N)
	out := make([]int64, len(found))
	for i, at := range found {
		out[i] = at.Time().Unix()
	}
	return out
}

// Ten years of several zones: the same dates, except that a time which the clock
// skips comes after the gap, where Prefect's cron and rrule classes come as long
// before it.
func TestDatesOfPrefect(t *testing.T) {
	var asks []ask
	for _, zone := range zones {
		for year := 2026; year < 2036; year++ {
			from := fmt.Sprintf("%d-01-01T00:00:00+00:00", year)
			for _, cron := range []string{"30 2 * * *", "0 0 * * *", "15 3 * * 0", "0 9 * * 1-5", "0 22-4/2 * * *"} {
				asks = append(asks, ask{map[string]any{"cron": cron, "timezone": zone}, from, 380})
			}
			for _, month := range []int{3, 4, 9, 10, 11} {
				asks = append(asks, ask{map[string]any{"cron": "*/20 * * * *", "timezone": zone}, fmt.Sprintf("%d-%02d-01T00:00:00+00:00", year, month), 900})
			}
			// The classes jump from the anchor to the start by elapsed time, which
			// shifts their hour by an hour from one half of the year to the other,
			// and go on from there by the clock. From the anchor on they are right.
			for _, hours := range []int{24, 36, 7 * 24, 30*24 + 12} {
				anchor := instant(time.Date(year, 1, 1, 8, 0, 0, 0, time.UTC), mustLoad(t, zone)).Format("2006-01-02T15:04:05+00:00")
				asks = append(asks, ask{map[string]any{"interval": hours * 3600, "anchor_date": anchor, "timezone": zone}, anchor, 380})
			}
			for _, seconds := range []int{3600, 5400, 24*3600 - 60} {
				asks = append(asks, ask{map[string]any{"interval": seconds, "anchor_date": "2020-01-01T00:20:00+00:00", "timezone": zone}, from, 900})
			}
			if zone == "Europe/Dublin" {
				continue // dateutil takes its winter for the daylight saving time, as tzdata writes it, and is an hour off
			}
			for _, rrule := range []string{"FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=0,2,3;BYMINUTE=15"} {
				asks = append(asks, ask{map[string]any{"rrule": rrule, "timezone": zone}, from, 380})
			}
		}
	}
	asks = sample(t, asks)
	dates, skipped := 0, 0
	for i, theirs := range askPrefect(t, asks) {
		a := asks[i]
		if theirs.Refused != "" {
			t.Fatalf("%v: %s", a, theirs.Refused)
		}
		loc := mustLoad(t, a.Rule["timezone"].(string))
		got := ours(t, a)
		var want []int64
		for _, at := range theirs.Dates {
			after, moved := afterGap(time.Unix(at, 0), loc, a.Rule)
			if moved {
				skipped++
			}
			want = append(want, after)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		dates += len(want)
		for n := range min(len(want), len(got)) {
			if got[n] != want[n] {
				t.Fatalf("%v: date %d is %s, Prefect has %s", a, n, time.Unix(got[n], 0).In(loc), time.Unix(want[n], 0).In(loc))
			}
		}
		if len(got) < len(want) {
			t.Fatalf("%v: %d dates, Prefect has %d", a, len(got), len(want))
		}
	}
	t.Logf("%d dates of %d rules, %d of them in gaps", dates, len(asks), skipped)
}

// afterGap moves a date of Prefect's cron and rrule classes that the rule does not
// have on the clock, because it stands for a time in a gap, to behind that gap.
func afterGap(at time.Time, loc *time.Location, rule map[string]any) (int64, bool) {
	if rule["interval"] != nil {
		return at.Unix(), false
	}
	_, now := at.In(loc).Zone()
	_, soon := at.Add(3 * time.Hour).In(loc).Zone()
	gap := time.Duration(soon-now) * time.Second
	if gap <= 0 {
		return at.Unix(), false
	}
	moved := wall(at, loc).Add(gap) // what the rule says
	if !shows(instant(moved, loc), moved, loc) && matchesWall(rule, moved) && !matchesWall(rule, wall(at, loc)) {
		return instant(moved, loc).Unix(), true
	}
	return at.Unix(), false
}

// matchesWall says whether a rule has a time where no clock is ever changed.
func matchesWall(rule map[string]any, w time.Time) bool {
	plain := map[string]any{}
	maps.Copy(plain, rule)
	plain["timezone"] = "UTC"
	r, err := Parse(core.ToJSON(plain))
	if err != nil {
		return false
	}
	found := r.Between(core.TimeFrom(w)-1, core.TimeFrom(w), 1)
	return len(found) == 1
}

func mustLoad(t *testing.T, zone string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// Ranges over the end of a field, with and without steps: all of hours, weekdays
// and months, a sample of minutes and days.
func TestRangesOfPrefect(t *testing.T) {
	var asks []ask
	add := func(format string, low, high, step int) {
		for _, s := range []string{fmt.Sprintf("%d-%d/%d", low, high, step), fmt.Sprintf("%d-%d", low, high)} {
			asks = append(asks, ask{map[string]any{"cron": fmt.Sprintf(format, s)}, "2026-01-01T00:00:00+00:00", 40})
		}
	}
	for low := range 24 {
		for high := 0; high <= low; high++ {
			add("0 %s * * *", low, high, 1+(low*7+high*3)%9)
		}
	}
	for low := range 8 {
		for high := range 8 {
			add("0 0 * * %s", low, high, 1+(low+high)%4)
		}
	}
	for low := 1; low <= 12; low++ {
		for high := 1; high <= low; high++ {
			add("0 0 1 %s *", low, high, 1+(low+high)%5)
		}
	}
	// Not the days that some months lack: croniter passes 1 March by for "1,31".
	for low := 1; low <= 28; low += 3 {
		for high := 1; high < low; high += 2 {
			add("0 0 %s * *", low, high, 1+(low+high)%7)
		}
	}
	for low := 3; low < 60; low += 8 {
		for high := 1; high <= low; high += 6 {
			add("%s * * * *", low, high, 1+(low+high)%13)
		}
	}
	asks = sample(t, asks)
	for i, theirs := range askPrefect(t, asks) {
		r, err := Parse(core.ToJSON(asks[i].Rule))
		if theirs.Refused != "" || err != nil {
			if (theirs.Refused != "") != (err != nil) {
				t.Errorf("%v: Prefect %q, here %v", asks[i].Rule, theirs.Refused, err)
			}
			continue
		}
		start, _ := core.ParseTime(asks[i].Start)
		var got []int64
		for _, at := range r.Between(start-1, 0, 40) {
			got = append(got, at.Time().Unix())
		}
		if !slices.Equal(got, theirs.Dates) {
			t.Errorf("%v: %v, Prefect has %v", asks[i].Rule, got[:8], theirs.Dates[:8])
		}
	}
}
