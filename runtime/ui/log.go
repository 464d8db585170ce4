package ui

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/views"
)

// tail is how many lines a page begins with.
const tail = 500

// readLog reads the last lines, filtered as the address says and numbered as
// they stand in the whole.
func (u *UI) readLog(ctx context.Context, base string, f *core.LogFilter, q url.Values) (views.LogView, error) {
	d := views.LogView{Base: base, Level: cmp.Or(q.Get("level"), "All"), Q: q.Get("log")}
	filtered := filterLog(f, q)
	filtered.BeforeSeq, _ = strconv.ParseInt(q.Get("before"), 10, 64)
	lines, err := u.Store.Logs(ctx, &filtered, core.Page{Sort: "SEQ_DESC", Limit: tail})
	if err != nil || len(lines) == 0 {
		return d, err
	}
	slices.Reverse(lines)
	d.After = lines[len(lines)-1].Seq
	last := filtered
	last.BeforeSeq = d.After + 1
	total, err := u.Store.CountLogs(ctx, &last)
	if err != nil {
		return d, err
	}
	d.Lines = numbered(lines, total-int64(len(lines)))
	d.Earlier = max(0, total-int64(len(lines)))
	return d, nil
}

// filterLog adds the level and the text that an address asks for.
func filterLog(f *core.LogFilter, q url.Values) core.LogFilter {
	out := *f
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

// earlierLogs are the lines before those shown, which take the place of the
// link that asked for them.
func (u *UI) earlierLogs(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Flow run")
	if err != nil {
		return err
	}
	p, err := u.page(w, r, "", "runs")
	if err != nil {
		return err
	}
	d, err := u.readLog(r.Context(), "/flow-runs/"+id.String(), &core.LogFilter{FlowRunID: one(id)}, r.URL.Query())
	if err != nil {
		return err
	}
	return u.send(w, r, views.LogChunk(p, d))
}

func (u *UI) logsText(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Flow run")
	if err != nil {
		return err
	}
	run, err := u.Store.FlowRun(r.Context(), id)
	if err != nil {
		return err
	}
	return u.sendText(w, r, run.Name, &core.LogFilter{FlowRunID: one(id)})
}

func (u *UI) taskRunLogsText(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "Task run")
	if err != nil {
		return err
	}
	run, err := u.Store.TaskRun(r.Context(), id)
	if err != nil {
		return err
	}
	return u.sendText(w, r, run.Name, &core.LogFilter{TaskRunID: one(id)})
}

// sendText sends what the filters let through of a log, page by page, so that
// no size matters.
func (u *UI) sendText(w http.ResponseWriter, r *http.Request, name string, of *core.LogFilter) error {
	f := filterLog(of, r.URL.Query())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".log"))
	for {
		lines, err := u.Store.Logs(r.Context(), &f, core.Page{Sort: "SEQ_ASC", Limit: 1000})
		if err != nil {
			return err
		}
		for _, l := range lines {
			if _, err := fmt.Fprintf(w, "%s %-8s %s - %s\n", l.Timestamp, core.LevelName(l.Level), l.Name, l.Message); err != nil {
				return nil //nolint:nilerr // the reader left
			}
			f.AfterSeq = l.Seq
		}
		if len(lines) < 1000 {
			return nil
		}
	}
}
