package orchestrate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/flowlite/flowlite/runtime/commit"
	"github.com/flowlite/flowlite/runtime/core"
)

// webhookToken is how many random bytes a URL has.
const webhookToken = 32

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// CreateWebhook makes a URL that sends one message to a run. One that is asked for
// again under its ID has the same URL. ENotFound without the run, EConflict if it has
// ended, EInvalid if a bound is exceeded.
func (s *Service) CreateWebhook(ctx context.Context, flowRunID core.UUID, c core.WebhookCreate) (*core.CreatedWebhook, error) {
	if s.url == "" {
		return nil, core.Errorf(core.EConflict, "no other program reaches this server, so that it has no URLs; "+
			"run an App that listens, or set its public URL")
	}
	if err := checkWebhook(c); err != nil {
		return nil, err
	}
	if c.ID.IsZero() {
		c.ID = core.NewID()
	}
	if c.ExpiresIn == 0 {
		c.ExpiresIn = core.Seconds(core.WebhookLife.Seconds())
	}
	random := make([]byte, webhookToken)
	_, _ = rand.Read(random) // never fails
	token := base64.RawURLEncoding.EncodeToString(random)
	sealed, err := s.sealer.Seal(c.ID, []byte(token))
	if err != nil {
		return nil, err
	}
	w := &core.Webhook{ID: c.ID, FlowRunID: flowRunID, Topic: c.Topic, Description: c.Description, Value: c.Value, Created: s.now(),
		TokenHash: hashToken(token), Sealed: sealed}
	w.Expires = w.Created.Add(c.ExpiresIn.Duration())
	err = s.commit.Write(ctx, func(tx core.Tx, _ *commit.Outbox) error {
		run, err := tx.LockFlowRun(ctx, flowRunID)
		if err != nil {
			return flowRunError(err, flowRunID)
		}
		old, err := tx.Webhook(ctx, c.ID)
		if err == nil {
			w = old
			return nil
		}
		if !core.IsNotFound(err) {
			return err
		}
		if run.StateType.Final() {
			return core.Errorf(core.EConflict, "the run has ended as %s and receives no more messages", run.StateName)
		}
		n, err := tx.CountWebhooks(ctx, flowRunID)
		if err != nil {
			return err
		}
		if n >= core.MaxWebhooks {
			return core.InvalidField("topic", fmt.Sprintf("the run has %d webhooks, which is the most that one can have", n))
		}
		return tx.InsertWebhook(ctx, w)
	})
	if err != nil {
		return nil, err
	}
	if w.FlowRunID != flowRunID {
		return nil, core.Errorf(core.EConflict, "the ID %s is that of a webhook of another run", c.ID)
	}
	token, err = s.openToken(w)
	return &core.CreatedWebhook{Webhook: *w, URL: s.url + "/api/webhooks/" + token}, err
}

// openToken decrypts the token of a webhook. Once it was used, there is none: the URL
// that is returned then works as little as the one that was used.
func (s *Service) openToken(w *core.Webhook) (string, error) {
	if w.Sealed == "" {
		return "used", nil
	}
	token, err := s.sealer.Open(w.ID, w.Sealed)
	if err != nil {
		return "", core.Errorf(core.EConflict, "the URL of the webhook cannot be decrypted with the keys of this server: %w", err)
	}
	return string(token), nil
}

func checkWebhook(c core.WebhookCreate) error {
	if _, err := checkMessage(core.MessageCreate{Topic: c.Topic, Value: c.Value}); err != nil {
		return err
	}
	if n := len(c.Description); n > core.MaxWebhookDescription {
		return core.InvalidField("description",
			fmt.Sprintf("the description has %d bytes, at most %d are allowed", n, core.MaxWebhookDescription))
	}
	if most := core.Seconds(core.MaxWebhookLife.Seconds()); c.ExpiresIn < 0 || c.ExpiresIn > most {
		return core.InvalidField("expires_in", fmt.Sprintf("a webhook lives at most %d days; expires_in is %g seconds",
			int(core.MaxWebhookLife.Hours()/24), float64(c.ExpiresIn)))
	}
	return nil
}

// WebhookOf finds a webhook by the token of its URL, and its run. ENotFound for a token
// that is wrong or whose run was deleted, EGone for a webhook that was used or has
// expired, or whose run has ended.
func (s *Service) WebhookOf(ctx context.Context, token string) (*core.Webhook, *core.FlowRun, error) {
	w, err := s.store.WebhookByToken(ctx, hashToken(token))
	if core.IsNotFound(err) {
		return nil, nil, core.Errorf(core.ENotFound, "this URL is wrong, or its flow run was deleted")
	}
	if err != nil {
		return nil, nil, err
	}
	run, err := s.store.FlowRun(ctx, w.FlowRunID)
	switch {
	case err != nil:
		return nil, nil, flowRunError(err, w.FlowRunID)
	case w.Used != 0:
		return nil, nil, usedWebhook(w.Used)
	case s.now() >= w.Expires:
		return nil, nil, core.Errorf(core.EGone, "this URL has expired at %s; ask for a new one", w.Expires)
	case run.StateType.Final():
		return nil, nil, core.Errorf(core.EGone, "the flow run has ended and receives no more messages")
	}
	return w, run, nil
}

func usedWebhook(at core.Time) error {
	return core.Errorf(core.EGone, "this URL was used at %s and works once; its message was delivered then", at)
}

// UseWebhook delivers the message of a webhook, or value if it has none, and makes its
// URL useless in the same transaction. Its errors are those of WebhookOf, and EInvalid
// for a value that cannot be a message.
func (s *Service) UseWebhook(ctx context.Context, token string, value core.JSON) (*core.Webhook, error) {
	w, _, err := s.WebhookOf(ctx, token)
	if err != nil {
		return nil, err
	}
	if w.Value != nil {
		value = w.Value
	}
	c, err := checkMessage(core.MessageCreate{ID: w.ID, Topic: w.Topic, Value: value, Sender: "flowlite.webhook." + w.ID.String()})
	if err != nil {
		return nil, err
	}
	now := s.now()
	err = s.commit.Write(core.WithRunToken(ctx, core.UUID{}), func(tx core.Tx, out *commit.Outbox) error {
		if _, err := s.sendMessage(ctx, tx, out, w.FlowRunID, c); err != nil {
			return err
		}
		return tx.UseWebhook(ctx, w.ID, now)
	})
	switch {
	case core.IsNotFound(err): // another request was faster
		return nil, usedWebhook(now)
	case core.CodeOf(err) == core.EConflict:
		return nil, core.Errorf(core.EGone, "the flow run has ended and receives no more messages")
	}
	return w, err
}
