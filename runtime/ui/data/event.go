package data

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

const eventsAPage = 50

// eventRanges are the spans to choose from, and how long a bar of each is.
var eventRanges = map[string]struct{ span, bar time.Duration }{
	"1h": {time.Hour, time.Minute}, "24h": {24 * time.Hour, 30 * time.Minute},
	"7d": {7 * 24 * time.Hour, 4 * time.Hour}, "30d": {30 * 24 * time.Hour, 24 * time.Hour},
}

// events is the feed, as the address says.
func (u *UI) events(w http.ResponseWriter, r *http.Request) error {
	p, err := u.Page(w, r, "Events", "events")
	if err != nil {
		return err
	}
	d, f, bar, err := eventsQuery(p, r.URL.Query())
	if err != nil {
		return err
	}
	if err := u.readEvents(r.Context(), p, &d, f, bar); err != nil {
		return err
	}
	if page.HX(r) {
		return u.Send(w, r, views.EventsBody(p, d))
	}
	return u.Send(w, r, views.EventsPage(p, d))
}

// eventsQuery reads the address.
func eventsQuery(p views.Page, q url.Values) (d views.EventsView, f *core.EventFilter, bar time.Duration, err error) {
	d = views.EventsView{
		Name: strings.TrimSuffix(
			strings.TrimSpace(q.Get("event")),
			"*",
		),
		Resource: strings.TrimSpace(q.Get("resource")),
		Related:  q.Get("related") != "",
		Q:        strings.TrimSpace(q.Get("q")),
		Range:    cmp.Or(q.Get("range"), "24h"),
		To:       p.Now,
		First:    !q.Has("before"),
	}
	f = &core.EventFilter{}
	if f.Before, err = eventKey(q.Get("before")); err != nil {
		return d, f, 0, err
	}
	if q.Has("from") && q.Get("range") == "" {
		from, err := core.ParseTime(q.Get("from"))
		to, err2 := core.ParseTime(cmp.Or(q.Get("to"), p.Now.String()))
		if err != nil || err2 != nil || to <= from {
			return d, f, 0, core.Errorf(core.EInvalid, "from and to must be times like 2026-11-23T09:00:00Z, and from the earlier one")
		}
		d.From, d.To, d.Range, bar = from, to, "", barOf(to.Sub(from))
	} else {
		chosen, known := eventRanges[d.Range]
		if !known {
			return d, f, 0, core.Errorf(core.EInvalid, "range is 1h, 24h, 7d or 30d; another span goes by from and to")
		}
		d.From, bar = p.Now.Add(-chosen.span), chosen.bar
		q.Del("from")
		q.Del("to")
	}
	q.Del("before")
	for k, v := range q {
		if len(v) == 0 || v[0] == "" {
			q.Del(k)
		}
	}
	d.Query, d.Newest = q.Encode(), d.First && d.Range != ""
	f.Occurred = &core.EventOccurred{Since: d.From, Until: d.To}
	if d.Name != "" {
		f.Event = &core.EventName{Prefix: []string{d.Name}}
	}
	if d.Resource != "" {
		ids, prefixes := []string{d.Resource}, []string(nil)
		if open, ok := strings.CutSuffix(d.Resource, "*"); ok {
			ids, prefixes = nil, []string{open}
		}
		if d.Related {
			f.AnyResource = &core.EventResources{{ID: ids, IDPrefix: prefixes}}
		} else {
			f.Resource = &core.EventResource{ID: ids, IDPrefix: prefixes}
		}
	}
	if d.Q != "" {
		f.Text = &core.Search{Query: d.Q}
	}
	return d, f, bar, nil
}

// barOf is the length of a bar that parts a span into about fifty.
func barOf(span time.Duration) time.Duration {
	for _, d := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
		30 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		if span/d <= 60 {
			return d
		}
	}
	return max(30*24*time.Hour, span/60)
}

func (u *UI) readEvents(ctx context.Context, p views.Page, d *views.EventsView, f *core.EventFilter, bar time.Duration) (err error) {
	counted := *f
	counted.Before = nil
	if err := u.eventBars(ctx, p, d, &counted, bar); err != nil {
		return err
	}
	if f.Occurred = spanOfPage(d.Bars, f.Before); f.Occurred == nil {
		return nil
	}
	if d.Events, err = u.Store.Events(ctx, f, core.Page{Limit: eventsAPage + 1}); err != nil {
		return err
	}
	if len(d.Events) > eventsAPage {
		d.Events = d.Events[:eventsAPage]
		last := d.Events[eventsAPage-1]
		d.Older = strconv.FormatInt(int64(last.Occurred), 10) + "~" + last.ID.String()
	}
	return nil
}

// spanOfPage is the part of the span that the events of a page lie in, by what
// the bars count; nil if there are none. What a filter finds seldom is not
// looked for where it is not.
func spanOfPage(bars []views.EventBar, before *core.EventKey) *core.EventOccurred {
	var span *core.EventOccurred
	var n int64
	for _, b := range slices.Backward(bars) {
		if b.N == 0 || before != nil && b.From > before.Occurred {
			continue
		}
		if span == nil {
			span = &core.EventOccurred{Until: b.To - 1}
		}
		span.Since = b.From
		if before == nil || b.To <= before.Occurred {
			n += b.N
		}
		if n > eventsAPage {
			break
		}
	}
	return span
}

// eventBars counts by bars that begin at whole hours and days of the reader.
// Bar by bar it is a walk along the index of time; grouped it would be a sort.
func (u *UI) eventBars(ctx context.Context, p views.Page, d *views.EventsView, f *core.EventFilter, bar time.Duration) error {
	from := d.From.Time().In(p.Loc)
	pivot := core.TimeFrom(time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, p.Loc))
	width := core.Time(bar.Microseconds())
	first := pivot + (d.From-pivot)/width*width
	if d.Range != "" {
		d.From = first // a whole bar stays as it is when the page is asked for again
	}
	for start := first; start < d.To; start += width {
		f.Occurred = &core.EventOccurred{Since: max(start, d.From), Until: min(start+width-1, d.To)}
		n, err := u.bars.count(ctx, u.Store, f, p.Now)
		if err != nil {
			return err
		}
		d.Bars = append(d.Bars, views.EventBar{From: f.Occurred.Since, To: min(start+width, d.To+1), N: n})
		d.Total += n
	}
	return nil
}

// bars remembers for a moment how many events were in spans that are over: a
// page that refreshes itself counts only the newest.
type bars struct {
	sync.Mutex
	of map[string]barCount
}

type barCount struct {
	n     int64
	until core.Time
}

const (
	barsFor  = time.Minute
	barsOver = 10 * time.Second // events that occurred before are there by then
	barsKept = 5_000
)

func (b *bars) count(ctx context.Context, store Store, f *core.EventFilter, now core.Time) (int64, error) {
	key := string(core.ToJSON(f))
	b.Lock()
	known, has := b.of[key]
	b.Unlock()
	if has && known.until > now {
		return known.n, nil
	}
	n, err := store.CountEvents(ctx, f)
	if err != nil || f.Occurred.Until.Add(barsOver) > now {
		return n, err
	}
	b.Lock()
	defer b.Unlock()
	if b.of == nil || len(b.of) >= barsKept {
		b.of = map[string]barCount{}
	}
	b.of[key] = barCount{n, now.Add(barsFor)}
	return n, nil
}

// eventKey reads the place that a page begins after: microseconds and id.
func eventKey(s string) (*core.EventKey, error) {
	if s == "" {
		return nil, nil
	}
	at, id, _ := strings.Cut(s, "~")
	micros, err := strconv.ParseInt(at, 10, 64)
	key := &core.EventKey{Occurred: core.Time(micros)}
	if err == nil {
		key.ID, err = core.ParseUUID(id)
	}
	if err != nil {
		return nil, core.Errorf(core.EInvalid, "before is the place of a page as its Older link has it")
	}
	return key, nil
}

func (u *UI) event(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Event")
	if err != nil {
		return err
	}
	e, err := u.Event(r.Context(), id)
	if err != nil {
		return err
	}
	p, err := u.Page(w, r, e.Event, "events")
	if err != nil {
		return err
	}
	return u.Send(w, r, views.EventPage(p, e))
}

func (u *UI) eventStream(w http.ResponseWriter, r *http.Request) error {
	return u.Tell(w, r, core.TopicEvent)
}
