package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/trigger"
)

const (
	outQueue = 256
	// backfillSpan is how far back a backfill goes, backfillPage how much it reads at once.
	backfillSpan = 15 * time.Minute
	backfillPage = 200
	// catchUpSpan is how far back one looks for what the queue had to drop.
	catchUpSpan = 30 * time.Second
	// lookAgain: what another server says may be lost without anybody's knowing.
	lookAgain = 15 * time.Second
)

type eventFrameOut struct {
	Type  string      `json:"type"`
	Event *core.Event `json:"event"`
}

// eventsOut sends stored events, then live ones: each once, none left out. It
// subscribes before it reads, remembers what it sent, and reads again what the
// queue dropped while the client was slow.
func (a *API) eventsOut(w http.ResponseWriter, r *http.Request) {
	s, ok := a.open(w, r, true)
	if !ok {
		return
	}
	defer func() { _ = s.CloseNow() }()
	ctx, err := a.greet(r, s)
	if err != nil {
		return
	}
	o := &outStream{a: a, s: s}
	backfill, err := s.wish(ctx, &o.filter)
	if err != nil {
		return
	}
	sub := a.bus.Subscribe(core.TopicEvent, "", outQueue)
	defer sub.Close()
	now := core.Now()
	o.sent.began = now
	if o.filter.Occurred == nil {
		o.filter.Occurred = &core.EventOccurred{}
	}
	if o.filter.Occurred.Until.IsZero() {
		o.filter.Occurred.Until = now // as the peer: who wants live events says so
	}
	ctx = s.onlySend(ctx)
	if isCancelWatch(&o.filter) {
		select { // what happens meanwhile waits in the subscription
		case <-time.After(cancelWatchPause):
		case <-ctx.Done():
			return
		}
	}
	since := max(o.filter.Occurred.Since, now.Add(-backfillSpan))
	if backfill && o.fill(ctx, since) != nil {
		return
	}
	o.live(ctx, sub)
}

// cancelWatchPause: the runner of Prefect 3.4 asks for cancellations of the last
// minute, and dies silently as a listener if one arrives before it has finished
// its own start: then it would never cancel anything.
const cancelWatchPause = 2 * time.Second

func isCancelWatch(f *core.EventFilter) bool {
	return f.Event != nil && len(f.Event.Name) == 1 && f.Event.Name[0] == "prefect.flow-run.Cancelling" && f.Resource == nil &&
		f.AnyResource == nil &&
		f.Related == nil
}

type outStream struct {
	a      *API
	s      *socket
	filter core.EventFilter
	sent   sentEvents
}

func (o *outStream) live(ctx context.Context, sub core.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-sub.C():
			if !open {
				_ = o.s.Close(websocket.StatusGoingAway, "The server stops")
				return
			}
			if sub.Lost() > 0 && o.fill(ctx, core.Now().Add(-catchUpSpan)) != nil {
				return
			}
			if m.Event != nil && trigger.Passes(&o.filter, m.Event) && o.send(ctx, m.Event) != nil {
				return
			}
		}
	}
}

func (o *outStream) send(ctx context.Context, e *core.Event) error {
	if !o.sent.add(e, core.Now()) {
		return nil
	}
	return o.s.send(ctx, eventFrameOut{"event", e})
}

// sentEvents remembers which events a stream sent and may find again: the bus and
// a backfill can deliver the same one, and so can two backfills. Events that the
// server received well before the subscription began come by one backfill alone,
// so a large backfill does not fill the memory. The zero value is ready.
type sentEvents struct {
	began         core.Time // of the subscription
	recent, older map[core.UUID]struct{}
	turned        core.Time // when recent was begun
}

const (
	// maxSent bounds each of the two sets of IDs, at 16 bytes an ID.
	maxSent = 50_000
	// sentFor is how long an ID is remembered at least, unless there are too many:
	// longer than catchUpSpan and the delay of a bus.
	sentFor = 2 * time.Minute
)

// add reports whether e is to be sent, and remembers it if it may come again.
func (s *sentEvents) add(e *core.Event, now core.Time) bool {
	if _, known := s.recent[e.ID]; known {
		return false
	}
	if _, known := s.older[e.ID]; known {
		return false
	}
	if !e.Received.IsZero() && e.Received < s.began.Add(-sentFor) {
		return true
	}
	if s.recent == nil || len(s.recent) >= maxSent || now.Sub(s.turned) > sentFor {
		s.recent, s.older, s.turned = map[core.UUID]struct{}{}, s.recent, now
	}
	s.recent[e.ID] = struct{}{}
	return true
}

// fill sends the stored events since then, oldest first.
func (o *outStream) fill(ctx context.Context, since core.Time) error {
	f := o.filter
	f.Order = "ASC"
	f.Occurred = &core.EventOccurred{Since: max(since, o.filter.Occurred.Since), Until: o.filter.Occurred.Until}
	for page := (core.Page{Limit: backfillPage}); ; page.Offset += backfillPage {
		events, err := o.a.store.Events(ctx, &f, page)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := o.send(ctx, e); err != nil {
				return err
			}
		}
		if len(events) < backfillPage {
			return nil
		}
	}
}

type logFrame struct {
	Type string    `json:"type"`
	Log  *core.Log `json:"log"`
}

// logsOut is eventsOut for logs, whose order of arrival tells what was sent.
func (a *API) logsOut(w http.ResponseWriter, r *http.Request) {
	s, ok := a.open(w, r, true)
	if !ok {
		return
	}
	defer func() { _ = s.CloseNow() }()
	ctx, err := a.greet(r, s)
	if err != nil {
		return
	}
	var f core.LogFilter
	backfill, err := s.wish(ctx, &f)
	if err != nil {
		return
	}
	sub := a.bus.Subscribe(core.TopicLog, "", outQueue)
	defer sub.Close()
	ctx = s.onlySend(ctx)
	if f.Timestamp == nil {
		f.Timestamp = &core.TimeFilter{}
	}
	if f.Timestamp.After.IsZero() {
		f.Timestamp.After = core.Now().Add(-backfillSpan)
	}
	if !backfill {
		last, err := a.store.Logs(ctx, &core.LogFilter{}, core.Page{Sort: "SEQ_DESC", Limit: 1})
		if err != nil {
			return
		}
		if len(last) > 0 {
			f.AfterSeq = last[0].Seq
		}
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		// The rows are the truth, the bus only says that there are some.
		logs, err := a.store.Logs(ctx, &f, core.Page{Sort: "SEQ_ASC"})
		if err != nil {
			return
		}
		for _, l := range logs {
			if s.send(ctx, logFrame{"log", l}) != nil {
				return
			}
			f.AfterSeq = l.Seq
		}
		if len(logs) == core.MaxLimit {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case _, open := <-sub.C():
			if !open {
				_ = s.Close(websocket.StatusGoingAway, "The server stops")
				return
			}
		case <-tick.C:
		}
	}
}

func splitComma(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
