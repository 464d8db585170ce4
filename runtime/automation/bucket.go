package automation

import (
	"time"

	"github.com/flowlite/flowlite/runtime/trigger"

	"github.com/flowlite/flowlite/runtime/core"
)

// lookback is how old an event may be to count in the first bucket of its key:
// events arrive out of order.
const lookback = 15 * time.Minute

func meets(t *core.Trigger, count int64) bool {
	if t.Posture == core.Reactive {
		return count >= *t.Threshold
	}
	return count < *t.Threshold
}

// fill counts an event (nil: none, only time has passed) in a bucket at a
// moment. It returns the bucket as it is to be stored, nil for none, and
// whether the trigger fires with the bucket as it was then.
//
// A reactive trigger fires as soon as the threshold is reached, and the next
// bucket begins where the old one would have ended, so that it does not fire
// again before. A proactive one fires when the span has ended below it.
func fill(t *core.Trigger, b core.Bucket, at core.Time, e *core.Event) (next *core.Bucket, fired *core.Bucket) {
	if at < b.Start {
		return &b, nil // too late for a bucket that is over
	}
	immediate := t.Posture == core.Reactive && *t.Within == 0
	spent := e == nil
	if !spent && (immediate || at < b.End) {
		b.Count++
		b.LastEvent = core.ToJSON(e)
		spent = true
	}
	ready := t.Posture == core.Reactive || b.End <= at
	if ready && meets(t, b.Count) {
		was := b
		fired = &was
	} else if at < b.End {
		return &b, nil
	}
	switch {
	case len(t.After) > 0:
		return nil, fired // until the next event that it comes after
	case *t.Within == 0 && fired != nil:
		return nil, fired
	case *t.Within == 0:
		return &b, nil // goes on counting
	}
	next = &core.Bucket{AutomationID: b.AutomationID, TriggerID: b.TriggerID, Key: b.Key, Start: max(b.End, at)}
	next.End = next.Start.Add(t.Within.Duration())
	if len(t.ForEach) > 0 {
		next.LastEvent = b.LastEvent // says later whom the key meant
	}
	if spent {
		return next, fired
	}
	if t.Posture == core.Reactive {
		return fill(t, *next, at, e)
	}
	next.Count, next.LastEvent = 1, core.ToJSON(e)
	return next, fired
}

// begin is the bucket that an event opens where there is none; nil if it does not.
func begin(t *trigger.Matcher, key string, e *core.Event) *core.Bucket {
	b := &core.Bucket{AutomationID: t.AutomationID, TriggerID: t.ID, Key: key, Start: e.Occurred, End: e.Occurred.Add(t.Within.Duration())}
	switch {
	case t.StartsAfter(e.Event):
		// An event that is both counts for the bucket before its own.
		if t.Expects(e.Event) {
			b.Count = -1
		}
		b.LastEvent = core.ToJSON(e)
		return b
	case len(t.After) == 0 && t.Expects(e.Event):
		b.Start = e.Occurred.Add(-lookback)
		return b
	}
	return nil
}
