package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// keepAlive is how often a quiet stream says that it is still there.
const keepAlive = 15 * time.Second

// streamLogs is server-sent events: one per log line, its id the line's place
// in the order of arrival, so that a client continues where it broke off;
// "done" with the run when that is final and its lines have been sent.
func (a *API) streamLogs(w http.ResponseWriter, r *http.Request) {
	id, err := core.ParseUUID(r.PathValue("id"))
	if err != nil {
		writeDetail(w, http.StatusNotFound, "Not Found")
		return
	}
	ctx := r.Context()
	if _, err := a.store.FlowRun(ctx, id); err != nil {
		a.fail(w, r, &op{}, nil, named("Flow run", err))
		return
	}
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		after = last
	}
	// The subscriptions come before the first read, so that nothing falls between.
	lines := a.bus.Subscribe(core.TopicLog, id.String(), 1)
	defer lines.Close()
	runs := a.bus.Subscribe(core.TopicRun, id.String(), 1)
	defer runs.Close()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s := logStream{a: a, w: w, out: http.NewResponseController(w), id: id,
		filter: core.LogFilter{FlowRunID: &core.IDFilter{Any: []core.UUID{id}}, AfterSeq: after}}
	s.run(ctx, lines, runs)
}

type logStream struct {
	a      *API
	w      http.ResponseWriter
	out    *http.ResponseController
	id     core.UUID
	filter core.LogFilter
	end    core.LogEnd
}

func (s *logStream) run(ctx context.Context, lines, runs core.Subscription) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	var grace <-chan time.Time
	var waits time.Duration
	for {
		if err := s.send(ctx); err != nil {
			return
		}
		run, err := s.a.store.FlowRun(ctx, s.id)
		if err != nil || s.out.Flush() != nil {
			return
		}
		if !run.StateType.Final() {
			grace = nil
		} else if now := s.end.Grace(); grace == nil || now != waits {
			grace, waits = time.After(now), now
		}
		select {
		case <-ctx.Done():
			return
		case _, open := <-lines.C():
			if !open {
				return
			}
		case _, open := <-runs.C():
			if !open {
				return
			}
		case <-grace:
			if err := s.send(ctx); err != nil {
				return
			}
			b, _ := json.Marshal(run)
			_, _ = s.w.Write([]byte("event: done\ndata: " + string(b) + "\n\n"))
			_ = s.out.Flush()
			return
		case <-tick.C:
			// A hint may be lost, so a tick reads too.
			_, _ = s.w.Write([]byte(": still here\n\n"))
		}
	}
}

// send writes all lines that arrived since the last.
func (s *logStream) send(ctx context.Context) error {
	for {
		logs, err := s.a.store.Logs(ctx, &s.filter, core.Page{Sort: "SEQ_ASC"})
		if err != nil {
			return err
		}
		buf := buffers.Get().(*buffer)
		buf.b.Reset()
		for _, l := range logs {
			b, _ := json.Marshal(l)
			buf.b.WriteString("id: " + strconv.FormatInt(l.Seq, 10) + "\ndata: ")
			buf.b.Write(b)
			buf.b.WriteString("\n\n")
			s.filter.AfterSeq = l.Seq
			s.end.See(l)
		}
		_, err = s.w.Write(buf.b.Bytes())
		buf.free()
		if err != nil || len(logs) < core.MaxLimit {
			return err
		}
	}
}
