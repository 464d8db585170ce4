package run

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// runList is a list of runs of a time span. Runs that were due in the span
// come by their index; those due before it, which ended in it or have not
// ended, are few, and follow (or precede, oldest first) as one stretch.
type runList struct {
	filters  core.Filters
	states   map[string]bool
	from, to core.Time // 0: open
	now      core.Time
	sort     string
	after    *core.Cursor
	back     *core.Cursor // the page ends before it

	older []*core.FlowRun // due before from, newest first
	done  bool
}

// mostOlder bounds each kind of run that was due before the span.
const mostOlder = 200

type runPage struct {
	runs        []*core.FlowRun // the page's and, for the plot, those that follow
	more, first bool
}

// cursor writes a run's place into an address.
func (l *runList) cursor(r *core.FlowRun) string {
	v := strconv.FormatInt(int64(r.ExpectedStartTime), 10)
	switch l.sort {
	case "name", "name_desc":
		v = r.Name
	case "ended":
		v = strconv.FormatInt(int64(r.EndTime), 10)
	}
	return r.ID.String() + ":" + v
}

func cursorOf(s string) *core.Cursor {
	id, v, _ := strings.Cut(s, ":")
	u, err := core.ParseUUID(id)
	if err != nil {
		return nil
	}
	n, _ := strconv.ParseInt(v, 10, 64)
	return &core.Cursor{ID: u, Time: core.Time(n), Name: v}
}

func (l *runList) read(ctx context.Context, u *UI) (p runPage, err error) {
	if l.back != nil {
		before, err := l.stretch(ctx, u, l.back, true, runsAPage+1)
		if err != nil {
			return p, err
		}
		if len(before) > runsAPage {
			p.runs = before[:runsAPage]
			slices.Reverse(p.runs)
			p.more = true
			return p, nil
		}
		p.first = true // there is no whole page before it: the first one
		l.after = nil
	}
	p.runs, err = l.stretch(ctx, u, l.after, false, plotted)
	p.more = len(p.runs) > runsAPage
	return p, err
}

// stretch reads on from a cursor, in the list's order or backwards.
func (l *runList) stretch(ctx context.Context, u *UI, c *core.Cursor, backwards bool, limit int) ([]*core.FlowRun, error) {
	switch l.sort {
	case "name", "name_desc":
		return u.Store.FlowRuns(ctx, l.within(), core.Page{Sort: pickSort((l.sort == "name") != backwards, "NAME"), Limit: limit, After: c})
	case "ended":
		return u.Store.FlowRuns(ctx, l.ended(), core.Page{Sort: pickSort(backwards, "END_TIME"), Limit: limit, After: c})
	}
	if err := l.readOlder(ctx, u); err != nil {
		return nil, err
	}
	rising := (l.sort == "oldest") != backwards
	inOlder := c != nil && l.from != 0 && c.Time < l.from
	var out []*core.FlowRun
	older := slices.Clone(l.older)
	if rising {
		slices.Reverse(older)
	}
	if inOlder {
		older = slices.DeleteFunc(older, func(r *core.FlowRun) bool { return !behind(r, c, rising) })
	} else if rising && c != nil {
		older = nil
	}
	if rising {
		out = append(out, older...)
	}
	if !inOlder || rising {
		if inOlder {
			c = nil
		}
		runs, err := u.Store.FlowRuns(ctx, l.within(), core.Page{Sort: pickSort(rising, "EXPECTED_START_TIME"), Limit: limit, After: c})
		if err != nil {
			return nil, err
		}
		out = append(out, runs...)
	}
	if !rising {
		out = append(out, older...)
	}
	return out[:min(limit, len(out))], nil
}

func pickSort(rising bool, by string) string {
	if rising {
		return by + "_ASC"
	}
	return by + "_DESC"
}

func behind(r *core.FlowRun, c *core.Cursor, rising bool) bool {
	at, id := cmp.Compare(r.ExpectedStartTime, c.Time), bytes.Compare(r.ID[:], c.ID[:])
	if at == 0 {
		at = id
	}
	if rising {
		return at > 0
	}
	return at < 0
}

// within are the runs that were due in the span.
func (l *runList) within() core.Filters {
	fr := *l.filters.FlowRuns
	fr.ExpectedStartTime = &core.TimeFilter{After: l.from, Before: l.to}
	f := l.filters
	f.FlowRuns = &fr
	return f
}

// ended are the runs that ended in the span.
func (l *runList) ended() core.Filters {
	fr := *l.filters.FlowRuns
	fr.EndTime = &core.TimeFilter{After: max(l.from, 1), Before: l.to}
	f := l.filters
	f.FlowRuns = &fr
	return f
}

// readOlder reads the runs that were due before the span, but ended in it or
// are still at it: an old run that fails now is news.
func (l *runList) readOlder(ctx context.Context, u *UI) error {
	if l.from == 0 || l.done {
		return nil
	}
	l.done = true
	before := &core.TimeFilter{Before: l.from - 1}
	ended, live := *l.filters.FlowRuns, *l.filters.FlowRuns
	ended.ExpectedStartTime, live.ExpectedStartTime = before, before
	ended.EndTime = &core.TimeFilter{After: l.from}
	live.EndTime = &core.TimeFilter{IsNull: core.Ptr(true)}
	var types []core.StateType
	for tone, t := range map[string]core.StateType{"running": core.Running, "paused": core.Paused, "pending": core.Pending, "cancelled": core.Cancelling} {
		if len(l.states) == 0 || l.states[tone] {
			types = append(types, t)
		}
	}
	f := l.filters
	f.FlowRuns = &ended
	out, err := u.Store.FlowRuns(ctx, f, core.Page{Sort: "END_TIME_DESC", Limit: mostOlder})
	if err != nil {
		return err
	}
	if len(types) > 0 {
		live.State = &core.StateFilter{Type: &core.StateTypeFilter{Any: types}}
		f.FlowRuns = &live
		more, err := u.Store.FlowRuns(ctx, f, core.Page{Sort: "EXPECTED_START_TIME_DESC", Limit: mostOlder})
		if err != nil {
			return err
		}
		out = append(out, more...)
	}
	slices.SortFunc(out, func(a, b *core.FlowRun) int {
		return cmp.Or(cmp.Compare(b.ExpectedStartTime, a.ExpectedStartTime), bytes.Compare(b.ID[:], a.ID[:]))
	})
	l.older = out
	return nil
}

// count is of those that were due in the span, and stops where the page says
// "10,000+".
func (l *runList) count(ctx context.Context, u *UI) (int64, error) {
	f := l.within()
	if l.sort == "ended" {
		f = l.ended()
	}
	return u.Store.CountFlowRunsUpTo(ctx, f, mostRuns)
}
