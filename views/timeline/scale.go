package timeline

import (
	"slices"
	"time"
)

// Scale is piecewise linear: busy time keeps its proportions, idle gaps shrink.
type Scale struct {
	t []time.Time
	x []float64
}

func (s *Scale) X(t time.Time) float64 {
	if len(s.t) == 0 || !t.After(s.t[0]) {
		return 0
	}
	i, _ := slices.BinarySearchFunc(s.t, t, func(a, b time.Time) int { return a.Compare(b) })
	if i >= len(s.t) {
		return s.x[len(s.x)-1]
	}
	a, b := s.t[i-1], s.t[i]
	return s.x[i-1] + (s.x[i]-s.x[i-1])*float64(t.Sub(a))/float64(b.Sub(a))
}

func end(it *Item, now time.Time) time.Time {
	if it.End.IsZero() {
		return now
	}
	return it.End
}

// NewScale merges the bars into busy intervals and squeezes long holes between them.
func NewScale(items []*Item, now time.Time, gapMin time.Duration, gapPct, maxX float64) (*Scale, []Gap) {
	type iv struct{ a, b time.Time }
	var ivs []iv
	for _, it := range items {
		if it.Start.IsZero() || it.Kind == Flow {
			continue
		}
		ivs = append(ivs, iv{it.Start, end(it, now)})
		for _, s := range it.Tries {
			ivs = append(ivs, iv{s.Start, s.End})
		}
	}
	if len(ivs) == 0 {
		return &Scale{}, nil
	}
	slices.SortFunc(ivs, func(p, q iv) int { return p.a.Compare(q.a) })
	merged := ivs[:1]
	for _, v := range ivs[1:] {
		if l := &merged[len(merged)-1]; v.a.Sub(l.b) < gapMin {
			if v.b.After(l.b) {
				l.b = v.b
			}
		} else {
			merged = append(merged, v)
		}
	}
	waiting := 0.0
	if l := merged[len(merged)-1]; now.Sub(l.b) >= gapMin { // idle until now: still waiting, give it room
		merged = append(merged, iv{now, now})
		waiting = max(0, 14-gapPct)
	}
	var busy time.Duration
	for _, v := range merged {
		busy += v.b.Sub(v.a)
	}
	avail := maxX - waiting - gapPct*float64(len(merged)-1)
	if avail < 40 { // too many gaps to squeeze usefully
		gapPct = (maxX - waiting - 40) / float64(len(merged)-1)
		avail = 40
	}
	sc := &Scale{}
	var gaps []Gap
	x := 0.0
	for i, v := range merged {
		if i > 0 {
			w := gapPct
			if i == len(merged)-1 {
				w += waiting
			}
			gaps = append(gaps, Gap{X: x, W: w, Dur: v.a.Sub(merged[i-1].b)})
			x += w
		}
		sc.t, sc.x = append(sc.t, v.a), append(sc.x, x)
		if busy > 0 {
			x += avail * float64(v.b.Sub(v.a)) / float64(busy)
		}
		if v.b.After(v.a) {
			sc.t, sc.x = append(sc.t, v.b), append(sc.x, x)
		}
	}
	return sc, gaps
}

var steps = []time.Duration{
	100 * time.Microsecond,
	500 * time.Microsecond,
	time.Millisecond,
	2 * time.Millisecond,
	5 * time.Millisecond,
	10 * time.Millisecond,
	50 * time.Millisecond,
	100 * time.Millisecond,
	250 * time.Millisecond,
	500 * time.Millisecond,
	time.Second,
	2 * time.Second,
	5 * time.Second,
	10 * time.Second,
	15 * time.Second,
	30 * time.Second,
	time.Minute,
	2 * time.Minute,
	5 * time.Minute,
	10 * time.Minute,
	15 * time.Minute,
	30 * time.Minute,
	time.Hour,
	2 * time.Hour,
	4 * time.Hour,
	6 * time.Hour,
	12 * time.Hour,
	24 * time.Hour,
	48 * time.Hour,
	7 * 24 * time.Hour,
	30 * 24 * time.Hour,
	90 * 24 * time.Hour,
}

func ticks(sc *Scale, a, b time.Time, gaps []Gap) []Tick {
	busy := b.Sub(a)
	for _, g := range gaps {
		busy -= g.Dur
	}
	if busy <= 0 {
		return nil
	}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if busy/s <= 8 {
			step = s
			break
		}
	}
	var out []Tick
	lastX := -10.0
	for t := a; !t.After(b) && len(out) < 24; {
		x := sc.X(t)
		inGap := false
		for _, g := range gaps {
			if x > g.X-5 && x < g.X+g.W-.01 {
				inGap = true
			}
		}
		if label := Short(t.Sub(a)); !inGap && x-lastX >= 6 && x+1.1*float64(len(label)) <= 100 {
			out = append(out, Tick{x, label})
			lastX = x
		}
		nt := t.Add(step)
		// hop over squeezed gaps instead of stepping through them
		if inGap {
			for i := 1; i < len(sc.t); i++ {
				if sc.t[i].After(t) {
					d := sc.t[i].Sub(a)
					nt = a.Add((d + step - 1) / step * step)
					break
				}
			}
			if !nt.After(t) {
				nt = t.Add(step)
			}
		}
		t = nt
	}
	return out
}
