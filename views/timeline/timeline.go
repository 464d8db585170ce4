package timeline

import (
	"cmp"
	"slices"
	"time"
)

type Kind uint8

const (
	Task  Kind = iota
	Flow       // a subflow: its children nest under it
	Group      // many runs of one task folded into one row
)

type Item struct {
	ID, Parent, Name, Key string // Key: task key, the unit of folding
	Kind                  Kind
	State                 string // css state name
	Start, End            time.Time
	Deps                  []string
	Tries                 []Span // earlier attempts
	Note                  string
	Wakes                 time.Time // when a durable sleep ends
}

type Span struct {
	Start, End time.Time
	State      string
}

type Options struct {
	Now        time.Time
	FoldAt     int             // fold a task key with more runs than this
	Open       map[string]bool // folded keys the reader opened
	MaxRows    int             // window size
	Offset     int
	OnlyFailed bool
	GapMin     time.Duration // idle gaps longer than this are squeezed
	GapPct     float64       // width given to a squeezed gap
	Buckets    int           // density strip resolution
	OpenEnded  bool          // the run is not over: the axis reaches now even if nothing runs
}

type Bar struct {
	X, W  float64
	State string
	Live  bool
	Faint bool // an earlier attempt
}

type Row struct {
	Item       *Item
	Depth      int
	Bars       []Bar
	Label      string // duration, drawn beside the bar
	LabelX     float64
	LabelEnd   bool // text-anchor=end
	Offset     time.Duration
	Dur        time.Duration
	Members    int
	Counts     map[string]int
	Area       string // density path in a 0..Buckets x 0..20 box
	FailTicks  []float64
	Peak       int
	FoldKey    string
	IsOpen     bool
	LastInside bool
}

type Edge struct {
	From, To int
	X1, X2   float64
}

type Tick struct {
	X     float64
	Label string
}

type Gap struct {
	X, W float64
	Dur  time.Duration
}

type Layout struct {
	Rows       []Row
	Edges      []Edge
	Ticks      []Tick
	Gaps       []Gap
	NowX       float64 // <0 when the run is over
	Total      int     // rows before windowing
	Start, End time.Time
}

var rank = map[string]int{"failed": 0, "crashed": 0, "running": 1, "retrying": 1, "late": 2, "paused": 2, "pending": 3, "scheduled": 3, "cancelled": 4, "cached": 5, "completed": 6}

// Build orders, folds, windows and places the rows. O(n log n).
func Build(items []*Item, o Options) Layout {
	if o.Buckets == 0 {
		o.Buckets = 160
	}
	if o.MaxRows == 0 {
		o.MaxRows = 200
	}
	if o.GapPct == 0 {
		o.GapPct = 4
	}
	var lay Layout
	first, last := time.Time{}, time.Time{}
	live := false
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
	lay.Start, lay.End = first, last
	if o.GapMin == 0 {
		o.GapMin = max(15*time.Second, last.Sub(first)/8)
	}
	maxX := 100.0
	if live || o.OpenEnded {
		maxX = 97 // room for the live edge
	}
	sc, gaps := NewScale(items, last, o.GapMin, o.GapPct, maxX)
	lay.Gaps = gaps
	lay.NowX = -1
	if live || o.OpenEnded {
		lay.NowX = sc.X(o.Now)
	}

	// children per parent, folding by task key
	shown := items
	if o.OnlyFailed {
		shown = failures(items)
	}
	kids := map[string][]*Item{}
	for _, it := range shown {
		kids[it.Parent] = append(kids[it.Parent], it)
	}
	rowOf := map[string]int{}
	folded := map[string]bool{} // members of an open group: the group row carries their edges
	var rows []Row
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		ch := kids[parent]
		slices.SortStableFunc(ch, func(a, b *Item) int {
			az, bz := a.Start.IsZero(), b.Start.IsZero()
			if az != bz {
				if az {
					return 1
				}
				return -1
			}
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Name, b.Name))
		})
		count := map[string]int{}
		for _, it := range ch {
			if it.Kind == Task {
				count[it.Key]++
			}
		}
		done := map[string]bool{}
		for _, it := range ch {
			if it.Kind == Task && o.FoldAt > 0 && count[it.Key] > o.FoldAt {
				fk := parent + "/" + it.Key
				if done[fk] {
					continue
				}
				done[fk] = true
				var mem []*Item
				for _, m := range ch {
					if m.Key == it.Key && m.Kind == Task {
						mem = append(mem, m)
					}
				}
				g := foldRow(mem, sc, o, depth)
				g.FoldKey, g.IsOpen = fk, o.Open[fk]
				for _, m := range mem {
					rowOf[m.ID] = len(rows)
				}
				rows = append(rows, g)
				if g.IsOpen {
					slices.SortStableFunc(mem, func(a, b *Item) int {
						return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), a.Start.Compare(b.Start))
					})
					for _, m := range mem {
						folded[m.ID] = true
						rows = append(rows, plainRow(m, sc, o, depth+1))
					}
				}
				continue
			}
			rowOf[it.ID] = len(rows)
			rows = append(rows, plainRow(it, sc, o, depth))
			walk(it.ID, depth+1)
		}
	}
	walk("", 0)
	for i := range rows { // a label must not sit on a squeezed gap
		for _, g := range gaps {
			if r := &rows[i]; r.Label != "" && !r.LabelEnd && r.LabelX > g.X-4 && r.LabelX < g.X+g.W && len(r.Bars) > 0 && r.Bars[len(r.Bars)-1].X > 8 {
				r.LabelX, r.LabelEnd = r.Bars[len(r.Bars)-1].X, true
			}
		}
	}
	lay.Total = len(rows)
	lo := min(o.Offset, len(rows))
	hi := min(lo+o.MaxRows, len(rows))
	lay.Rows = rows[lo:hi]

	// edges between visible rows, one per row pair
	seen := map[[2]int]bool{}
	if !o.OnlyFailed {
		for _, it := range items {
			to, ok := rowOf[it.ID]
			if !ok || to < lo || to >= hi {
				continue
			}
			for _, d := range it.Deps {
				from, ok := rowOf[d]
				if !ok || from < lo || from >= hi || from == to || seen[[2]int{from, to}] {
					continue
				}
				seen[[2]int{from, to}] = true
				fr, tr := rows[from], rows[to]
				if len(fr.Bars) == 0 || len(tr.Bars) == 0 {
					continue
				}
				fb := fr.Bars[len(fr.Bars)-1]
				lay.Edges = append(lay.Edges, Edge{from - lo, to - lo, min(fb.X+fb.W, tr.Bars[0].X), tr.Bars[0].X})
			}
		}
	}
	lay.Ticks = ticks(sc, first, last, gaps)
	return lay
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
