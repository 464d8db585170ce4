package timeline

import (
	"cmp"
	"slices"
	"time"
)

// rank orders the members of an open group: what needs a look comes first.
var rank = map[string]int{
	"failed":    0,
	"crashed":   0,
	"running":   1,
	"retrying":  1,
	"late":      2,
	"paused":    2,
	"pending":   3,
	"scheduled": 3,
	"cancelled": 4,
	"cached":    5,
	"completed": 6,
}

// Build orders, folds, windows and places the rows. O(n log n).
func Build(items []*Item, o Options) Layout {
	o.Buckets = cmp.Or(o.Buckets, 160)
	o.MaxRows = cmp.Or(o.MaxRows, 200)
	o.GapPct = cmp.Or(o.GapPct, 4)
	first, last, live := extent(items, o)
	o.GapMin = cmp.Or(o.GapMin, max(15*time.Second, last.Sub(first)/8))
	maxX := 100.0
	if live {
		maxX = 97 // room for the live edge
	}
	sc, gaps := NewScale(items, last, o.GapMin, o.GapPct, maxX)
	lay := Layout{Start: first, End: last, Gaps: gaps, NowX: -1, Ticks: ticks(sc, first, last, gaps)}
	if live {
		lay.NowX = sc.X(o.Now)
	}
	t := newTree(items, sc, o)
	t.add("", 0)
	clearGaps(t.rows, gaps)
	lay.Total = len(t.rows)
	lo := min(o.Offset, len(t.rows))
	hi := min(lo+o.MaxRows, len(t.rows))
	lay.Rows = t.rows[lo:hi]
	if !o.OnlyFailed {
		lay.Edges = t.edges(items, lo, hi)
	}
	return lay
}

// extent is the time that the items take, and whether it still grows.
func extent(items []*Item, o Options) (first, last time.Time, live bool) {
	live = o.OpenEnded
	for _, it := range items {
		if it.Start.IsZero() {
			continue
		}
		if first.IsZero() || it.Start.Before(first) {
			first = it.Start
		}
		for _, s := range it.Tries {
			if s.Start.Before(first) {
				first = s.Start
			}
		}
		if e := end(it, o.Now); e.After(last) {
			last = e
		}
		live = live || it.End.IsZero()
	}
	if o.OpenEnded && !first.IsZero() && o.Now.After(last) {
		last = o.Now
	}
	return first, last, live
}

// tree makes the rows of items that nest.
type tree struct {
	sc    *Scale
	o     Options
	kids  map[string][]*Item // by parent
	rows  []Row
	rowOf map[string]int // of an item, or of the group that it is folded into
}

func newTree(items []*Item, sc *Scale, o Options) *tree {
	if o.OnlyFailed {
		items = failures(items)
	}
	t := &tree{sc: sc, o: o, kids: map[string][]*Item{}, rowOf: map[string]int{}}
	for _, it := range items {
		t.kids[it.Parent] = append(t.kids[it.Parent], it)
	}
	return t
}

// add appends the rows below a parent in the order in which they started.
func (t *tree) add(parent string, depth int) {
	kids := t.kids[parent]
	slices.SortStableFunc(kids, byStart)
	runs := map[string][]*Item{} // of each task
	for _, it := range kids {
		if it.Kind == Task {
			runs[it.Key] = append(runs[it.Key], it)
		}
	}
	folded := map[string]bool{}
	for _, it := range kids {
		if it.Kind == Task && t.o.FoldAt > 0 && len(runs[it.Key]) > t.o.FoldAt {
			if !folded[it.Key] {
				folded[it.Key] = true
				t.addGroup(parent+"/"+it.Key, runs[it.Key], depth)
			}
			continue
		}
		t.rowOf[it.ID] = len(t.rows)
		t.rows = append(t.rows, plainRow(it, t.sc, t.o, depth))
		t.add(it.ID, depth+1)
	}
}

// addGroup appends one row for many runs of a task, and their own rows if the
// reader opened it. The group's row carries the edges of all.
func (t *tree) addGroup(key string, members []*Item, depth int) {
	g := foldRow(members, t.sc, t.o, depth)
	g.FoldKey, g.IsOpen = key, t.o.Open[key]
	for _, m := range members {
		t.rowOf[m.ID] = len(t.rows)
	}
	t.rows = append(t.rows, g)
	if !g.IsOpen {
		return
	}
	slices.SortStableFunc(members, func(a, b *Item) int {
		return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), a.Start.Compare(b.Start))
	})
	for _, m := range members {
		t.rows = append(t.rows, plainRow(m, t.sc, t.o, depth+1))
	}
}

// byStart puts what has not started last.
func byStart(a, b *Item) int {
	switch {
	case a.Start.IsZero() == b.Start.IsZero():
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Name, b.Name))
	case a.Start.IsZero():
		return 1
	}
	return -1
}

// clearGaps moves labels that would sit on a squeezed gap before their bars.
func clearGaps(rows []Row, gaps []Gap) {
	for i := range rows {
		for _, g := range gaps {
			if r := &rows[i]; r.Label != "" && !r.LabelEnd && r.LabelX > g.X-4 && r.LabelX < g.X+g.W && len(r.Bars) > 0 &&
				r.Bars[len(r.Bars)-1].X > 8 {
				r.LabelX, r.LabelEnd = r.Bars[len(r.Bars)-1].X, true
			}
		}
	}
}

// edges connects the rows from lo to hi, once for each pair.
func (t *tree) edges(items []*Item, lo, hi int) (out []Edge) {
	shown := func(id string) (int, bool) {
		row, ok := t.rowOf[id]
		return row, ok && row >= lo && row < hi
	}
	seen := map[[2]int]bool{}
	for _, it := range items {
		to, ok := shown(it.ID)
		if !ok {
			continue
		}
		for _, d := range it.Deps {
			from, ok := shown(d)
			if !ok || from == to || seen[[2]int{from, to}] {
				continue
			}
			seen[[2]int{from, to}] = true
			fr, tr := t.rows[from], t.rows[to]
			if len(fr.Bars) == 0 || len(tr.Bars) == 0 {
				continue
			}
			fb := fr.Bars[len(fr.Bars)-1]
			out = append(out, Edge{from - lo, to - lo, min(fb.X+fb.W, tr.Bars[0].X), tr.Bars[0].X})
		}
	}
	return out
}

// failures are the items that failed, and the subflows that they lie in.
func failures(items []*Item) []*Item {
	parent := make(map[string]string, len(items))
	for _, it := range items {
		if it.Kind == Flow {
			parent[it.ID] = it.Parent
		}
	}
	keep := map[string]bool{}
	for _, it := range items {
		if it.State != "failed" && it.State != "crashed" {
			continue
		}
		keep[it.ID] = true
		for p := it.Parent; p != "" && !keep[p]; p = parent[p] {
			keep[p] = true
		}
	}
	var out []*Item
	for _, it := range items {
		if keep[it.ID] {
			out = append(out, it)
		}
	}
	return out
}
