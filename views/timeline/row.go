package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func place(b Bar) Bar {
	b.W = max(b.W, 0.18) // never invisible
	b.W = min(b.W, 100)
	b.X = max(0, min(b.X, 100-b.W))
	return b
}

func plainRow(it *Item, sc *Scale, o Options, depth int) Row {
	r := Row{Item: it, Depth: depth}
	if it.Start.IsZero() { // known but not started
		return r
	}
	for _, s := range it.Tries {
		x := sc.X(s.Start)
		r.Bars = append(r.Bars, place(Bar{X: x, W: sc.X(s.End) - x, State: s.State, Faint: true}))
	}
	e := end(it, o.Now)
	x := sc.X(it.Start)
	b := place(Bar{X: x, W: sc.X(e) - x, State: it.State, Live: it.End.IsZero()})
	r.Bars = append(r.Bars, b)
	r.Offset, r.Dur = it.Start.Sub(time.Time{}), e.Sub(it.Start)
	r.Label = Dur(r.Dur)
	setLabel(&r, b.X, b.X+b.W)
	return r
}

func setLabel(r *Row, x0, x1 float64) {
	switch {
	case x1 <= 88:
		r.LabelX = x1
	case x0 >= 10:
		r.LabelX, r.LabelEnd = x0, true
	default:
		r.Label = "" // bar spans the lane; the name column already has the duration
	}
}

// foldRow summarizes many runs of one task: a concurrency area, failure ticks and counts.
func foldRow(mem []*Item, sc *Scale, o Options, depth int) Row {
	g := &Item{ID: "g:" + mem[0].Parent + "/" + mem[0].Key, Name: mem[0].Key, Kind: Group}
	r := Row{Item: g, Depth: depth, Members: len(mem), Counts: map[string]int{}}
	diff := make([]int, o.Buckets+2)
	x0, x1 := 101.0, 0.0
	for _, m := range mem {
		r.Counts[m.State]++
		if m.Start.IsZero() {
			continue
		}
		e := end(m, o.Now)
		if g.Start.IsZero() || m.Start.Before(g.Start) {
			g.Start = m.Start
		}
		if e.After(g.End) {
			g.End = e
		}
		xa, xb := sc.X(m.Start), sc.X(e)
		x0, x1 = min(x0, xa), max(x1, xb)
		diff[min(bucket(xa, o.Buckets), o.Buckets)]++
		diff[min(bucket(xb, o.Buckets)+1, o.Buckets+1)]--
		if (m.State == "failed" || m.State == "crashed") && len(r.FailTicks) < 200 {
			r.FailTicks = append(r.FailTicks, xb)
		}
	}
	g.State = groupState(r.Counts)
	r.Peak, r.Area = peak(mem, o.Now), area(diff[:o.Buckets+1])
	r.Bars = []Bar{place(Bar{X: x0, W: x1 - x0, State: g.State})}
	r.Dur = g.End.Sub(g.Start)
	r.Label = fmt.Sprintf("peak %d at once", r.Peak)
	setLabel(&r, x0, x1)
	return r
}

func bucket(x float64, buckets int) int { return int(x / 100 * float64(buckets)) }

// groupState is what the group is doing; failures show as ticks and a count.
func groupState(n map[string]int) string {
	switch {
	case n["running"]+n["retrying"] > 0:
		return "running"
	case n["completed"]+n["cached"] == 0 && n["pending"] > 0:
		return "pending"
	case n["failed"]+n["crashed"] > 0:
		return "failed"
	}
	return "completed"
}

// area is the path of how many ran in each bucket, by how many more they were
// than in the bucket before; empty if none ran.
func area(diff []int) string {
	n, top := 0, 0 // top is bucketed, only for the height of the strip
	h := make([]int, len(diff))
	for i, d := range diff {
		n += d
		h[i] = n
		top = max(top, n)
	}
	if top == 0 {
		return ""
	}
	var sb strings.Builder
	on := false
	for i, v := range h {
		if v > 0 && !on {
			fmt.Fprintf(&sb, "M%d 20", i)
			on = true
		}
		if on {
			fmt.Fprintf(&sb, "V%.1fH%d", 20-20*float64(v)/float64(top), i+1)
		}
		if v == 0 && on {
			sb.WriteString("V20Z")
			on = false
		}
	}
	if on {
		sb.WriteString("V20Z")
	}
	return sb.String()
}

// peak counts exactly how many ran at once.
func peak(mem []*Item, now time.Time) int {
	type ev struct {
		t time.Time
		d int
	}
	var evs []ev
	for _, m := range mem {
		if !m.Start.IsZero() {
			evs = append(evs, ev{m.Start, 1}, ev{end(m, now), -1})
		}
	}
	slices.SortFunc(evs, func(a, b ev) int { return cmp.Or(a.t.Compare(b.t), cmp.Compare(a.d, b.d)) })
	n, top := 0, 0
	for _, e := range evs {
		n += e.d
		top = max(top, n)
	}
	return top
}
