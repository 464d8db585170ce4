package run

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	liveHistory  = 24 * time.Hour   // what is younger is counted at each look
	freshHistory = time.Minute      // older buckets are counted again, one after the other
	finalHistory = 10 * time.Minute // but none is shown that was counted longer ago
	recounted    = 1                // so many at a look
	keptSeries   = 32
)

// histories keeps the counts of days that are over: what the last month's chart
// counts is a month of runs, and hardly any of them changes any more.
type histories struct {
	sync.Mutex
	of map[historyKey]*keptHistory
}

// historyKey is what a series counts. One who zooms has another.
type historyKey struct {
	tasks     bool
	flow, tag string
	step      float64
}

type keptHistory struct {
	sync.Mutex // one reads, the others wait for it
	buckets    map[core.Time]keptBucket
}

type keptBucket struct {
	core.HistoryBucket
	at core.Time // when it was counted
}

func (c *histories) get(k historyKey) *keptHistory {
	c.Lock()
	defer c.Unlock()
	if c.of[k] == nil {
		if len(c.of) >= keptSeries || c.of == nil {
			c.of = map[historyKey]*keptHistory{}
		}
		c.of[k] = &keptHistory{buckets: map[core.Time]keptBucket{}}
	}
	return c.of[k]
}

type countHistory func(context.Context, core.HistoryQuery) ([]core.HistoryBucket, error)

// read answers q, from what is kept as far as that is old and was counted lately.
func (h *keptHistory) read(ctx context.Context, q core.HistoryQuery, now core.Time, count countHistory) ([]core.HistoryBucket, error) {
	h.Lock()
	defer h.Unlock()
	step := core.Time(q.Interval * 1e6)
	live := q.Start
	for live < q.End && live+step <= now.Add(-liveHistory) {
		live += step
	}
	for at := range h.buckets {
		if at < q.Start || at >= live {
			delete(h.buckets, at)
		}
	}
	part := func(from, to core.Time) error {
		q.Start, q.End = from, to
		got, err := count(ctx, q)
		for _, b := range got {
			h.buckets[b.Start] = keptBucket{b, now}
		}
		return err
	}
	start, end := q.Start, q.End
	for at := start; at < live; { // what is missing, in one piece
		if b, ok := h.buckets[at]; ok && now.Sub(b.at) < finalHistory {
			at += step
			continue
		}
		to := at + step
		for ; to < live; to += step {
			if b, ok := h.buckets[to]; ok && now.Sub(b.at) < finalHistory {
				break
			}
		}
		if err := part(at, to); err != nil {
			return nil, err
		}
		at = to
	}
	for _, b := range h.oldest(now) {
		if err := part(b.Start, b.Start+step); err != nil {
			return nil, err
		}
	}
	if live < end {
		if err := part(live, end); err != nil {
			return nil, err
		}
	}
	out := make([]core.HistoryBucket, 0, len(h.buckets))
	for at := start; at < end; at += step {
		out = append(out, h.buckets[at].HistoryBucket)
	}
	return out, nil
}

// oldest are the buckets that are to be counted again now.
func (h *keptHistory) oldest(now core.Time) []keptBucket {
	var all []keptBucket
	for _, b := range h.buckets {
		if now.Sub(b.at) >= freshHistory {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b keptBucket) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Start, b.Start)) })
	return all[:min(recounted, len(all))]
}
