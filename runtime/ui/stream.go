package ui

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

const (
	batchLogs = 400 * time.Millisecond // lines are gathered for so long
	atMost    = 2 * time.Second        // the head and the timeline change no oftener
	recheck   = 5 * time.Second        // a message of the bus may be lost
	keepAlive = 15 * time.Second
	perTab    = 4 // streams of one browser over HTTP/1.1
)

// streams counts the open streams of each browser. Over HTTP/1.1 six
// connections per host are all there is, and a seventh tab would hang.
type streams struct {
	sync.Mutex
	n map[string]int
}

// admit refuses a stream with 204 when the browser has enough: the page then
// keeps its slow poll.
func (s *streams) admit(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	if r.ProtoMajor > 1 {
		return func() {}, true
	}
	key := r.RemoteAddr
	if c, err := r.Cookie("fl_sid"); err == nil {
		key = c.Value
	}
	s.Lock()
	defer s.Unlock()
	if s.n == nil {
		s.n = map[string]int{}
	}
	if s.n[key] >= perTab {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil, false
	}
	s.n[key]++
	return func() {
		s.Lock()
		defer s.Unlock()
		if s.n[key]--; s.n[key] == 0 {
			delete(s.n, key)
		}
	}, true
}

// Streams is how many streams are open over HTTP/1.1.
func (u *UI) Streams() (n int) {
	u.streams.Lock()
	defer u.streams.Unlock()
	for _, k := range u.streams.n {
		n += k
	}
	return n
}

type sse struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func openSSE(w http.ResponseWriter) sse {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s := sse{w, http.NewResponseController(w)}
	_ = s.rc.SetWriteDeadline(time.Time{})
	return s
}

func (s sse) send(id, event, data string) error {
	var b strings.Builder
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	if event != "" {
		b.WriteString("event: " + event + "\n")
	}
	for l := range strings.SplitSeq(data, "\n") {
		b.WriteString("data: " + strings.ReplaceAll(l, "\r", "") + "\n")
	}
	b.WriteString("\n")
	if _, err := s.w.Write([]byte(b.String())); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (s sse) comment() error {
	if _, err := s.w.Write([]byte(": keep\n\n")); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (u *UI) changes(w http.ResponseWriter, r *http.Request) error {
	return u.tell(w, r, core.TopicRun)
}

// tell lets pages know that something moved; they fetch again what they show.
func (u *UI) tell(w http.ResponseWriter, r *http.Request, of core.Topic) error {
	release, ok := u.streams.admit(w, r)
	if !ok {
		return nil
	}
	defer release()
	moved := u.Bus.Subscribe(of, "", 64)
	defer moved.Close()
	s := openSSE(w)
	if s.send("", "hello", "") != nil {
		return nil
	}
	keep := time.NewTicker(keepAlive)
	defer keep.Stop()
	var due <-chan time.Time
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-u.stopping:
			return nil
		case _, open := <-moved.C():
			if !open {
				return nil
			}
			if due == nil {
				due = time.After(time.Second)
			}
		case <-due:
			due = nil
			err = s.send("", "changed", "")
		case <-keep.C:
			err = s.comment()
		}
		if err != nil {
			return nil //nolint:nilerr // the reader left
		}
	}
}

// flowRunStream pushes log lines as they come, and the head and a hint to
// fetch the timeline when the run changes, until it has ended.
func (u *UI) flowRunStream(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Flow run")
	if err != nil {
		return err
	}
	run, err := u.run(r.Context(), id)
	if err != nil {
		return err
	}
	p, err := u.page(w, r, "", "runs")
	if err != nil {
		return err
	}
	release, ok := u.streams.admit(w, r)
	if !ok {
		return nil
	}
	defer release()
	f := &follower{u: u, ctx: r.Context(), p: p, id: id, state: run.StateID, view: logView("", r.URL.Query())}
	f.filter = filterLog(&core.LogFilter{FlowRunID: one(id)}, r.URL.Query())
	// What the page shows: as it was made, and later as of the last message. The
	// run may have gone on meanwhile; what has not changed is not sent again, for
	// somebody may be typing into it.
	seq, shown, _ := strings.Cut(r.Header.Get("Last-Event-ID"), ".")
	if seq == "" {
		seq, shown = r.URL.Query().Get("after"), r.URL.Query().Get("state")
	}
	if state, err := core.ParseUUID(shown); err == nil {
		f.state = state
	}
	f.after, _ = strconv.ParseInt(seq, 10, 64)
	shownLines := f.filter
	shownLines.BeforeSeq = f.after + 1
	if f.view.Total, err = u.Store.CountLogs(f.ctx, &shownLines); err != nil {
		return err
	}
	f.seen = f.after
	logs := u.Bus.Subscribe(core.TopicLog, id.String(), 64)
	defer logs.Close()
	runs := u.Bus.Subscribe(core.TopicRun, id.String(), 64)
	defer runs.Close()
	f.s = openSSE(w)
	if f.s.send("", "hello", "") != nil {
		return nil
	}
	_ = f.follow(logs.C(), runs.C(), u.stopping) // its errors mean that the reader left
	return nil
}

// follower is one open page of a run.
type follower struct {
	u      *UI
	s      sse
	ctx    context.Context
	p      views.Page
	id     core.UUID
	state  core.UUID // the state that the page shows
	filter core.LogFilter
	view   views.LogView // its filter, and how many lines it has let through
	after  int64         // the sequence of the last line that the page has
	seen   int64         // and that of the last line which end has seen
	end    core.LogEnd
}

func (f *follower) follow(logs, runs <-chan core.Message, stop <-chan struct{}) error {
	check, keep := time.NewTicker(recheck), time.NewTicker(keepAlive)
	defer check.Stop()
	defer keep.Stop()
	logDue, runDue := time.After(0), time.After(0) // what came between page and stream
	var last <-chan time.Time                      // the run has ended, and its lines as well
	var waits time.Duration
	for {
		select {
		case <-f.ctx.Done():
			return nil
		case <-stop:
			return nil
		case _, open := <-logs:
			if !open {
				return nil
			}
			if logDue == nil {
				logDue = time.After(batchLogs)
			}
		case _, open := <-runs:
			if !open {
				return nil
			}
			if runDue == nil {
				runDue = time.After(atMost)
			}
			if ended, err := f.ended(); err != nil {
				return err
			} else if ended {
				runDue = time.After(batchLogs) // the end is told at once
			}
		case <-check.C:
			if logDue == nil {
				logDue = time.After(0)
			}
			if runDue == nil {
				runDue = time.After(0)
			}
		case <-logDue:
			logDue = nil
			if err := f.sendLogs(); err != nil {
				return err
			}
			if now := f.end.Grace(); last != nil && now != waits {
				last, waits = time.After(now), now
			}
		case <-runDue:
			runDue = nil
			final, err := f.sendRun()
			switch {
			case err != nil:
				return err
			case !final:
				last = nil
			case last == nil:
				waits = f.end.Grace()
				last = time.After(waits)
			}
		case <-last:
			return f.sendDone()
		case <-keep.C:
			if err := f.s.comment(); err != nil {
				return err
			}
		}
	}
}

func (f *follower) ended() (bool, error) {
	s, err := f.u.Store.FlowRunState(f.ctx, f.id)
	if core.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return s.ID != f.state, nil
}

func (f *follower) sendLogs() error {
	if f.view.Filtered() {
		if err := f.watchEnd(); err != nil {
			return err
		}
	}
	for {
		f.filter.AfterSeq = f.after
		lines, err := f.u.Store.Logs(f.ctx, &f.filter, core.Page{Sort: "SEQ_ASC", Limit: tail})
		if err != nil || len(lines) == 0 {
			return err
		}
		c := partial("#log", "beforeend", views.LogLines(f.p, numbered(lines, f.view.Total), f.view.Q))
		if !f.view.Filtered() {
			f.sawAll(lines)
		}
		f.after, f.view.Total = lines[len(lines)-1].Seq, f.view.Total+int64(len(lines))
		count := partial("#log-count", "innerHTML", views.LogCount(f.view))
		if err := f.push(templ.Join(c, count)); err != nil || len(lines) < tail {
			return err
		}
	}
}

// watchEnd looks at all lines: the filter may hold back those that tell of the end.
func (f *follower) watchEnd() error {
	for {
		lines, err := f.u.Store.Logs(f.ctx, &core.LogFilter{FlowRunID: one(f.id), AfterSeq: f.seen}, core.Page{Sort: "SEQ_ASC", Limit: tail})
		if err != nil {
			return err
		}
		if f.sawAll(lines); len(lines) < tail {
			return nil
		}
	}
}

func (f *follower) sawAll(lines []*core.Log) {
	for _, l := range lines {
		f.end.See(l)
		f.seen = l.Seq
	}
}

// sendRun pushes the head if the state is another, and tells the timeline to
// fetch itself with the reader's view.
func (f *follower) sendRun() (final bool, err error) {
	f.p.Now = f.u.Now()
	run, err := f.u.run(f.ctx, f.id)
	if core.IsNotFound(err) { // deleted
		return false, errors.Join(f.s.send("", "gone", ""), err)
	}
	if err != nil {
		return false, err
	}
	d := views.FlowRunView{Run: run}
	if err := f.u.readHead(f.ctx, &d); err != nil {
		return false, err
	}
	cs := []templ.Component{partial("#run-head", "outerMorph", views.RunHead(f.p, d))}
	if changed := run.StateID != f.state; changed {
		f.state = run.StateID
		if d.Ask, err = f.u.ask(f.ctx, f.p, run); err != nil {
			return false, err
		}
		cs = append(cs, partial("#banner", "innerHTML", views.RunBanner(f.p, d)), partial("#run-details", "outerMorph", views.RunDetails(f.p, run)))
		if run.Final() {
			cs = append(cs, toast(views.Toast{State: run.Tone(), Text: run.Name + ": " + run.StateName}))
		}
	}
	if err := f.push(templ.Join(cs...)); err != nil {
		return false, err
	}
	if err := f.s.send("", "tl", ""); err != nil || !run.Final() {
		return false, err
	}
	if err := f.sendLogs(); err != nil {
		return true, err
	}
	return true, f.s.send("", "end", "")
}

// sendDone also sends the lines that came after the run's end.
func (f *follower) sendDone() error {
	if err := f.sendLogs(); err != nil {
		return err
	}
	return f.s.send("", "done", "")
}

func (f *follower) push(c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(f.ctx, &b); err != nil {
		return err
	}
	return f.s.send(strconv.FormatInt(f.after, 10)+"."+f.state.String(), "", b.String())
}
