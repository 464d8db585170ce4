package db

import (
	"context"
	"errors"

	"github.com/flowlite/flowlite/queries"
	"github.com/flowlite/flowlite/runtime/core"
)

// maxBuckets of a history: more are left out.
const maxBuckets = 500

func (r *reader) history(ctx context.Context, table string, q core.HistoryQuery) ([]core.HistoryBucket, error) {
	step := core.Time(q.Interval * 1e6)
	if step < 1e6 {
		return nil, core.Errorf(core.EInvalid, "history interval must be at least 1 second")
	}
	buckets := []core.HistoryBucket{}
	for at := q.Start; at < q.End && len(buckets) < maxBuckets; at += step {
		buckets = append(buckets, core.HistoryBucket{Start: at, End: at + step, States: []core.HistoryState{}})
	}
	if half := len(buckets) / 2; r.splitReads && half >= minHalf {
		other := make(chan error, 1)
		go func() { other <- r.fill(ctx, table, q, buckets[half:]) }()
		err := r.fill(ctx, table, q, buckets[:half])
		return buckets, errors.Join(err, <-other)
	}
	return buckets, r.fill(ctx, table, q, buckets)
}

// minHalf is from how many buckets on a half of them is worth a connection of
// its own: reading the hours of a busy week takes tens of milliseconds.
const minHalf = 24

// fill counts what is in the buckets, which follow each other.
func (r *reader) fill(ctx context.Context, table string, q core.HistoryQuery, buckets []core.HistoryBucket) error {
	if len(buckets) == 0 {
		return nil
	}
	q.Start, q.End = buckets[0].Start, buckets[len(buckets)-1].End
	var rare queries.Rare
	if table == "flow_run" {
		var err error
		if rare, err = r.rareTags(ctx, q.Filters, queries.DueIn(q)); err != nil {
			return err
		}
	}
	err := r.dyn.rows(ctx, queries.History(r.d, table, q, rare, len(buckets), core.Now()), func(scan func(...any) error) error {
		var i int64
		var typ string
		var s core.HistoryState
		if err := scan(&i, &typ, &s.Name, &s.Count, &s.RunTime, &s.Lateness); err != nil {
			return err
		}
		s.Type = core.StateType(typ)
		if i >= 0 && int(i) < len(buckets) {
			buckets[i].States = append(buckets[i].States, s)
		}
		return nil
	})
	return r.err(err, "Run")
}
