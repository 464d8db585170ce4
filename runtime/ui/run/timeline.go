package run

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
	"github.com/flowlite/flowlite/views/timeline"
)

const (
	foldAt     = 12 // more runs of one task than this become one row
	rowsAPage  = 100
	maxItems   = 100_000 // task runs that a timeline reads
	maxNested  = 50      // subflows whose own tasks are drawn
	maxRetried = 100     // task runs whose earlier tries are drawn
	maxLanes   = 48
	maxBars    = 1500
)

func (u *UI) flowRunTimeline(w http.ResponseWriter, r *http.Request) error {
	p, run, err := u.part(w, r)
	if err != nil {
		return err
	}
	t, err := u.readTimeline(r.Context(), p, run, r.URL.Query())
	if err != nil {
		return err
	}
	// a reader's choice belongs in the address; the section's own refresh does not
	if src := r.Header.Get("Hx-Source"); src != "" && !strings.HasPrefix(src, "section") {
		w.Header().Set("Hx-Replace-Url", strings.TrimSuffix(u.BasePath+"/flow-runs/"+run.ID.String()+"?"+r.URL.RawQuery, "?"))
	}
	return u.Send(w, r, views.Timeline(p, t))
}

func (u *UI) readTimeline(ctx context.Context, p views.Page, run views.Run, q url.Values) (views.TimelineView, error) {
	t := views.TimelineView{Run: run, View: q.Get("view"), Failed: q.Get("rows") == "failed", Open: q.Get("open"), Page: rowsAPage}
	t.Live = run.StateType == core.Running || run.StateType == core.Paused || run.StateType == core.Cancelling
	t.Offset, _ = strconv.Atoi(q.Get("offset"))
	t.Offset = max(0, t.Offset)
	attempts, err := u.attemptsOf(ctx, run)
	if err != nil {
		return t, err
	}
	t.Attempts = len(attempts)
	if n, err := strconv.Atoi(q.Get("attempt")); err == nil && n > 0 && n <= t.Attempts {
		t.Attempt = n
		t.Live = t.Live && n == t.Attempts
	}
	own := url.Values{}
	for _, k := range []string{"rows", "open", "view", "offset", "attempt"} {
		if v := q.Get(k); v != "" {
			own.Set(k, v)
		}
	}
	t.Query = own.Encode()
	items, partial, err := u.timelines.get(
		run,
		u.Now(),
		func() ([]*timeline.Item, bool, error) { return u.items(ctx, run.ID, attempts, "", 0) },
	)
	if err != nil {
		return t, err
	}
	t.Partial = partial
	if t.Attempt > 0 {
		items = within(items, attempts[t.Attempt-1])
	}
	for _, it := range items {
		if it.Kind == timeline.Flow {
			continue
		}
		t.Total++
		switch it.State {
		case "completed", "cached":
			t.Done++
		case "failed", "crashed":
			t.Errors++
			t.Done++
		case "running", "retrying":
			t.Active++
		}
	}
	now := p.Now.Time()
	t.Lay = timeline.Build(items, timeline.Options{
		Now: now, FoldAt: foldAt, Open: map[string]bool{t.Open: t.Open != ""}, MaxRows: rowsAPage, Offset: t.Offset,
		OnlyFailed: t.Failed, OpenEnded: t.Live,
	})
	if t.View == "lanes" {
		lanes(&t, items, now)
	}
	return t, nil
}

// items are the task runs of a run, with subflows and their tasks nested.
func (u *UI) items(
	ctx context.Context,
	runID core.UUID,
	attempts []attempt,
	parent string,
	depth int,
) (out []*timeline.Item, partial bool, err error) {
	children, err := u.Store.FlowRunChildren(ctx, runID)
	if err != nil {
		return nil, false, err
	}
	subflow := map[core.UUID]*core.FlowRun{}
	for _, c := range children {
		subflow[c.ParentTaskRunID] = c
	}
	retried, nested := 0, 0
	item := map[core.UUID]string{}
	for after := (core.UUID{}); ; {
		batch, err := u.Store.TaskRunsOf(ctx, runID, after, 1000)
		if err != nil {
			return nil, false, err
		}
		for _, r := range batch {
			after = r.ID
			it := taskItem(r, parent)
			if c := subflow[r.ID]; c != nil {
				if it, err = u.flowItem(ctx, c, parent); err != nil {
					return nil, false, err
				}
				if nested++; depth < 3 && nested <= maxNested {
					inner, part, err := u.items(ctx, c.ID, nil, it.ID, depth+1)
					if err != nil {
						return nil, false, err
					}
					out, partial = append(out, inner...), partial || part
				}
			} else if (r.RunCount > 1 || ranBefore(r, attempts)) && retried < maxRetried {
				retried++
				if err := u.tries(ctx, r, it); err != nil {
					return nil, false, err
				}
			}
			item[r.ID] = it.ID
			out = append(out, it)
		}
		if len(batch) < 1000 {
			break
		}
		if len(out) >= maxItems {
			return out, true, nil
		}
	}
	for _, it := range out { // inputs name task runs; a subflow's item has its own id
		for i, d := range it.Deps {
			if id, err := core.ParseUUID(strings.TrimPrefix(d, "t")); err == nil && item[id] != "" {
				it.Deps[i] = item[id]
			}
		}
	}
	return out, partial, nil
}

func taskItem(r *core.TaskRun, parent string) *timeline.Item {
	it := &timeline.Item{
		ID: "t" + r.ID.String(), Parent: parent, Name: r.Name, Key: r.TaskKey, State: views.Tone(r.StateType, r.StateName),
		Start: clock(r.StartTime), End: clock(r.EndTime), Deps: inputs(r.TaskInputs),
	}
	if r.StateType.Final() && it.End.IsZero() {
		it.End = clock(r.StateTimestamp)
	}
	if it.Start.IsZero() && r.TaskKey == "sleep" { // of the SDK's Sleep, which no process executes
		it.Start = clock(r.ExpectedStartTime)
		if r.StateType == core.Scheduled {
			it.Wakes = r.NextScheduledStartTime.Time()
		}
	}
	if it.Start.IsZero() && r.StateType.Final() { // cached, or crashed before it began
		it.Start = it.End
	}
	switch {
	case r.StateName == core.NameCached:
		it.Note = "cached"
	case r.RunCount > 1:
		it.Note = "attempt " + strconv.FormatInt(r.RunCount, 10)
	}
	if r.StateType == core.Failed { // of many runs of one task, the input tells which
		if in := r.Input(); in != nil {
			it.Note = strings.TrimPrefix(it.Note+" · ", " · ") + core.CutText(string(in), 80)
		}
	}
	return it
}

func (u *UI) flowItem(ctx context.Context, c *core.FlowRun, parent string) (*timeline.Item, error) {
	name, err := u.FlowName(ctx, c.FlowID)
	return &timeline.Item{
		ID: "f" + c.ID.String(), Parent: parent, Name: name + " / " + c.Name, Key: name, Kind: timeline.Flow,
		State: views.Tone(c.StateType, c.StateName), Start: clock(c.StartTime), End: clock(c.EndTime),
	}, err
}

// inputs are the task runs that a task run took values of.
func inputs(raw core.JSON) (ids []string) {
	var m map[string][]struct {
		Type string `json:"input_type"`
		ID   string `json:"id"`
	}
	if len(raw) <= 2 || json.Unmarshal(raw, &m) != nil {
		return nil
	}
	for _, list := range m {
		for _, in := range list {
			if in.Type == "task_run" {
				ids = append(ids, "t"+in.ID)
			}
		}
	}
	return ids
}

func clock(t core.Time) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.Time()
}

func lanes(t *views.TimelineView, items []*timeline.Item, now time.Time) {
	lane, n := timeline.Lanes(items, now, 0)
	sc, _ := timeline.NewScale(items, t.Lay.End, max(15*time.Second, t.Lay.End.Sub(t.Lay.Start)/8), 4, 97)
	t.LaneN = min(n, maxLanes)
	at := map[string]views.LaneBar{}
	for _, it := range items {
		l, ok := lane[it.ID]
		if !ok || l >= maxLanes || len(t.Lanes) >= maxBars {
			continue
		}
		end := it.End
		if end.IsZero() {
			end = now
		}
		b := views.LaneBar{
			ID:    it.ID,
			Name:  it.Name,
			State: it.State,
			Href:  views.ItemPath(it),
			X:     sc.X(it.Start),
			Lane:  l,
			Text:  timeline.Dur(end.Sub(it.Start)),
		}
		b.W = max(sc.X(end)-b.X, .18)
		at[it.ID] = b
		t.Lanes = append(t.Lanes, b)
		if len(items) > 300 {
			continue
		}
		for _, d := range it.Deps {
			if f, ok := at[d]; ok {
				t.Edges = append(t.Edges, views.LaneEdge(f, b))
			}
		}
	}
}
