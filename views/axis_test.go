package views

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func TestAxisMarks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) core.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return core.TimeFrom(v)
	}
	for _, c := range []struct{ from, to, want string }{
		{"2026-11-19 20:15:07", "2026-11-26 20:15:07", "20 Nov, 21 Nov, 22 Nov, 23 Nov, 24 Nov, 25 Nov, 26 Nov"},
		{"2026-11-25 20:15:00", "2026-11-26 20:15:00", "21:00, 26 Nov, 03:00, 06:00, 09:00, 12:00, 15:00, 18:00"},
		{"2026-11-26 19:15:00", "2026-11-26 20:15:00", "19:20, 19:30, 19:40, 19:50, 20:00, 20:10"},
		{"2026-11-26 19:15:03", "2026-11-26 19:15:33", "19:15:05, 19:15:10, 19:15:15, 19:15:20, 19:15:25, 19:15:30"},
		{"2026-10-23 12:00:00", "2026-10-27 12:00:00", "24 Oct, 25 Oct, 26 Oct, 27 Oct"}, // the clock goes back
		{"2026-10-28 00:00:00", "2026-11-26 12:00:00", "28 Oct, 2 Nov, 7 Nov, 12 Nov, 17 Nov, 22 Nov"},
		{"2026-08-28 12:00:00", "2026-11-26 12:00:00", "11 Sep, 25 Sep, 9 Oct, 23 Oct, 6 Nov, 20 Nov"},
		{"2026-11-26 19:15:03", "2026-11-26 19:15:03", "19:15:03.000"},
		{"2000-01-01 00:00:00", "2026-01-01 00:00:00", "Jan 2000, Jan 2005, Jan 2010, Jan 2015, Jan 2020"},
	} {
		var got []string
		for _, m := range axisMarks(at(c.from), at(c.to), berlin) {
			got = append(got, m.L)
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s to %s: %s", c.from, c.to, s)
		}
	}
}

// Marks of an axis differ, whatever it spans: a millisecond, a year, the hour
// that comes twice when clocks go back, or the day that has no midnight.
func TestAxisWordsDiffer(t *testing.T) {
	rnd := rand.New(rand.NewPCG(21, 3))
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Atlantic/Azores", "Asia/Kathmandu"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		p := Page{Loc: loc}
		for range 3000 {
			span := time.Duration(math.Exp(rnd.Float64()*math.Log(365*24*3600*1000)) * float64(time.Millisecond))
			// Near changes of the clock: the ends of October and March, and of 2017 also where they are at midnight.
			from := time.Date(2017+rnd.IntN(10), []time.Month{2, 3, 4, 10, 11}[rnd.IntN(5)], 1+rnd.IntN(31), rnd.IntN(24), rnd.IntN(60), rnd.IntN(60), rnd.IntN(1e9), loc)
			to := from.Add(span)
			seen := map[string]bool{}
			marks := axisMarks(core.TimeFrom(from), core.TimeFrom(to), loc)
			for i, m := range marks {
				if seen[m.L] || i > 0 && m.At <= marks[i-1].At {
					t.Fatalf("%s: %v and %v: %v", zone, from, to, marks)
				}
				seen[m.L] = true
			}
			n := 3 + rnd.IntN(60)
			ev, dash := EventsView{}, Dashboard{}
			for i := range n {
				a, b := core.TimeFrom(from.Add(span*time.Duration(i)/time.Duration(n))), core.TimeFrom(from.Add(span*time.Duration(i+1)/time.Duration(n)))
				ev.Bars, dash.Buckets = append(ev.Bars, EventBar{From: a, To: b}), append(dash.Buckets, Bucket{From: a, To: b})
			}
			bars, _ := dash.axis(p)
			for what, texts := range map[string][]string{"events": ev.axis(p), "dashboard": bars} {
				seen = map[string]bool{}
				for _, s := range texts {
					if s != "" && seen[s] {
						t.Fatalf("%s, %s: %v for %v: %q", what, zone, from, span, texts)
					}
					seen[s] = true
				}
			}
		}
	}
}
