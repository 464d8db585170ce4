package run

import (
	"context"
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/timeline"
)

// attempt is a stretch of a run that belongs to one of its attempts. The first
// has no beginning and the last no end. Between two the border lies in the
// middle of the wait: task runs have the clock of their worker, which may
// differ a little from the server's.
type attempt struct{ from, to core.Time }

func (a attempt) has(t core.Time) bool { return t >= a.from && (a.to == 0 || t < a.to) }

// attemptsOf reads the attempts of a run from its states: one begins with each
// RUNNING, but for a run that went on after a pause.
func (u *UI) attemptsOf(ctx context.Context, run views.Run) (out []attempt, err error) {
	if run.RunCount < 2 {
		return nil, nil
	}
	states, err := u.Store.FlowRunStates(ctx, run.ID)
	var before core.StateType
	paused, ended := false, core.Time(0)
	for _, s := range states {
		switch {
		case s.Type == core.Paused:
			paused = true
		case s.Type == core.Running && !paused:
			a := attempt{}
			if n := len(out); n > 0 {
				a.from = ended + (s.Timestamp-ended)/2
				out[n-1].to = a.from
			}
			out = append(out, a)
		case s.Type == core.Running, s.Type.Final():
			paused = false
		}
		over := s.Type.Final() || s.Type == core.Scheduled
		if over && before != core.Scheduled && !before.Final() {
			ended = s.Timestamp
		}
		before = s.Type
	}
	return out, err
}

// ranBefore says that a task run executed in an earlier attempt than its last.
func ranBefore(r *core.TaskRun, attempts []attempt) bool {
	n := int(r.FlowRunRunCount)
	return n > 1 && n <= len(attempts) && r.StartTime != 0 && r.StartTime < attempts[n-1].from
}

// tries turns a task run's history into one bar for each time that it ran.
func (u *UI) tries(ctx context.Context, r *core.TaskRun, it *timeline.Item) error {
	states, err := u.Store.TaskRunStates(ctx, r.ID)
	if err != nil {
		return err
	}
	var began core.Time
	var last *timeline.Span // a final one, which a retry of the flow may follow
	for _, s := range states {
		switch {
		case s.Type == core.Running:
			if last != nil {
				it.Tries = append(it.Tries, *last)
				last = nil
			}
			began = s.Timestamp
		case began == 0:
		case s.Type.Final():
			last = &timeline.Span{Start: clock(began), End: clock(s.Timestamp), State: views.Tone(s.Type, s.Name)}
			began = 0
		default:
			it.Tries = append(it.Tries, timeline.Span{Start: clock(began), End: clock(s.Timestamp), State: "failed"})
			began = 0
		}
	}
	switch {
	case began != 0 && len(it.Tries) > 0:
		it.Start = clock(began)
	case last != nil && len(it.Tries) > 0:
		it.Start = last.Start
	}
	return nil
}

// within keeps what ran in an attempt, as it stood at the attempt's end. What
// was taken over from an earlier one is left out.
func within(items []*timeline.Item, a attempt) (out []*timeline.Item) {
	kept := map[string]bool{"": true}
	in := func(s timeline.Span) bool { return !s.Start.IsZero() && a.has(core.TimeFrom(s.Start)) }
	for _, it := range items {
		c := *it
		c.Tries = nil
		var last *timeline.Span
		for _, s := range append(slices.Clip(it.Tries), timeline.Span{Start: it.Start, End: it.End, State: it.State}) {
			if !in(s) {
				continue
			}
			if last != nil {
				c.Tries = append(c.Tries, *last)
			}
			last = &s
		}
		switch {
		case last != nil:
			c.Start, c.End, c.State = last.Start, last.End, last.State
		case it.Start.IsZero() && a.to == 0: // it waits
		default:
			continue
		}
		kept[c.ID] = true
		out = append(out, &c)
	}
	below := out[:0]
	for _, it := range out {
		if kept[it.Parent] {
			below = append(below, it)
		}
	}
	return below
}
