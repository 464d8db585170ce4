package run

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

const (
	batchLogs = 400 * time.Millisecond // lines are gathered for so long
	atMost    = 2 * time.Second        // the head and the timeline change no oftener
	recheck   = 5 * time.Second        // a message of the bus may be lost
)

// flowRunStream pushes log lines as they come, and the head and a hint to
// fetch the timeline when the run changes, until it has ended.
func (u *UI) flowRunStream(w http.ResponseWriter, r *http.Request) error {
	p, run, err := u.part(w, r)
	if err != nil {
		return err
	}
	release, ok := u.Admit(w, r)
	if !ok {
		return nil
	}
	defer release()
	f := &follower{u: u, ctx: r.Context(), p: p, id: run.ID, state: run.StateID, view: logView("", r.URL.Query())}
	f.filter = filterLog(&core.LogFilter{FlowRunID: page.One(run.ID)}, r.URL.Query())
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
	logs := u.Bus.Subscribe(core.TopicLog, run.ID.String(), 64)
	defer logs.Close()
	runs := u.Bus.Subscribe(core.TopicRun, run.ID.String(), 64)
	defer runs.Close()
	f.s = page.OpenSSE(w)
	if f.s.Send("", "hello", "") != nil {
		return nil
	}
	_ = f.follow(logs.C(), runs.C(), u.Done()) // its errors mean that the reader left
	return nil
}

// follower is one open page of a run.
type follower struct {
	u      *UI
	s      page.SSE
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
	check, keep := time.NewTicker(recheck), time.NewTicker(page.KeepAlive)
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
			if err := f.s.Comment(); err != nil {
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
		c := page.Partial("#log", "beforeend", views.LogLines(f.p, numbered(lines, f.view.Total), f.view.Q))
		if !f.view.Filtered() {
			f.sawAll(lines)
		}
		f.after, f.view.Total = lines[len(lines)-1].Seq, f.view.Total+int64(len(lines))
		count := page.Partial("#log-count", "innerHTML", views.LogCount(f.view))
		if err := f.push(templ.Join(c, count)); err != nil || len(lines) < tail {
			return err
		}
	}
}

// watchEnd looks at all lines: the filter may hold back those that tell of the end.
func (f *follower) watchEnd() error {
	for {
		lines, err := f.u.Store.Logs(f.ctx, &core.LogFilter{FlowRunID: page.One(f.id), AfterSeq: f.seen}, core.Page{Sort: "SEQ_ASC", Limit: tail})
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
	run, err := f.u.Run(f.ctx, f.id)
	if core.IsNotFound(err) { // deleted
		return false, errors.Join(f.s.Send("", "gone", ""), err)
	}
	if err != nil {
		return false, err
	}
	d := views.FlowRunView{Run: run}
	if err := f.u.readHead(f.ctx, &d); err != nil {
		return false, err
	}
	cs := []templ.Component{page.Partial("#run-head", "outerMorph", views.RunHead(f.p, d))}
	if changed := run.StateID != f.state; changed {
		f.state = run.StateID
		if d.Ask, err = f.u.ask(f.ctx, f.p, run); err != nil {
			return false, err
		}
		cs = append(
			cs,
			page.Partial("#banner", "innerHTML", views.RunBanner(f.p, d)),
			page.Partial("#run-details", "outerMorph", views.RunDetails(f.p, run)),
		)
		if run.Final() {
			cs = append(cs, page.Toast(views.Toast{State: run.Tone(), Text: run.Name + ": " + run.StateName}))
		}
	}
	if err := f.push(templ.Join(cs...)); err != nil {
		return false, err
	}
	if err := f.s.Send("", "tl", ""); err != nil || !run.Final() {
		return false, err
	}
	if err := f.sendLogs(); err != nil {
		return true, err
	}
	return true, f.s.Send("", "end", "")
}

// sendDone also sends the lines that came after the run's end.
func (f *follower) sendDone() error {
	if err := f.sendLogs(); err != nil {
		return err
	}
	return f.s.Send("", "done", "")
}

func (f *follower) push(c templ.Component) error {
	b, err := views.Render(f.ctx, c)
	if err != nil {
		return err
	}
	return f.s.Send(strconv.FormatInt(f.after, 10)+"."+f.state.String(), "", string(b))
}
