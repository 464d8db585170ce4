package views

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Bucket is one bar of the runs chart: counts by tone.
type Bucket struct {
	From, To core.Time
	N        map[string]int64
	Total    int64
}

// Buckets turns a history into bars.
func Buckets(history []core.HistoryBucket) []Bucket {
	out := make([]Bucket, 0, len(history))
	for _, h := range history {
		b := Bucket{From: h.Start, To: h.End, N: map[string]int64{}}
		for _, s := range h.States {
			b.N[mainTone(s.Type, s.Name)] += s.Count
			b.Total += s.Count
		}
		out = append(out, b)
	}
	return out
}

// mainTone is the tone without its variants, which charts do not tell apart.
func mainTone(t core.StateType, name string) string {
	switch tone := Tone(t, name); tone {
	case "cached":
		return "completed"
	case "retrying":
		return "running"
	default:
		return tone
	}
}

// top is the friendly end of the chart's axis.
func top(bs []Bucket) int64 {
	m := int64(1)
	for _, b := range bs {
		m = max(m, b.Total)
	}
	for _, s := range []int64{2, 4, 8, 12, 16, 20, 24, 30, 40, 60, 80, 100, 200, 400, 1000, 2000, 4000, 10000} {
		if m <= s {
			return s
		}
	}
	return m
}

type segment struct {
	y, h float64
	tone string
}

// stack places the segments of one bar.
func stack(b Bucket, maxN int64, h float64) []segment {
	var out []segment
	y := h
	for _, t := range Tones {
		if b.N[t] == 0 {
			continue
		}
		sh := math.Max(2.5, h*float64(b.N[t])/float64(maxN))
		y -= sh
		out = append(out, segment{y, math.Max(sh-1, 1.5), t})
	}
	return out
}

func (b Bucket) title(p Page) string {
	layout := "15:04"
	if b.To.Sub(b.From) > time.Hour {
		layout = "2 Jan 15:04"
	}
	s := b.From.Time().In(p.Loc).Format(layout) + "–" + b.To.Time().In(p.Loc).Format(layout)
	var sSb86 strings.Builder
	for _, t := range Tones {
		if b.N[t] > 0 {
			sSb86.WriteString(fmt.Sprintf("\n%d %s", b.N[t], strings.ToLower(toneNames[t])))
		}
	}
	s += sSb86.String()
	return s
}

// axis is the texts under the bars, empty for most; on a phone only those that
// are not alt have room.
func (d Dashboard) axis(p Page) (texts []string, alt []bool) {
	texts, alt = make([]string, len(d.Buckets)), make([]bool, len(d.Buckets))
	var at []int
	var times []time.Time
	layout := "15:04"
	for i, b := range d.Buckets[:max(0, len(d.Buckets)-2)] {
		step, l := b.To.Sub(b.From), b.From.Time().In(p.Loc)
		var shown bool
		switch {
		case step <= 5*time.Minute:
			shown, alt[i] = l.Minute()%10 == 0 && l.Second() == 0, l.Minute()%20 != 0
		case step <= time.Hour:
			shown, alt[i] = l.Hour()%3 == 0 && l.Minute() < 30, l.Hour()%6 != 0
		case step < 24*time.Hour:
			shown, alt[i], layout = l.Hour() < int(step.Hours()), i/4%2 == 1, "2 Jan"
		default:
			shown, alt[i], layout = i%5 == 0, i%2 == 1, "2 Jan"
		}
		if shown {
			at, times = append(at, i), append(times, l)
		}
	}
	for i, word := range axisWords(times, func(t time.Time) string { return t.Format(layout) }) {
		texts[at[i]] = word
	}
	return texts, alt
}

// logY is the height of a duration on the scatter's logarithmic axis.
func logY(d time.Duration) float64 {
	const h = 116
	lo, hi := math.Log10(.05), math.Log10(7200.0)
	v := (math.Log10(math.Min(math.Max(d.Seconds(), .05), 7200)) - lo) / (hi - lo)
	return h - 6 - v*(h-14)
}

func xAt(t, a, b core.Time) float64 {
	if b <= a {
		return 0
	}
	return math.Max(0, math.Min(100, 100*float64(t-a)/float64(b-a)))
}

// spark is a small line and the area under it.
func spark(vals []int64, h float64) (line, area string) {
	if len(vals) < 2 {
		vals = []int64{0, 0}
	}
	m := max(1, slices.Max(vals))
	var sb strings.Builder
	for i, v := range vals {
		c := "L"
		if i == 0 {
			c = "M"
		}
		fmt.Fprintf(&sb, "%s%d %.1f", c, i, h-1-float64(v)/float64(m)*(h-4))
	}
	l := sb.String()
	return l, l + fmt.Sprintf("L%d %.0fL0 %.0fZ", len(vals)-1, h, h)
}

func durW(d, mx time.Duration) string {
	if mx <= 0 {
		return "0"
	}
	return pc(math.Max(2, math.Min(100, 100*math.Log1p(d.Seconds())/math.Log1p(mx.Seconds()))))
}

func stripH(r Run, rs []Run, now core.Time) int {
	m := 0.0
	for _, x := range rs {
		m = math.Max(m, x.Took(now).Seconds())
	}
	if m == 0 {
		return 6
	}
	return 6 + int(20*r.Took(now).Seconds()/m)
}

func stripLabel(rs []Run) string {
	c := map[string]int{}
	for _, r := range rs {
		c[r.Tone()]++
	}
	s := fmt.Sprintf("Last %d runs", len(rs))
	var sSb180 strings.Builder
	for _, t := range Tones {
		if c[t] > 0 {
			sSb180.WriteString(fmt.Sprintf(", %d %s", c[t], strings.ToLower(toneNames[t])))
		}
	}
	s += sSb180.String()
	return s
}

func successOf(rs []Run) string {
	var ok, n int64
	for _, r := range rs {
		if r.Final() {
			n++
			if r.StateType == core.Completed {
				ok++
			}
		}
	}
	return pct(ok, n)
}
