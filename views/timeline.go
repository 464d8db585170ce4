package views

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/flowlite/flowlite/views/timeline"
)

const (
	rowH  = 30
	laneH = 26
)

// LaneBar is one task run of the lanes view.
type LaneBar struct {
	ID, Name, State, Text, Href string
	X, W                        float64
	Lane                        int
}

func rowClass(r timeline.Row) string { return "d" + strconv.Itoa(min(r.Depth, 2)) }

func cy(i int) float64 { return float64(i*rowH) + rowH/2 }

// edgePath is a finish-to-start elbow in a 0..1000 wide box.
func edgePath(e timeline.Edge) string {
	x1, x2 := e.X1*10, e.X2*10
	y1, y2 := cy(e.From), cy(e.To)
	if y2 > y1 {
		y1 += 6
	} else {
		y1 -= 6
	}
	if x2-x1 < .5 {
		return fmt.Sprintf("M%s %sV%s", ftoa(x2), ftoa(y1), ftoa(y2))
	}
	return fmt.Sprintf("M%s %sV%sH%s", ftoa(x1), ftoa(y1), ftoa(y2), ftoa(x2))
}

// LaneEdge is the curve from one lane bar to another.
func LaneEdge(from, to LaneBar) string {
	x1, x2 := min(from.X+from.W, to.X)*10, to.X*10
	y1, y2 := from.Lane*laneH+40, to.Lane*laneH+40
	m := (x1 + x2) / 2
	return fmt.Sprintf("M%.1f %dC%.1f %d %.1f %d %.1f %d", x1, y1, m, y1, m, y2, x2, y2)
}

// rowText is a row for those who do not see the chart.
func rowText(r timeline.Row, lay timeline.Layout) string {
	if r.Item.Kind == timeline.Group {
		s := plural(r.Members, "task run", "task runs")
		var sSb55 strings.Builder
		for _, t := range Tones {
			if r.Counts[t] > 0 {
				sSb55.WriteString(fmt.Sprintf(", %d %s", r.Counts[t], strings.ToLower(toneNames[t])))
			}
		}
		s += sSb55.String()
		return s
	}
	if r.Item.Start.IsZero() {
		return toneNames[r.Item.State] + ", not started"
	}
	return fmt.Sprintf("%s, started +%s, took %s", toneNames[r.Item.State], timeline.Dur(r.Item.Start.Sub(lay.Start)), timeline.Dur(r.Dur))
}

// rowURL opens a group, or goes to what the row stands for.
func rowURL(d TimelineView, r timeline.Row) string {
	if r.FoldKey == "" {
		return ItemPath(r.Item)
	}
	q := tlQuery(d, "open", pick(r.IsOpen, "", r.FoldKey))
	return d.Run.path() + when(q != "", "?"+q)
}

// attemptsShown is how many of a run's attempts can be chosen, the last ones.
const attemptsShown = 6

// tlQuery is the timeline's query with one choice made otherwise. Of the
// others the attempt stays; a choice of attempt keeps view and rows.
func tlQuery(d TimelineView, key, value string) string {
	q := url.Values{}
	if d.Attempt > 0 {
		q.Set("attempt", strconv.Itoa(d.Attempt))
	}
	if key == "attempt" {
		q.Del("attempt")
		if d.View != "" {
			q.Set("view", d.View)
		}
		if d.Failed {
			q.Set("rows", "failed")
		}
	}
	if value != "" {
		q.Set(key, value)
	}
	return q.Encode()
}

// ItemPath is the page of a task run or subflow run; an item's id is "t" or
// "f" and the run's id.
func ItemPath(it *timeline.Item) string {
	if it.ID == "" {
		return ""
	}
	if it.Kind == timeline.Flow {
		return "/flow-runs/" + it.ID[1:]
	}
	return "/task-runs/" + it.ID[1:]
}

func tlPage(d TimelineView, offset int) string {
	q, _ := url.ParseQuery(d.Query)
	q.Set("offset", strconv.Itoa(max(0, offset)))
	return d.Run.path() + "?" + q.Encode()
}

func gapText(tone string, g timeline.Gap, last bool) string {
	d := Span(g.Dur)
	if g.W < 6 {
		return strings.ReplaceAll(d, " min", "m")
	}
	if last && tone == "paused" {
		return "waiting " + d
	}
	return "idle " + d
}
