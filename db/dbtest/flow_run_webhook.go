package dbtest

import (
	"strings"

	"github.com/flowlite/flowlite/runtime/core"
)

// webhooks: one is found by the hash of its token, and used once.
func (s *suite) webhooks(run *core.FlowRun) {
	s.Helper()
	w := core.Webhook{ID: core.NewID(), FlowRunID: run.ID, Topic: "t", Description: "d", Created: s.now, Expires: s.now + 1_000_000,
		Value: core.JSON(`{"a": 1}`), TokenHash: strings.Repeat("a", 64), Sealed: "sealed"}
	insert := func(w core.Webhook) error {
		return s.Write(s.ctx, func(tx core.Tx) error { return tx.InsertWebhook(s.ctx, &w) })
	}
	s.code(insert(w), "")
	s.eq(*must(s.Webhook(s.ctx, w.ID))(s), w)
	s.eq(*must(s.WebhookByToken(s.ctx, w.TokenHash))(s), w)
	s.eq(must(s.CountWebhooks(s.ctx, run.ID))(s), 1)
	other := w
	other.ID, other.Value = core.NewID(), nil
	s.code(insert(other), core.EConflict)
	other.TokenHash = strings.Repeat("b", 65)
	s.code(insert(other), core.EInvalid)
	other.TokenHash = strings.Repeat("b", 64)
	s.code(insert(other), "")
	s.eq(*must(s.Webhook(s.ctx, other.ID))(s), other)
	use := func() error {
		return s.Write(s.ctx, func(tx core.Tx) error { return tx.UseWebhook(s.ctx, w.ID, s.now) })
	}
	s.code(use(), "")
	s.code(use(), core.ENotFound)
	w.Used, w.Sealed = s.now, ""
	s.eq(*must(s.Webhook(s.ctx, w.ID))(s), w)
	_, err := s.WebhookByToken(s.ctx, "none")
	s.code(err, core.ENotFound)
	_, err = s.Webhook(s.ctx, core.NewID())
	s.code(err, core.ENotFound)
}
