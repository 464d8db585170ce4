package run

import (
	"context"
	"testing"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// TestHistoryKept: a day that is over is not counted at each look, but what
// changes in it is seen within a few looks, and today's changes at once.
func TestHistoryKept(t *testing.T) {
	const day = 24 * time.Hour
	start := core.Time(1_760_000_000_000_000)
	now := start.Add(30*day - time.Hour)
	runs := map[core.Time]int64{}
	var asked []int
	count := func(_ context.Context, q core.HistoryQuery) ([]core.HistoryBucket, error) {
		var out []core.HistoryBucket
		for at := q.Start; at < q.End; at = at.Add(day) {
			out = append(out, core.HistoryBucket{Start: at, End: at.Add(day), States: []core.HistoryState{{Count: runs[at]}}})
		}
		asked = append(asked, len(out))
		return out, nil
	}
	k := (&histories{}).get(historyKey{})
	look := func() []core.HistoryBucket {
		t.Helper()
		asked = nil
		from := start
		for from.Add(31*day) <= now {
			from = from.Add(day)
		}
		got, err := k.read(t.Context(), core.HistoryQuery{Start: from, End: from.Add(32 * day), Interval: day.Seconds()}, now, count)
		if err != nil || len(got) != 32 {
			t.Fatalf("%d buckets, %v", len(got), err)
		}
		return got
	}
	want := func(parts ...int) {
		t.Helper()
		if len(asked) != len(parts) {
			t.Fatalf("counted %v, want %v", asked, parts)
		}
		for i := range parts {
			if asked[i] != parts[i] {
				t.Fatalf("counted %v, want %v", asked, parts)
			}
		}
	}
	look()
	want(28, 4) // 28 days that ended a day ago or earlier, then the others
	runs[start], runs[start.Add(29*day)] = 5, 7
	got := look()
	want(4)
	if got[0].States[0].Count != 0 || got[29].States[0].Count != 7 {
		t.Errorf("%+v, %+v", got[0], got[29])
	}
	now = now.Add(freshHistory)
	got = look()
	want(1, 4)
	if got[0].States[0].Count != 5 {
		t.Error("the change of an old day is not seen")
	}
	now = now.Add(finalHistory)
	look()
	want(28, 4)
	now = now.Add(2 * day) // the window moves, and all is too old
	look()
	want(29, 3)
}
