package flowlite_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowlite/flowlite"
	"github.com/flowlite/flowlite/runtime/client"
	"github.com/flowlite/flowlite/runtime/core"
	"github.com/flowlite/flowlite/runtime/engine"
)

// send sends from outside of the run.
func (v *versions) send(topic string, values ...any) {
	v.t.Helper()
	for _, x := range values {
		if err := flowlite.Send(v.Context(v.t.Context()), v.id.String(), topic, x); err != nil {
			v.t.Fatal(err)
		}
	}
}

// impatient suspends a run at once that waits for a message.
func (v *versions) impatient() {
	v.e = engine.New(engine.Config{Orchestrator: v.svc, SuspendAfter: time.Nanosecond})
}

type verdict struct {
	By string `json:"by"`
	OK bool   `json:"ok"`
}

func TestMessages(t *testing.T) {
	f := flowlite.NewFlow("consumer", func(ctx context.Context, p struct{ N int }) (all []string, err error) {
		for range p.N {
			v, err := flowlite.Receive[string](ctx, "words", time.Minute)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		a, err := flowlite.Receive[verdict](ctx, "approval", time.Minute)
		if err != nil {
			return nil, err
		}
		_, err = flowlite.Receive[int](ctx, "words", 0)
		if !errors.Is(err, flowlite.ErrNoMessage) || !errors.Is(err, flowlite.ErrTimedOut) {
			return nil, fmt.Errorf("no time-out: %w", err)
		}
		return append(all, a.By), nil
	})
	places(t, func(t *testing.T, on flowlite.Runner, _ *client.Client) {
		ctx := on.Context(t.Context())
		r, err := f.Start(t.Context(), on, struct{ N int }{3})
		if err != nil {
			t.Fatal(err)
		}
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		ok(r.Send(ctx, "words", "a"))
		ok(flowlite.Send(ctx, r.ID(), "words", "b"))
		ok(r.Send(ctx, "words", "c"))
		ok(r.Send(ctx, "words-of-another", "x"))
		for part, err := range map[string]error{
			"at most 65536":          r.Send(ctx, "words", strings.Repeat("x", 64<<10)),
			"consists of letters":    r.Send(ctx, "no topic", 1),
			"most 500 bytes":         r.Send(ctx, strings.Repeat("x", 501), 1),
			"cannot be encoded":      r.Send(ctx, "words", func() {}),
			"not the ID of a run":    flowlite.Send(ctx, "x", "words", 1),
			"topic of a message con": r.Send(ctx, "", 1),
		} {
			if !errors.Is(err, flowlite.ErrInvalid) || !strings.Contains(err.Error(), part) {
				t.Errorf("%v is not ErrInvalid, or does not say %q", err, part)
			}
		}
		if err := flowlite.Send(ctx, core.NewID().String(), "words", 1); !errors.Is(err, flowlite.ErrNotFound) {
			t.Error(err)
		}
		ok(r.Send(ctx, "approval", verdict{By: "ann", OK: true}))
		if got, err := r.Get(ctx); err != nil || !slices.Equal(got, []string{"a", "b", "c", "ann"}) {
			t.Fatal(got, err)
		}
		if err := r.Send(ctx, "words", "late"); !errors.Is(err, flowlite.ErrConflict) || !strings.Contains(err.Error(), "has ended") {
			t.Error(err)
		}
	}, f)
}

// Each process is killed after what it does; the next one has the same messages.
func TestReplayReceivesTheSame(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process := 0
		code := func(ctx context.Context) (string, error) {
			process++
			var got []string
			for n := range 4 {
				if n == 2 {
					_, err := flowlite.Receive[string](ctx, "nothing", 0)
					if !errors.Is(err, flowlite.ErrNoMessage) {
						return "", fmt.Errorf("time-out: %w", err)
					}
					v.send("nothing", "too late")
				}
				m, err := flowlite.Receive[string](ctx, "m", time.Minute)
				if err != nil {
					return "", err
				}
				if got = append(got, m); process == n+1 {
					return v.kill(ctx)
				}
			}
			return strings.Join(got, " "), nil
		}
		v.send("m", "a", "b")
		v.killed(code)
		v.killed(code)
		v.send("m", "c", "d", "e")
		v.killed(code)
		v.killed(code)
		if got, err := v.finished(code); err != nil || got != "a b c d" {
			t.Fatal(got, err)
		}
	})
}

// A process that dies between a message's receipt and its record has lost nothing.
func TestMessageIsReceivedByItsCall(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.send("m", "a", "b")
		v.e = engine.New(engine.Config{Orchestrator: &deafAfterReceipt{Orchestrator: v.svc, v: v}})
		code := func(ctx context.Context) (string, error) {
			a, err := flowlite.Receive[string](ctx, "m", time.Minute)
			if err != nil {
				return "", err
			}
			b, err := flowlite.Receive[string](ctx, "m", time.Minute)
			return a + b, err
		}
		v.killed(code)
		v.e = engine.New(engine.Config{Orchestrator: v.svc})
		if got, err := v.finished(code); err != nil || got != "ab" {
			t.Fatal(got, err)
		}
	})
}

type deafAfterReceipt struct {
	core.Orchestrator
	v *versions
}

func (d *deafAfterReceipt) ReceiveMessage(ctx context.Context, id core.UUID, r core.MessageRequest) (*core.RunMessage, error) {
	m, err := d.Orchestrator.ReceiveMessage(ctx, id, r)
	if m != nil && r.By != "" {
		d.v.die(flowlite.ErrLeaseLost)
	}
	return m, err
}

func TestMessageContinuesASuspendedRun(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.impatient()
		var seen []string
		code := func(ctx context.Context) (string, error) {
			m, err := flowlite.Receive[string](ctx, "m", time.Hour)
			seen = append(seen, fmt.Sprint(m, err))
			return m, err
		}
		suspended := func() *core.FlowRun {
			t.Helper()
			out, err := v.run(code)
			if err != nil || !errors.Is(out.Err, flowlite.ErrSuspended) {
				t.Fatal(out, err)
			}
			r := out.FlowRun
			if r.StateName != core.NameAwaitingMessage || r.StateType != core.Scheduled || !slices.Equal(r.State.Details.Topics, []string{"m"}) {
				t.Fatal(r.StateName, r.State.Details)
			}
			if _, err := v.store.Lease(t.Context(), v.id); !core.IsNotFound(err) {
				t.Fatal("the lease stays:", err)
			}
			return r
		}
		until := suspended().NextScheduledStartTime.Sub(core.Now())
		if until < 50*time.Minute || until > time.Hour {
			t.Fatal("due in", until)
		}
		why, err := v.svc.Why(t.Context(), v.id)
		if err != nil || why.Code != "waiting_for_message" || !strings.Contains(why.Hint, "flowlite flow-run send "+v.id.String()+" m ") {
			t.Error(why, err)
		}
		v.send("other", 1)
		if r, _ := v.svc.FlowRun(t.Context(), v.id); r.StateName != core.NameAwaitingMessage {
			t.Fatal("a message to another topic woke the run:", r.StateName)
		}
		v.send("m", "x")
		if r, _ := v.svc.FlowRun(t.Context(), v.id); r.StateName != core.NameResuming || r.NextScheduledStartTime.After(core.Now()) {
			t.Fatal("the message did not wake the run:", r.StateName, r.NextScheduledStartTime)
		}
		if got, err := v.finished(code); err != nil || got != "x" || len(seen) != 2 {
			t.Fatal(got, err, seen)
		}
	})
}

// A message that arrives after the flow has asked, and before the run is suspended,
// is not slept through.
func TestMessageBeforeTheSuspension(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		v.claimed()
		ctx := core.WithRunToken(t.Context(), core.RunToken(v.ctx))
		set := func(c core.StateCreate) {
			if res, err := v.svc.SetFlowRunState(ctx, v.id, c, false); err != nil || res.Status != core.Accept {
				t.Fatal(res, err)
			}
		}
		set(core.StateCreate{Type: core.Running})
		v.send("m", 1)
		c := core.StateCreate{Type: core.Scheduled, Name: core.NameAwaitingMessage}
		c.Details.ScheduledTime, c.Details.Topics, c.Details.Wakes = core.Now().Add(time.Hour), []string{"l", "m"}, true
		set(c)
		if r, err := v.svc.FlowRun(t.Context(), v.id); err != nil || r.NextScheduledStartTime.After(core.Now()) {
			t.Fatal("the run is due only at", r.NextScheduledStartTime, err)
		}
	})
}

// What a flow sends is sent once, and says who sent it.
func TestReplaySendsNothingTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		process := 0
		code := func(ctx context.Context) (string, error) {
			process++
			to := v.id.String()
			for _, what := range []string{"a", "a", "b"} {
				if err := flowlite.Send(ctx, to, "m", what); err != nil {
					return "", err
				}
			}
			var got string
			for range 3 {
				m, err := flowlite.Receive[string](ctx, "m", time.Minute)
				if err != nil {
					return "", err
				}
				if got += m; process == len(got) {
					return v.kill(ctx)
				}
			}
			_, err := flowlite.Receive[string](ctx, "m", 0)
			if !errors.Is(err, flowlite.ErrNoMessage) {
				return "", fmt.Errorf("one more was sent: %w", err)
			}
			return got, nil
		}
		for range 3 {
			v.killed(code)
		}
		if got, err := v.finished(code); err != nil || got != "aab" {
			t.Fatal(got, err)
		}
		list, err := v.store.FlowRunInputs(t.Context(), v.id, "m-", nil, 0)
		if err != nil || len(list) != 3 || core.Deref(list[0].Sender) != "prefect.flow-run."+v.id.String() {
			t.Fatal(list, err)
		}
	})
}

// Concurrent receivers share the messages of a topic.
func TestConcurrentReceivers(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		const receivers, each = 4, 10
		var senders sync.WaitGroup
		for s := range receivers {
			senders.Go(func() {
				for n := range each {
					v.send("m", s*each+n)
				}
			})
		}
		got, err := v.finished(func(ctx context.Context) (string, error) {
			var mu sync.Mutex
			var all []int
			var wait sync.WaitGroup
			for range receivers {
				wait.Go(func() {
					for range each {
						n, err := flowlite.Receive[int](ctx, "m", time.Minute)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						all = append(all, n)
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			slices.Sort(all)
			for i, n := range all {
				if i != n {
					return "", fmt.Errorf("message %d is lost or doubled: %v", i, all)
				}
			}
			return fmt.Sprint(len(all)), nil
		})
		senders.Wait()
		if err != nil || got != fmt.Sprint(receivers*each) {
			t.Fatal(got, err)
		}
	})
}

// A message is what its receiver's type says, also from Prefect's clients.
func TestMessageTypes(t *testing.T) {
	onEngines(t, func(t *testing.T, v *versions) {
		type one struct {
			Value int `json:"value"`
		}
		v.send("struct", one{1})
		v.send("number", 2, nil)
		v.send("list", []int{3})
		v.send("wrong", "text")
		if err := v.svc.CreateFlowRunInput(t.Context(), v.id, core.MessageKey("text", core.NewID()), "no JSON", ""); err != nil {
			t.Fatal(err)
		}
		_, err := v.finished(func(ctx context.Context) (string, error) {
			s, err1 := flowlite.Receive[one](ctx, "struct", 0)
			n, err2 := flowlite.Receive[int](ctx, "number", 0)
			p, err3 := flowlite.Receive[*int](ctx, "number", 0)
			l, err4 := flowlite.Receive[any](ctx, "list", 0)
			x, err5 := flowlite.Receive[string](ctx, "text", 0)
			if err := errors.Join(err1, err2, err3, err4, err5); err != nil || s.Value != 1 || n != 2 || p != nil || fmt.Sprint(l) != "[3]" || x != "no JSON" {
				return "", fmt.Errorf("%v %v %v %v %v: %w", s, n, p, l, x, err)
			}
			if _, err := flowlite.Receive[verdict](ctx, "wrong", 0); err == nil || !strings.Contains(err.Error(), "topic wrong does not fit flowlite_test.verdict") {
				return "", fmt.Errorf("%w", err)
			}
			return "", nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
