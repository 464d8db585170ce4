package dbtest

import (
	"slices"

	"github.com/flowlite/flowlite/runtime/core"
)

// messages: they are found in the order of their arrival, also where the clock
// of a server is behind, by their exact topic, and until a call has received them.
func (s *suite) messages(run *core.FlowRun) {
	s.Helper()
	send := func(topic string, at core.Time) *core.RunMessage {
		m := &core.RunMessage{ID: core.NewID(), Created: at, Topic: topic, Value: core.JSON(`{"value":1}`)}
		s.write(func(tx core.Tx) error { return tx.InsertMessage(s.ctx, run.ID, m) })
		return m
	}
	before := must(s.CountWaitingInputs(s.ctx, run.ID))(s)
	first, behind, longer := send("t", s.now), send("t", s.now-1_000_000), send("t-u", s.now)
	for range 250 {
		send("other", s.now)
	}
	last := send("last", s.now)
	s.eq(must(s.CountWaitingInputs(s.ctx, run.ID))(s), before+254)
	s.eq(*must(s.WaitingMessage(s.ctx, run.ID, []string{"last", "t"}))(s), *first)
	s.eq(*must(s.WaitingMessage(s.ctx, run.ID, []string{"t-u"}))(s), *longer)
	s.eq(*must(s.WaitingMessage(s.ctx, run.ID, []string{"last"}))(s), *last)
	for _, topic := range []string{"T", "t-", "las", "p", "p-1"} {
		_, err := s.WaitingMessage(s.ctx, run.ID, []string{topic})
		s.code(err, core.ENotFound)
	}
	take := func(m *core.RunMessage, by string) error {
		return s.Write(s.ctx, func(tx core.Tx) error { return tx.ReceiveMessage(s.ctx, run.ID, m, by, s.now) })
	}
	s.code(take(first, "a"), "")
	s.code(take(first, "b"), core.ENotFound)
	s.code(take(behind, "a"), core.EConflict)
	s.eq(*must(s.ReceivedMessage(s.ctx, run.ID, "a"))(s), *first)
	_, err := s.ReceivedMessage(s.ctx, run.ID, "b")
	s.code(err, core.ENotFound)
	s.eq(*must(s.WaitingMessage(s.ctx, run.ID, []string{"t"}))(s), *behind)
	s.code(s.Write(s.ctx, func(tx core.Tx) error { return tx.InsertMessage(s.ctx, run.ID, first) }), core.EConflict)
	keys := must(s.FlowRunInputs(s.ctx, run.ID, "t-", nil, 0))(s)
	s.eq(slices.IndexFunc(keys, func(x *core.FlowRunInput) bool { return x.Key == core.MessageKey("t", behind.ID) }), 1)
}
