package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

const (
	logDelay   = 200 * time.Millisecond
	logBatch   = 500
	maxLogLine = 256 << 10
)

// logSink carries the logs of runs to the worker that started this process, or
// else to the server: in batches, which it keeps while the server is away.
type logSink struct {
	o     core.DataOrchestrator
	sock  *LogSocket // nil without such a worker
	mu    sync.Mutex
	lines []sunkLine
	timer *time.Timer
	send  sync.Mutex // keeps batches in order
}

type sunkLine struct {
	ctx context.Context
	log core.LogCreate
}

func (s *logSink) add(ctx context.Context, l core.LogCreate) {
	if s.sock != nil && s.sock.write(l) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, sunkLine{ctx, l})
	if s.timer == nil {
		s.timer = time.AfterFunc(logDelay, s.tick)
	} else if len(s.lines) == logBatch {
		s.timer.Reset(0)
	}
}

func (s *logSink) tick() {
	s.mu.Lock()
	s.timer = nil
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = s.flush(ctx)
}

// flush sends everything that is there; ctx bounds the wait for a server that
// is away, and what could not be sent is kept.
func (s *logSink) flush(ctx context.Context) error {
	if s.sock != nil {
		_ = s.sock.flush(ctx)
	}
	s.send.Lock()
	defer s.send.Unlock()
	for {
		owner, batch := s.next()
		if len(batch) == 0 {
			return nil
		}
		err := persist(ctx, func() error { return s.o.WriteLogs(owner, batch) })
		if core.CodeOf(err) == core.EUnavailable {
			s.putBack(owner, batch)
			return err
		}
		// Any other refusal would be the same next time: those lines are given up.
	}
}

// next takes lines of one owner: a call carries the token of one run.
func (s *logSink) next() (owner context.Context, batch []core.LogCreate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []sunkLine
	for _, l := range s.lines {
		if owner == nil {
			owner = l.ctx
		}
		if l.ctx == owner && len(batch) < logBatch {
			batch = append(batch, l.log)
		} else {
			rest = append(rest, l)
		}
	}
	s.lines = rest
	return owner, batch
}

func (s *logSink) putBack(owner context.Context, batch []core.LogCreate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := make([]sunkLine, 0, len(batch)+len(s.lines))
	for _, l := range batch {
		lines = append(lines, sunkLine{owner, l})
	}
	s.lines = append(lines, s.lines...)
	if s.timer == nil {
		s.timer = time.AfterFunc(time.Second, s.tick)
	}
}

// Handler turns records made inside a run into the run's logs and hands all
// records to the next handler, if there is one.
type Handler struct {
	next  slog.Handler
	quiet bool // records of runs do not go to next
	pre   []slog.Attr
	group string
}

var _ slog.Handler = (*Handler)(nil)

// NewHandler wraps next, which may be nil.
func NewHandler(next slog.Handler, quiet bool) *Handler { return &Handler{next: next, quiet: quiet} }

func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool {
	return scopeOf(ctx) != nil && l >= slog.LevelDebug || h.next != nil && h.next.Enabled(ctx, l)
}

func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	sc := scopeOf(ctx)
	if sc != nil && ctx.Value(loggedKey{}) == nil {
		if l := sc.run.line(sc, r.Level, h.text(r)); !sc.run.logged.take(l) {
			sc.run.e.logs.add(sc.run.wctx, l)
		}
		ctx = context.WithValue(ctx, loggedKey{}, true)
	}
	if h.next != nil && (sc == nil || !h.quiet) && h.next.Enabled(ctx, r.Level) {
		if sc != nil {
			r = sc.run.e.hideRecord(r)
		}
		return h.next.Handle(ctx, r)
	}
	return nil
}

// loggedKey marks a record that is in its run's log: next may hold a Handler, too.
type loggedKey struct{}

func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.pre = append(slices.Clip(c.pre), prefixed(h.group, attrs)...)
	if c.next != nil {
		c.next = c.next.WithAttrs(attrs)
	}
	return &c
}

func (h *Handler) WithGroup(name string) slog.Handler {
	c := *h
	c.group += name + "."
	if c.next != nil {
		c.next = c.next.WithGroup(name)
	}
	return &c
}

func (h *Handler) text(r slog.Record) string {
	var b strings.Builder
	b.WriteString(r.Message)
	for _, a := range h.pre {
		writeAttr(&b, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.group, a)
		return true
	})
	return b.String()
}

func prefixed(group string, attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = slog.Attr{Key: group + a.Key, Value: a.Value}
	}
	return out
}

func writeAttr(b *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		for _, sub := range v.Group() {
			writeAttr(b, group+a.Key+".", sub)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	text := v.String()
	if v.Kind() == slog.KindAny {
		if _, ok := v.Any().(error); !ok {
			if j, err := json.Marshal(v.Any()); err == nil {
				text = string(j)
			}
		}
	}
	if text == "" || strings.ContainsAny(text, " \t\n\"=") && v.Kind() == slog.KindString {
		text = fmt.Sprintf("%q", text)
	}
	b.WriteByte(' ')
	b.WriteString(group + a.Key + "=" + text)
}

func level(l slog.Level) int64 {
	switch {
	case l >= slog.LevelError+4:
		return 50
	case l >= slog.LevelError:
		return 40
	case l >= slog.LevelWarn:
		return 30
	case l >= slog.LevelInfo:
		return 20
	}
	return 10
}

func (r *run) log(sc *scope, l slog.Level, text string) { r.e.logs.add(r.wctx, r.line(sc, l, text)) }

func (r *run) line(sc *scope, l slog.Level, text string) core.LogCreate {
	text = r.e.hide(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "�"))
	if len(text) > maxLogLine {
		text = strings.ToValidUTF8(text[:maxLogLine], "") + "… (the line was longer and was cut)"
	}
	line := core.LogCreate{Name: "flowlite.flow_runs", Level: level(l), Message: text, Timestamp: r.e.clock.Now(), FlowRunID: r.rec.ID}
	if sc.task != nil {
		line.Name, line.TaskRunID = "flowlite.task_runs", sc.task.ID
	}
	return line
}
