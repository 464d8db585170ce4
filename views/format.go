package views

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

func ftoa(f float64) string { return strconv.FormatFloat(math.Round(f*1000)/1000, 'f', -1, 64) }
func pc(f float64) string   { return ftoa(f) + "%" }
func itoa(i int) string     { return strconv.Itoa(i) }

// Comma prints 12345 as 12,345.
func Comma[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// capped prints a count that the database stopped counting at 10,000.
func capped(n int64) string {
	if n > 10_000 {
		return "10,000+"
	}
	return Comma(n)
}

func ago(t, now core.Time) string {
	if t == 0 {
		return "never"
	}
	if d := now.Sub(t); d >= 0 {
		return Span(d) + " ago"
	}
	return "in " + Span(t.Sub(now))
}

// past is ago for what has happened: where the clock of a worker or of the
// database is ahead of ours, that was just now.
func past(t, now core.Time) string { return ago(min(t, now), now) }

// Span is a rough duration: "42 min". None is shorter than 0 s.
func Span(d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 && d < 10*time.Hour {
			return fmt.Sprintf("%d h %02d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	if d < 48*time.Hour {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

var utcTime = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\b`)

// inZone is a sentence of the API with its times as the reader's zone has them.
func (p Page) inZone(text string) string {
	return utcTime.ReplaceAllStringFunc(text, func(s string) string {
		if t, err := core.ParseTime(s); err == nil {
			return p.Full(t)
		}
		return s
	})
}

// Full is a time in the reader's zone, to the second.
func (p Page) Full(t core.Time) string { return t.Time().In(p.Loc).Format("2 Jan 2006, 15:04:05 MST") }

func (p Page) clock(t core.Time) string { return t.Time().In(p.Loc).Format("15:04:05.000") }

// short is the time of day today, and the date with it on other days.
func (p Page) short(t core.Time) string {
	if t == 0 {
		return "–"
	}
	l, n := t.Time().In(p.Loc), p.Now.Time().In(p.Loc)
	if l.Format(time.DateOnly) == n.Format(time.DateOnly) {
		return l.Format("15:04:05")
	}
	if l.Year() == n.Year() {
		return l.Format("2 Jan 15:04")
	}
	return l.Format("2 Jan 2006 15:04")
}

func plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Comma(n) + " " + many
}

func pct(a, b int64) string {
	if b == 0 {
		return "–"
	}
	f := 100 * float64(a) / float64(b)
	if f > 99.95 && a < b {
		f = 99.9
	}
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") + "%"
}

func when(b bool, s string) string {
	if b {
		return s
	}
	return ""
}

// kept says how long something is kept; below zero is for ever.
func kept(d time.Duration) string {
	if d < 0 {
		return "kept until they are deleted"
	}
	return "removed after " + Span(d)
}

func pick(b bool, x, y string) string {
	if b {
		return x
	}
	return y
}

func boolStr(b bool) string { return strconv.FormatBool(b) }

// shortID is enough of an id to recognise it: version 7 ids differ at the end.
func shortID(u core.UUID) string { s := u.String(); return s[:8] + "…" + s[30:] }

func meterW(used, limit int64) string {
	if limit == 0 {
		return "0%"
	}
	return pc(math.Min(100, 100*float64(used)/float64(limit)))
}

// short is a name as far as lists show it: names have no bound, and a line of
// ten thousand letters takes a browser seconds to break. Of terminal output it
// shows the text.
func short(s string) string {
	const most = 160
	s = core.PlainText(s)
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
