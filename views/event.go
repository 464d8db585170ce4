package views

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// EventsView is the feed of events as its address says.
type EventsView struct {
	Events   []*core.Event // of this page, the newest first
	Bars     []EventBar
	Total    int64  // in the span
	Name     string // how events' names begin
	Resource string // its id
	Related  bool   // also where it is a related resource
	Q        string
	Range    string // "" for a span of its own
	From, To core.Time
	Query    string // without the place of the page
	Newest   bool   // the first page of a span that reaches to now
	First    bool
	Older    string // the next page's place, "" on the last
}

// EventBar counts the events of a part of the span.
type EventBar struct {
	From, To core.Time
	N        int64
}

// EventRanges are the choices of the time range.
var EventRanges = [][2]string{{"1h", "Last hour"}, {"24h", "Last 24 hours"}, {"7d", "Last 7 days"}, {"30d", "Last 30 days"}}

func eventPath(id core.UUID) string { return "/events/" + id.String() }

// href is the feed with one value of its query changed; "" takes it out.
func (d EventsView) href(pairs ...string) string {
	q, _ := url.ParseQuery(d.Query)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return "/events"
	}
	return "/events?" + q.Encode()
}

// command is the command line that shows such events as they come.
func (d EventsView) command() string {
	if d.Name != "" {
		return core.ShellCommand("flowlite", "event", "stream", "--filter", d.Name+"*")
	}
	return "flowlite event stream"
}

func (d EventsView) tallest() (n int64) {
	for _, b := range d.Bars {
		n = max(n, b.N)
	}
	return max(n, 1)
}

// unit says how long a bar is.
func (d EventsView) unit() string {
	if len(d.Bars) == 0 {
		return ""
	}
	switch w := d.width(); {
	case w == 24*time.Hour:
		return "per day"
	case w == time.Hour:
		return "per hour"
	case w == time.Minute:
		return "per minute"
	default:
		return "per " + Span(w)
	}
}

// width of a bar; the first and the last may be cut.
func (d EventsView) width() time.Duration {
	b := d.Bars[len(d.Bars)/2]
	return b.To.Sub(b.From)
}

// title of a bar: its span, and how many.
func (b EventBar) title(p Page) string {
	layout := "2 Jan 15:04"
	if b.To.Sub(b.From) < time.Minute {
		layout = "2 Jan 15:04:05"
	}
	from, to := b.From.Time().In(p.Loc), b.To.Time().In(p.Loc)
	return fmt.Sprintf("%s–%s: %s", from.Format(layout), to.Format(layout), plural(b.N, "event", "events"))
}

// axis labels about six bars; the others have no text.
func (d EventsView) axis(p Page) []string {
	texts, step := make([]string, len(d.Bars)), max(1, (len(d.Bars)+5)/6)
	layout := "15:04"
	if d.width() >= 4*time.Hour {
		layout = "2 Jan"
	}
	var times []time.Time
	for i := 0; i < len(d.Bars) && len(d.Bars)-i >= step/2; i += step {
		times = append(times, d.Bars[i].From.Time().In(p.Loc))
	}
	for i, word := range axisWords(times, func(t time.Time) string { return t.Format(layout) }) {
		texts[i*step] = word
	}
	return texts
}

// eventDay is a day of the feed.
type eventDay struct {
	title  string
	events []*core.Event
}

func (d EventsView) days(p Page) (days []eventDay) {
	today := p.Now.Time().In(p.Loc).Format("2 January 2006")
	for _, e := range d.Events {
		t := e.Occurred.Time().In(p.Loc).Format("2 January 2006")
		if t == today {
			t = "Today, " + t
		}
		if n := len(days); n == 0 || days[n-1].title != t {
			days = append(days, eventDay{title: t})
		}
		last := &days[len(days)-1]
		last.events = append(last.events, e)
	}
	return days
}

// kindOf cuts the kind out of a resource's id: "prefect.flow-run.01…" is a
// "flow-run", and its key is what comes after.
func kindOf(resource string) (kind, key string) {
	rest, ours := strings.CutPrefix(resource, "prefect.")
	if !ours {
		return "", ""
	}
	kind, key, _ = strings.Cut(rest, ".")
	return kind, key
}

// ResourcePath is our page of a resource, "" if there is none.
func ResourcePath(labels map[string]string) string {
	kind, key := kindOf(labels["prefect.resource.id"])
	if kind == "tag" && key != "" {
		return "/runs?range=all&tag=" + url.QueryEscape(key)
	}
	if kind == "work-pool" {
		if name := labels["prefect.resource.name"]; name != "" {
			return "/work-pools/" + esc(name)
		}
		return ""
	}
	if _, err := core.ParseUUID(key); err != nil {
		return ""
	}
	if at, known := map[string]string{
		"flow-run": "/flow-runs/", "task-run": "/task-runs/", "flow": "/flows/", "deployment": "/deployments/", "automation": "/automations/",
		"event": "/events/", "artifact": "/artifacts/", "work-queue": "/work-queues/work-queue/", "block-document": "/blocks/block/",
		"concurrency-limit": "/concurrency-limits/concurrency-limit/",
	}[kind]; known {
		return at + key
	}
	return ""
}

// resourceName is what a resource is called, or its id.
func resourceName(labels map[string]string) string {
	if name := labels["prefect.resource.name"]; name != "" {
		return short(name)
	}
	id := labels["prefect.resource.id"]
	kind, key := kindOf(id)
	if kind == "tag" {
		return key
	}
	if u, err := core.ParseUUID(key); err == nil {
		return strings.ReplaceAll(kind, "-", " ") + " " + shortID(u)
	}
	return id
}

// eventTone is the state that an event tells of, "" for other events.
func eventTone(e *core.Event) string {
	kind, name := kindOf(e.Event)
	switch {
	case (kind == "flow-run" || kind == "task-run") && core.StateType(e.Resource["prefect.state-type"]).Valid():
		return Tone(core.StateType(e.Resource["prefect.state-type"]), e.Resource["prefect.state-name"])
	case kind == "work-pool" || kind == "work-queue" || kind == "deployment":
		return map[string]string{"ready": "completed", "not-ready": "late", "paused": "paused"}[name]
	case e.Event == "prefect.automation.action.failed":
		return "failed"
	case e.Event == "prefect.automation.action.executed":
		return "completed"
	}
	return ""
}

func eventIcon(e *core.Event) string {
	kind, _ := kindOf(e.Event)
	if at, known := map[string]string{
		"flow-run": "runs", "task-run": "runs", "deployment": "deploy", "work-pool": "pool", "work-queue": "pool", "worker": "pool",
		"automation": "auto", "concurrency-limit": "gauge", "artifact": "artifact", "block": "lock",
	}[kind]; known {
		return at
	}
	return "event"
}

// eventDetail is what an event says beside its name.
func eventDetail(e *core.Event) string {
	if m := e.Resource["prefect.state-message"]; m != "" {
		return core.PlainText(m)
	}
	kind, _ := kindOf(e.Event)
	if kind == "automation" {
		m := e.Payload.Map()
		action, _ := m["action_type"].(string)
		if reason, _ := m["reason"].(string); reason != "" {
			return action + ": " + reason
		}
		return action
	}
	return ""
}

// splitEvent parts the last word of an event's name from what is before it.
func splitEvent(name string) (before, last string) {
	i := strings.LastIndexByte(name, '.')
	return name[:i+1], name[i+1:]
}

// shownRelated are the related resources that a line of the feed names.
func shownRelated(e *core.Event) (out []map[string]string) {
	for _, role := range []string{"flow", "deployment", "work-pool", "flow-run", "target"} {
		for _, r := range e.Related {
			if r["prefect.resource.role"] == role && len(out) < 2 {
				out = append(out, r)
			}
		}
	}
	return out
}
