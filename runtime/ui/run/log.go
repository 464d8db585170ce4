package run

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/ui/page"
	"github.com/flowlite/flowlite/views"
)

// tail is how many lines a page begins with.
const tail = 500

// readLog reads the last lines that the filter in the address lets through, or
// those before a line of it. A line's number is that among them.
func (u *UI) readLog(ctx context.Context, base string, of *core.LogFilter, q url.Values) (views.LogView, error) {
	d, f := logView(base, q), filterLog(of, q)
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	lines, first, err := u.logBefore(ctx, f, before)
	if err != nil {
		return d, err
	}
	d.Lines = numbered(lines, first)
	if len(lines) > 0 {
		d.After = lines[len(lines)-1].Seq
	}
	if d.Total = first + int64(len(lines)); before > 0 {
		d.Total, err = u.Store.CountLogs(ctx, &f)
	}
	return d, err
}

// logView has the filter that an address asks for.
func logView(base string, q url.Values) views.LogView {
	d := views.LogView{Base: base, Level: "All", Q: q.Get("log")}
	for _, l := range views.LogLevels {
		if l.Name == q.Get("level") {
			d.Level = l.Name
		}
	}
	return d
}

// logBefore reads the lines before the one numbered before, or the last ones if
// it is zero, and says how many come before these.
func (u *UI) logBefore(ctx context.Context, f core.LogFilter, before int64) (lines []*core.Log, first int64, err error) {
	if before > 0 {
		first = max(0, before-1-tail)
		p := core.Page{Sort: "SEQ_ASC", Offset: int(min(first, math.MaxInt32)), Limit: int(min(before-1-first, tail))}
		if p.Limit == 0 { // a limit of 0 is none
			return nil, 0, nil
		}
		lines, err = u.Store.Logs(ctx, &f, p)
		return lines, first, err
	}
	lines, err = u.Store.Logs(ctx, &f, core.Page{Sort: "SEQ_DESC", Limit: tail})
	if err != nil || len(lines) < tail {
		slices.Reverse(lines)
		return lines, 0, err
	}
	slices.Reverse(lines)
	f.BeforeSeq = lines[0].Seq
	first, err = u.Store.CountLogs(ctx, &f)
	return lines, first, err
}

// filterLog adds the level and the text that an address asks for. Pages, their
// streams and downloads all filter by it.
func filterLog(of *core.LogFilter, q url.Values) core.LogFilter {
	out := *of
	for _, l := range views.LogLevels {
		if l.Name == q.Get("level") && l.Min > 0 {
			out.Level = &core.IntFilter{Ge: core.Ptr(l.Min)}
		}
	}
	if text := q.Get("log"); text != "" {
		out.Text = core.Phrase(text)
	}
	return out
}

func numbered(lines []*core.Log, before int64) []views.LogLine {
	out := make([]views.LogLine, len(lines))
	for i, l := range lines {
		out[i] = views.LogLine{Log: l, N: before + int64(i) + 1}
	}
	return out
}

// flowRunLogs answers a page of a run that wants earlier lines, or filters.
func (u *UI) flowRunLogs(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return err
	}
	return u.sendLogs(w, r, "/flow-runs/"+id.String(), &core.LogFilter{FlowRunID: page.One(id)}, func(d *views.LogView) error {
		run, err := u.Store.FlowRun(r.Context(), id)
		if err != nil {
			return err
		}
		shown := r.URL.Query().Get("state") // the state that the page shows
		if !run.StateType.Final() || shown != run.StateID.String() || u.Now().Sub(run.EndTime) < lastLines {
			d.Live, d.Stream = true, streamPath(*d, shown)
		}
		return nil
	})
}

// lastLines is how long lines of a run may come after its end.
const lastLines = 10 * time.Second

// streamPath continues a log with its filter.
func streamPath(d views.LogView, state string) string {
	return d.With("/stream", "state", state, "after", strconv.FormatInt(d.After, 10))
}

func (u *UI) taskRunLogs(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Task run")
	if err != nil {
		return err
	}
	return u.sendLogs(w, r, "/task-runs/"+id.String(), &core.LogFilter{TaskRunID: page.One(id)}, func(*views.LogView) error { return nil })
}

// sendLogs sends earlier lines in the place of the link that asked for them, or
// the lines of another filter, with the stream that goes on from there.
func (u *UI) sendLogs(w http.ResponseWriter, r *http.Request, base string, f *core.LogFilter, stream func(*views.LogView) error) error {
	p, err := u.Page(w, r, "", "runs")
	if err != nil {
		return err
	}
	d, err := u.readLog(r.Context(), base, f, r.URL.Query())
	if err != nil {
		return err
	}
	if r.URL.Query().Has("before") {
		return u.Send(w, r, views.LogChunk(p, d))
	}
	if err := stream(&d); err != nil {
		return err
	}
	return u.Send(
		w,
		r,
		templ.Join(page.Partial("#log", "innerHTML", views.LogChunk(p, d)), page.Partial("#log-none", "innerHTML", views.LogNone(d)),
			page.Partial("#log-tools", "outerHTML", views.LogTools(d)), page.Partial("#log-stream", "innerHTML", views.LogStream(d))),
	)
}

func (u *UI) logsText(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Flow run")
	if err != nil {
		return err
	}
	run, err := u.Store.FlowRun(r.Context(), id)
	if err != nil {
		return err
	}
	return u.sendText(w, r, run.Name, &core.LogFilter{FlowRunID: page.One(id)})
}

func (u *UI) taskRunLogsText(w http.ResponseWriter, r *http.Request) error {
	id, err := page.PathID(r, "Task run")
	if err != nil {
		return err
	}
	run, err := u.Store.TaskRun(r.Context(), id)
	if err != nil {
		return err
	}
	return u.sendText(w, r, run.Name, &core.LogFilter{TaskRunID: page.One(id)})
}

// sendText sends what the filters let through of a log, page by page, so that
// no size matters.
func (u *UI) sendText(w http.ResponseWriter, r *http.Request, name string, of *core.LogFilter) error {
	f, loc := filterLog(of, r.URL.Query()), page.Zone(r)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", core.Attachment(name, ".log"))
	for {
		lines, err := u.Store.Logs(r.Context(), &f, core.Page{Sort: "SEQ_ASC", Limit: 1000})
		if err != nil {
			return err
		}
		for _, l := range lines {
			at := l.Timestamp.Time().In(loc).Format("2006-01-02T15:04:05.000Z07:00")
			name, message := core.PlainText(l.Name), core.PlainText(l.Message)
			if _, err := fmt.Fprintf(w, "%s %-8s %s - %s\n", at, core.LevelName(l.Level), name, message); err != nil {
				return nil //nolint:nilerr // the reader left
			}
			f.AfterSeq = l.Seq
		}
		if len(lines) < 1000 {
			return nil
		}
	}
}
