package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/flowlite/flowlite/runtime/core"
)

// Case is what a flow waits for: a message, a future, or a timer.
type Case struct {
	Topic  string
	Schema func() core.JSON // of a message to Topic, as it is stored; nil if it is not known
	Future *Future
	Timer  bool
	After  time.Duration // from the first time that the flow waits
}

// Won says which case came first. It is stored as the result of the call.
type Won struct {
	Case  int       `json:"case"`
	Topic string    `json:"topic,omitempty"` // of the message
	Value core.JSON `json:"value,omitempty"` // the message
}

// Select waits until one of the cases comes. Which one is recorded; of the others,
// messages stay for the next receiver, and futures go on.
func Select(ctx context.Context, cases []Case) (Won, error) { return await(ctx, "select", cases) }

func await(ctx context.Context, name string, cases []Case) (won Won, err error) {
	s := scopeOf(ctx)
	if s == nil || s.task != nil {
		return won, errors.New("Receive and Select belong into a flow, not into a task or outside of a run")
	}
	w := &waiting{r: s.run, cases: cases}
	for _, c := range cases {
		if c.Topic == "" {
			continue
		}
		if err := core.CheckTopic(c.Topic); err != nil {
			return won, Permanent(err)
		}
		w.topics = append(w.topics, c.Topic)
	}
	switch {
	case len(cases) == 0:
		return won, Permanent(errors.New("Select has no cases and would never return; pass at least one"))
	case len(w.topics) > core.MaxMessageTopics:
		return won, Permanent(fmt.Errorf("Select waits for %d topics; at most %d are allowed", len(w.topics), core.MaxMessageTopics))
	}
	if w.call, err = s.run.identify(&Task{Name: name, NoInput: true}, nil); err != nil {
		return won, err
	}
	if w.call.prior != nil {
		return w.replay()
	}
	if err := left(ctx); err != nil {
		return won, err
	}
	if err := s.run.endWoken(); err != nil {
		return won, err
	}
	return w.wait(ctx)
}

// waiting is a call that waits for one of its cases.
type waiting struct {
	r      *run
	call   *taskCall
	cases  []Case
	topics []string
	began  core.Time // when the call began to wait, in whatever process
}

func (w *waiting) replay() (won Won, err error) {
	b, err := w.call.replay()
	if err == nil {
		err = core.Unmarshal(b, &won)
	}
	return won, err
}

func (w *waiting) wait(ctx context.Context) (Won, error) {
	r := w.r
	stored := w.call.row.State != nil && w.call.row.State.Type == core.Scheduled && w.call.row.State.Timestamp >= r.fresh
	if w.began = r.e.clock.Now(); stored {
		w.began = w.call.row.State.Timestamp
	}
	stop := r.waits(w)
	defer stop()
	for suspends := r.e.clock.Now().Add(r.e.moment); ; {
		won, err := w.look(ctx)
		if err != nil {
			return Won{}, err
		}
		if won != nil {
			return *won, w.store(*won)
		}
		if !stored {
			p := core.StateCreate{Type: core.Scheduled, Name: core.NameAwaitingMessage}
			p.Details.ScheduledTime, p.Details.Topics, p.Details.TopicSchemas = w.until(), w.topics, w.schemas()
			if err := w.call.save(w.call.state(p)); err != nil {
				return Won{}, err
			}
			w.began, stored = w.call.row.State.Timestamp, true
		}
		if err := w.block(ctx, suspends); err != nil {
			if gone := left(ctx); gone != nil {
				return Won{}, gone
			}
			if context.Cause(ctx) == nil {
				return Won{}, err
			}
			return Won{}, errors.Join(err, w.call.saveErr(core.Cancelled, "", ErrCancelled.Error()))
		}
		if r.suspendable() && r.e.clock.Now() >= suspends {
			if err := r.suspendForMessage(); err != nil {
				return Won{}, err
			}
			suspends = r.e.clock.Now().Add(r.e.moment)
		}
	}
}

// store makes the winner durable. A message is the call's since it was received: a
// process that continues the run is given the same one, so that its record may travel
// with the next one, as a task's start does.
func (w *waiting) store(won Won) error {
	if won.Topic == "" {
		return w.call.complete(core.ToJSON(won), "")
	}
	s, err := w.call.completed(core.ToJSON(won), "")
	if err == nil {
		w.r.report.later(w.call.row, s)
	}
	return err
}

// look returns the case that has come, if one has.
func (w *waiting) look(ctx context.Context) (*Won, error) {
	r := w.r
	if len(w.topics) > 0 {
		by := core.NameID(w.call.row.TaskKey, w.call.row.DynamicKey, strconv.FormatInt(int64(r.fresh), 10)).String()
		m, err := ask(r.wctx, func() (*core.RunMessage, error) {
			return r.e.o.ReceiveMessage(r.wctx, r.rec.ID, core.MessageRequest{Topics: w.topics, By: by})
		})
		if core.CodeOf(err) == core.ELeaseLost {
			r.root.suspend(ErrLeaseLost)
			return nil, ErrLeaseLost
		}
		if err != nil {
			return nil, err
		}
		if m != nil {
			i := slices.IndexFunc(w.cases, func(c Case) bool { return c.Topic == m.Topic })
			return &Won{Case: max(0, i), Topic: m.Topic, Value: m.Value}, nil
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	now, first := r.e.clock.Now(), -1
	for i, c := range w.cases {
		switch {
		case c.Future != nil:
			select {
			case <-c.Future.done:
				return &Won{Case: i}, nil
			default:
			}
		case c.Timer && now >= w.due(c) && (first < 0 || w.due(c) < w.due(w.cases[first])):
			first = i
		}
	}
	if first < 0 {
		return nil, nil
	}
	return &Won{Case: first}, nil
}

// schemas are those of the messages that the call waits for, as far as they are known
// and small enough to be stored with its state.
func (w *waiting) schemas() map[string]core.JSON {
	const most = 64 << 10
	out, size := map[string]core.JSON{}, 0
	for _, c := range w.cases {
		if c.Schema == nil {
			continue
		}
		if b := c.Schema(); b != nil && size+len(b) <= most {
			out[c.Topic] = b
			size += len(b)
		}
	}
	return out
}

func (w *waiting) due(c Case) core.Time { return w.began.Add(max(0, c.After)) }

// until is when the first timer ends.
func (w *waiting) until() core.Time {
	until := w.began.Add(core.FarAway)
	for _, c := range w.cases {
		if c.Timer {
			until = min(until, w.due(c))
		}
	}
	return until
}

// block returns when a case may have come, or the moment has passed.
func (w *waiting) block(ctx context.Context, suspends core.Time) error {
	r := w.r
	if _, ok := r.e.clock.(realClock); !ok {
		return w.blockVirtual(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan error, len(w.cases)+1)
	if len(w.topics) > 0 {
		go func() { changed <- w.arrival(ctx, 30) }()
	}
	for _, c := range w.cases {
		if c.Future != nil {
			go func() {
				_, _ = c.Future.Get(ctx)
				changed <- nil
			}()
		}
	}
	until := w.until()
	if r.suspendable() {
		until = min(until, suspends)
	}
	alarm := time.NewTimer(until.Sub(r.e.clock.Now()))
	defer alarm.Stop()
	select {
	case err := <-changed:
		return err
	case <-alarm.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// arrival returns when a message has arrived that no call has received, or at the
// latest after wait.
func (w *waiting) arrival(ctx context.Context, wait core.Seconds) error {
	_, err := ask(ctx, func() (*core.RunMessage, error) {
		return w.r.e.o.ReceiveMessage(ctx, w.r.rec.ID, core.MessageRequest{Topics: w.topics, Wait: wait})
	})
	return err
}

// blockVirtual lets the time until the first timer pass at once, unless tasks of
// the run are at work: these take real time.
func (w *waiting) blockVirtual(ctx context.Context) error {
	const glance = 20 * time.Millisecond
	if len(w.topics) > 0 {
		if err := w.arrival(ctx, core.Seconds(glance.Seconds())); err != nil {
			return err
		}
	}
	won, err := w.look(ctx)
	if won != nil || err != nil {
		return err
	}
	if until := w.until(); w.r.root.tasks.Load() == 0 && until < w.began.Add(core.FarAway) {
		return w.r.e.clock.Sleep(ctx, until.Sub(w.r.e.clock.Now()))
	}
	return realClock{}.Sleep(ctx, glance)
}
