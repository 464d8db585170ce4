package timeline

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// Lanes packs bars into as few rows as possible (the compact view): greedy first fit by
// start time with a heap of lane ends; a child prefers its first parent's lane if free.
func Lanes(items []*Item, now time.Time, gap time.Duration) (lane map[string]int, n int) {
	its := slices.Clone(items)
	its = slices.DeleteFunc(its, func(i *Item) bool { return i.Start.IsZero() || i.Kind == Flow })
	slices.SortFunc(its, func(a, b *Item) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	lane = make(map[string]int, len(its))
	var ends []time.Time // by lane
	free := &laneHeap{}  // lanes by (end, index), lazily invalidated
	for _, it := range its {
		pick := -1
		for _, d := range it.Deps {
			if l, ok := lane[d]; ok && !ends[l].Add(gap).After(it.Start) {
				pick = l
				break
			}
		}
		for pick < 0 && free.Len() > 0 {
			top := (*free)[0]
			if !top.end.Equal(ends[top.l]) {
				heap.Pop(free)
				continue
			}
			if top.end.Add(gap).After(it.Start) {
				break
			}
			pick = top.l
			heap.Pop(free)
		}
		if pick < 0 {
			pick = len(ends)
			ends = append(ends, time.Time{})
		}
		lane[it.ID] = pick
		ends[pick] = end(it, now)
		heap.Push(free, laneEnd{ends[pick], pick})
	}
	return lane, len(ends)
}

type laneEnd struct {
	end time.Time
	l   int
}
type laneHeap []laneEnd

func (h laneHeap) Len() int { return len(h) }
func (h laneHeap) Less(i, j int) bool {
	if h[i].end.Equal(h[j].end) {
		return h[i].l < h[j].l
	}
	return h[i].end.Before(h[j].end)
}
func (h laneHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *laneHeap) Push(x any)   { *h = append(*h, x.(laneEnd)) }
func (h *laneHeap) Pop() any     { o := *h; x := o[len(o)-1]; *h = o[:len(o)-1]; return x }
